package harness

import (
	"bytes"
	"crypto/md5" // an API that sends a password as its MD5 makes the hash as good as the password
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// Forms are the forms in which a secret may show up in an output: plain, as JSON escapes it, URL-encoded, base64 and the hexadecimal MD5.
func Forms(secret string) []string {
	sum := md5.Sum([]byte(secret))
	quoted, err := json.Marshal(secret)
	if err != nil { // a string always marshals
		quoted = []byte(`""`)
	}
	all := []string{
		secret, strings.Trim(string(quoted), `"`), url.QueryEscape(secret), url.PathEscape(secret),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawStdEncoding.EncodeToString([]byte(secret)),
		base64.RawURLEncoding.EncodeToString([]byte(secret)),
		hex.EncodeToString(sum[:]), strings.ToUpper(hex.EncodeToString(sum[:])),
	}
	var forms []string
	for _, f := range all {
		shorter := false // a form that holds another one is found with that
		for _, g := range all {
			shorter = shorter || (g != f && strings.Contains(f, g))
		}
		if !shorter && !slices.Contains(forms, f) {
			forms = append(forms, f)
		}
	}
	return forms
}

// searcher looks for secrets in outputs.
type searcher struct {
	known  []string
	forms  [][]byte
	learnt func() []string // more of them; may be nil
}

func newSearcher(o Options) *searcher {
	s := &searcher{learnt: o.Learnt}
	s.add(o.Secrets)
	return s
}

func (s *searcher) add(secrets []string) {
	for _, secret := range secrets {
		if slices.Contains(s.known, secret) {
			continue
		}
		s.known = append(s.known, secret)
		for _, form := range Forms(secret) {
			s.forms = append(s.forms, []byte(form))
		}
	}
}

// scan notes a problem for every secret in an output. The problem's text does not have the secret.
func (s *searcher) scan(output []byte, where string, r *Result) {
	if s.learnt != nil {
		s.add(s.learnt())
	}
	for i, form := range s.forms {
		if at := bytes.Index(output, form); at >= 0 {
			r.problem("a secret (form %d) is in %s, after: %s", i, where, clip(output[max(0, at-80):at]))
		}
	}
}
