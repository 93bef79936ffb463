package redact

import "testing"

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		`{"id":7,"senha":"s3nha","nome":"Ana"}`:                            `{"id":7,"senha":****,"nome":"Ana"}`,
		`{"id":7,"SenhaInternetMD5": "0123456789abcdef`:                    `{"id":7,"SenhaInternetMD5": ****`,
		`{"access_token":"a.b\/c","user-token":123,"apiKey":null}`:         `{"access_token":****,"user-token":****,"apiKey":****}`,
		`{"a":"{\"password\":\"s3nha\",\"b\":1}"}`:                         `{"a":"{\"password\":****,\"b\":1}"}`,
		`{"headers":{"Authorization":"Bearer ab.c","a":1}}`:                `{"headers":{"Authorization":****,"a":1}}`,
		`it said head&token=tail`:                                          `it said ****`,
		`{'senha': 's3"nha', 'b': 1}`:                                      `{'senha': ****, 'b': 1}`,
		`["senha"]=> string(5) "s3nha"`:                                    `["senha"]=> string(5) ****`,
		`<Senha x="1">s3nha</Senha>`:                                       `<Senha x="1">****</Senha>`,
		`GET /x?id=7&token=s3nha&b=1`:                                      `GET /x?id=7&token=****&b=1`,
		`{"password":"is required"} {"senha":["A senha é fraca"]}`:         `{"password":"is required"} {"senha":["A senha é fraca"]}`,
		`{"error":"invalid_token","error_description":"Token: gone."}`:     `{"error":"invalid_token","error_description":"Token: gone."}`,
		`Token: ab-c1 is gone, senha : 1234; Authorization: Bearer a.b1c.`: `Token: **** is gone, senha : ****; Authorization: Bearer ****`,
		`Token: 1abc, a1bc, ab1c or abc1; sessionId: a1b2; my_token: a1b2`: `Token: ****, a1bc, ab1c or abc1; sessionId: ****; my_token: ****`,
		`Secretaria: 1234, chaveiro: sala3, senha: 8 letras, Token: 401`:   `Secretaria: 1234, chaveiro: sala3, senha: 8 letras, Token: 401`,
		`Senha: inválida. INVALID_SESSION_ID: Session expired, 2 left`:     `Senha: inválida. INVALID_SESSION_ID: Session expired, 2 left`,
		`{"Login":"a b \"c\" d","nome":"Ana"}`:                             `{"Login":****,"nome":"Ana"}`,
		`{"login":{"a":["b c"]}}`:                                          `{"login":****`,
		`{"logins":"a b","nome":"s3cret"}`:                                 `{"logins":"a b","nome":"****"}`,
		`{"a":"{\"LOGIN\":\"a b`:                                           `{"a":"{\"LOGIN\":****`,
	} {
		r := New("s3cret", "head&token=tail")
		r.Hide("Login")
		r.Hide("other", "Login")
		if got := r.Quote(in); got != want {
			t.Errorf("%s\nbecame %s\nwant   %s", in, got, want)
		}
	}
	if got := (*Redactor)(nil).Quote(`{"senha":"s"}`); got != `{"senha":"s"}` {
		t.Errorf("a nil Redactor made %s", got)
	}
}
