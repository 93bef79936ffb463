package httpclient

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

// A text is redacted before it is cut, or loses what may be the beginning of a secret, wherever a secret is in it.
func TestExcerptCutsNoSecretInTwo(t *testing.T) {
	const secret = "dwv-segredo-de-teste-7Q"
	c, err := New(Options{BaseURL: "https://api.example.com", Redact: redact.New(secret)})
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{256, maxExcerpt, 512, 1 << 10, minExcerptSource, 2 * minExcerptSource, 4 * minExcerptSource, maxExcerptSource} {
		for _, shown := range []int{4, 9, 15, len(secret)} {
			for _, filler := range []string{" ", "é \n", "x"} {
				before := strings.Repeat(filler, max(0, limit-shown)/len(filler))
				got := c.excerpt([]byte(before + secret + " and more"))
				if strings.Contains(got, secret[:4]) || len([]rune(got)) > maxExcerpt {
					t.Fatalf("%d %q before: %s", limit-shown, filler, got)
				}
			}
		}
	}
	c.Secret("correct horse battery staple")
	for name, body := range map[string]string{
		"in lines":                        "your password correct\nhorse\n\tbattery\u00a0staple is wrong",
		"in lines, where it is cut":       strings.Repeat("x", maxExcerpt-20) + " correct\nhorse\nbattery\nstaple is wrong",
		"in lines, where no more is read": strings.Repeat("x ", maxExcerptSource/2-500) + "correct horse" + strings.Repeat("\n", 2000) + "battery staple",
	} {
		if got := c.excerpt([]byte(body)); strings.Contains(got, "horse") {
			t.Errorf("%s: %s", name, got)
		}
	}
	latin := "S3nh@/a+\xe7!o=(9)*x"
	c.Secret("S3nh@/a+ç!o=(9)*x")
	if got := c.excerpt([]byte("\xff " + latin + ".")); got != "\uFFFD ****." {
		t.Errorf("Latin-1: %q", got)
	}
}

func TestResponseExcerpt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const secret = "s3cr3t-t0ken-value"
		c, _ := client(t, answer{status: 400, body: strings.Repeat("a ", 200) + secret}.serve, func(o *Options) { o.Redact = redact.New(secret) })
		_, err := c.Do(t.Context(), Request{Judge: func(res *Response) Verdict {
			return Fail(fault.Configf("it said %s and %s", res.Excerpt(secret+"\n"+secret), res.Excerpt(string(res.Text))))
		}})
		wantFault(t, err, fault.Config, "it said **** **** and a a", "…")
	})
	if got := (&Response{}).Excerpt(" a\n b "); got != "a b" {
		t.Errorf("of a Response that nobody sent: %q", got)
	}
}

// people returns a row of a person, in the forms in which APIs answer with rows.
func people(t *testing.T) map[string]string {
	t.Helper()
	const row = `{"id":1,"nome":"Maria da Silva","email":"maria@example.com","fones":["(31) 98765-4321"]}`
	const list = `{"total":1,"data":[` + row + `]}`
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write([]byte(list)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"JSON":                      list,
		"a list":                    "[" + row + "]",
		"names":                     `["Maria da Silva"]`,
		"rows with messages":        `[{"id":1,"mensagem":"Maria da Silva"}]`,
		"rows among errors":         `{"errors":[{"linha":1,"nome":"Maria da Silva"}],"error":{"row":` + row + `}}`,
		"JSON, cut off":             list[:len(list)-5],
		"JSON in a text":            strconv.Quote(list),
		"JSON of a member":          row[1 : len(row)-1],
		"JSON behind a notice":      "Notice: Undefined index: cep in /var/www/p.php on line 3\n" + list,
		"JSON behind a prefix":      ")]}',\n" + list,
		"JSONP":                     "callback(" + list + ");",
		"two values":                row + row,
		"XML":                       "<rows><row><nome>Maria da Silva</nome></row></rows>",
		"XML with attributes":       `<?xml version="1.0"?><row nome="Maria da Silva"/>`,
		"HTML":                      "<!doctype html><html><body><p>Maria da Silva</p></body></html>",
		"HTML with a title":         "<html><head><title>Erro 500</title></head><body>Maria da Silva</body></html>",
		"CSV":                       "id;nome\n1;Maria da Silva\n",
		"a line of CSV":             "1,Maria da Silva,31987654321",
		"a form":                    "id=1&nome=Maria+da+Silva&x=Maria da Silva",
		"Python":                    "{'nome': 'Maria da Silva'}",
		"PHP":                       "Array ( [nome] => Maria da Silva )",
		"YAML":                      "nome: Maria da Silva\nid: 1",
		"base64":                    base64.StdEncoding.EncodeToString([]byte(list)),
		"base64 without padding":    base64.RawURLEncoding.EncodeToString([]byte(list)),
		"deflate":                   packed.String(),
		"a long text":               strings.Repeat("Maria da Silva ", 30),
		"JSON within a message":     `{"message":` + strconv.Quote("Não foi lido: "+list) + `}`,
		"JSON within that":          `{"message":` + strconv.Quote("Não foi lido: "+strconv.Quote(list)) + `}`,
		"members within a message":  `{"message":` + strconv.Quote("Não foi lido: "+row[1:]) + `}`,
		"XML within a message":      `{"message":"Não foi lido: <row><nome>Maria da Silva</nome></row>"}`,
		"a form within a message":   `{"message":"Não foi lido: /x?id=1&nome=Maria+da+Silva"}`,
		"Java within a message":     `{"message":"Não foi lido: Cliente{nome=Maria da Silva}"}`,
		"PHP within a message":      `{"message":"Não foi lido: Array ( [nome] => Maria da Silva )"}`,
		"a message with an address": `{"message":"Não foi lido: maria@example.com, CPF 123.456.789-09, (31) 98765-4321"}`,
	}
}

// No error text ever shows what may be rows, whatever the status and the form.
func TestWordsTellNoRows(t *testing.T) {
	for name, body := range people(t) {
		for _, status := range []int{200, 400, 401, 403, 404, 422, 500} {
			synctest.Test(t, func(t *testing.T) {
				c, _ := client(t, answer{status: status, body: body, header: []string{"Content-Type", "application/json"}}.serve, nil)
				_, err := c.Do(t.Context(), Request{Path: "/x", Judge: func(res *Response) Verdict {
					if status == 200 && res.Body.Exists() {
						return Fail(fault.Systemf("%s", res.Words()))
					}
					return Verdict{}
				}})
				if err == nil {
					t.Fatal("no error")
				}
				text := fault.Of(err).Message + err.Error()
				for _, private := range []string{"Maria", "maria", "8765", "456.789", base64.StdEncoding.EncodeToString([]byte(body))[:8], "eyJ"} {
					if strings.Contains(text, private) {
						t.Errorf("%s under %d: told is %q in %s", name, status, private, text)
					}
				}
			})
		}
	}
}

// TestWords has answers that say what is wrong, each in its own way.
func TestWords(t *testing.T) {
	for _, tt := range []struct {
		status            int
		kind, body, words string
	}{
		{500, "", "", "the API gave no reason"},
		{500, "", " \r\n", "the API gave no reason"},
		{500, "", "{}", "the API answered with 2 bytes of JSON that give no reason"},
		{500, "text/plain", "Service Unavailable\r\n", `the API answered "Service Unavailable"`},
		{468, "", "468 - session expired", `the API answered "468 - session expired"`},
		{400, "", "Erro: o valor 1,5 não é válido; tente \"x\", ou outro (Servi\xe7o).", `the API answered "Erro: o valor 1,5 não é válido; tente "x", ou outro (Servi` + "\uFFFD" + `o)."`},
		{404, "", `"Usuário ninguem@example.com não encontrado"`, `the API answered "Usuário *** não encontrado"`},
		{400, "", `{"mensagem":"CPF 123.456.789-09 bloqueado até 30/11/2026"}`, `the API answered "CPF *** bloqueado até 30/11/2026"`},
		{404, "text/html", "<!DOCTYPE html>\n<html><head><TITLE lang=pt>\nHTTP Status 404 &#8211; Not Found</TITLE></head><body><h1>Oops</h1>", `the API answered "HTTP Status 404 – Not Found"`},
		{503, "text/html; charset=utf-8", "<html><title></title><body><h2>Em manutenção</h2></body></html>", `the API answered "Em manutenção"`},
		{503, "text/html; charset=utf-8", "<html><body>Em manutenção</body></html>", "the API answered with 41 bytes that are not JSON (text/html)"},
		{500, "text/csv", "a;b\n1;2", "the API answered with 7 bytes that are not JSON (text/csv)"},
		{500, "a b", "\x00\x01\x02", "the API answered with 3 bytes that are not JSON"},
		{400, "", `[{"message":"Sem acesso: [a, b].","errorCode":"X","fields":["nome"]}]`, `the API answered "Sem acesso: [a, b]."`},
		{400, "", `[{"errorCode":"X"},{"message":"another"}]`, `the API answered "X"`},
		{400, "", `{"error":{"code":7,"message":"Falta {id} em \"x\": '{' (123)."}}`, `the API answered "Falta {id} em "x": '{' (123)."`},
		{400, "", `{"data":[{"message":"no"}],"errors":[{"campo":"id","mensagem":"É preciso."}]}`, `the API answered "É preciso."`},
		{400, "", `{"mensagens":["",""],"erros":["Um","Dois"]}`, `the API answered "Um"`},
		{400, "", `{"id":1,"msg":"Falta o código."}`, `the API answered "Falta o código."`},
		{400, "", `{"type":"about:blank","title":"Bad Request","errors":{"nome":["Maria"]}}`, `the API answered "Bad Request"`},
		{400, "", `{"message":"Não foi lido: ` + `{\"nome\":\"Maria\"}"}`, `the API answered "Não foi lido: …"`},
		{404, "", `{"Message":"No resource matches 'https://h/x?a=1&b=2'."}`, `the API answered "No resource matches 'https://h/x?…'."`},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := client(t, answer{status: tt.status, body: tt.body, header: []string{"Content-Type", tt.kind}}.serve, nil)
			words := ""
			_, _ = c.Do(t.Context(), Request{Judge: func(res *Response) Verdict {
				words = res.Words()
				return Fail(nil)
			}})
			if words != tt.words {
				t.Errorf("%d %s\ntold as %s\nwant    %s", tt.status, tt.body, words, tt.words)
			}
		})
	}
}

// A message about a login's answer holds only its sentence, without the address of the user.
func TestWordsOfALogin(t *testing.T) {
	for body, want := range map[string]string{
		`{"mensagem":"Usuário ninguem@example.com não encontrado"}`: `the API answered "Usuário *** não encontrado"`,
		"a-session":                    "the API answered with 9 bytes that are not JSON (text/plain)",
		`"a-session"`:                  "the API answered with 11 bytes of JSON that give no reason",
		"<title>a-session</title>":     "the API answered with 24 bytes that are not JSON (text/html)",
		`{"id":"a-session"}`:           "the API answered with 18 bytes of JSON that give no reason",
		`{"error":{"id":"a-session"}}`: "the API answered with 28 bytes of JSON that give no reason",
	} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := client(t, answer{status: 404, body: body}.serve, nil)
			_, err := c.Do(t.Context(), Request{Unsigned: true})
			if message := wantFault(t, err, fault.Config, want); strings.Contains(message+err.Error(), "a-session") {
				t.Error(err)
			}
		})
	}
}
