package nectarcrm

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Token says what the company's token looks like.
type Token string

// The tokens.
const (
	JWT      Token = ""         // expires in 2099
	Expired  Token = "expired"  // a JWT that expired yesterday; every request gets 401
	Expiring Token = "expiring" // a JWT that expires in three days
	Texts    Token = "texts"    // a JWT whose iat and exp are texts, as its other claims are
	Hex      Token = "hex"      // 32 hexadecimal digits, as until 2021, with no date in it
)

func (t Token) make(seed uint64, now time.Time) string {
	sign := func(n int) []byte { return sim.Noise(seed, 0x6e63, n) }
	if t == Hex {
		return hex.EncodeToString(sign(16))
	}
	until := time.Date(2099, time.January, 1, 3, 0, 0, 0, time.UTC)
	switch t {
	case Expired:
		until = now.Add(-24 * time.Hour)
	case Expiring:
		until = now.Add(3 * 24 * time.Hour)
	}
	dates := `"iat":%d,"exp":%d`
	if t == Texts {
		dates = `"iat":"%d","exp":"%d"`
	}
	begun := time.Date(2025, time.January, 2, 12, 0, 0, 0, time.UTC)
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." +
		part(fmt.Appendf(nil, `{"userLogin":"admin@exemplo.com.br","userId":"12",`+dates+`,"usuarioMasterId":"1"}`, begun.Unix(), until.Unix())) +
		"." + part(sign(32))
}

// admitted judges the credentials of a request: the header Access-Token or the parameter api_token. Both may come, none may be wrong.
func (s *Simulator) admitted(r *http.Request, query url.Values) bool {
	sent := append(r.Header.Values("Access-Token"), query["api_token"]...)
	for _, token := range sent {
		if !sim.Same(token, s.token) {
			return false
		}
	}
	return len(sent) > 0 && s.with.Token != Expired
}
