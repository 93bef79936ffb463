package harness

import (
	"bytes"
	"crypto/md5" // an API that sends a password as its MD5 makes the hash as good as the password
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
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

// telling is how many characters in a row of a secret give it away.
const telling = 7

// look notes a problem for a secret of which a part can be read in an output.
func (s *searcher) look(output []byte, where string, r *Result) {
	var readings []string
	for _, text := range texts(output) {
		for _, reading := range Readings(text) {
			readings = append(readings, strings.ReplaceAll(reading, "+", " ")) // as a form has it
		}
	}
	for i, secret := range s.known {
		characters := []rune(strings.ReplaceAll(secret, "+", " "))
		size := min(telling, len(characters))
		for from := range len(characters) - size + 1 {
			part := string(characters[from : from+size])
			frame := strings.Contains(part, "--") || strings.Contains("PRIVATE KEY", strings.TrimSpace(part)) // of a PEM key
			if len(part) < 3 || plain(part) || frame {
				continue
			}
			if slices.ContainsFunc(readings, func(text string) bool { return strings.Contains(text, part) }) {
				r.problem(HiddenSecret, nil, "characters %d to %d of secret %d can be read in %s", from, from+size, i, where)
				return
			}
		}
	}
}

// plain is whether a part of a secret says nothing: Salesforce's sessions begin with an id, which is zeros as all its ids are.
func plain(part string) bool {
	different := map[rune]bool{}
	for _, r := range part {
		different[r] = true
	}
	return len(part) >= telling && len(different) < 4
}

// texts are the texts in a line of JSON, or else an output as it is.
func texts(output []byte) (all []string) {
	var value any
	if json.Unmarshal(output, &value) != nil {
		return []string{string(output)}
	}
	var walk func(value any)
	walk = func(value any) {
		switch v := value.(type) {
		case string:
			all = append(all, v)
		case []any:
			for _, element := range v {
				walk(element)
			}
		case map[string]any:
			for _, member := range v {
				walk(member)
			}
		}
	}
	walk(value)
	return all
}

// Readings are a text and what it says to a reader who knows the usual encodings, and up to two of them one in the other.
func Readings(text string) []string {
	all := []string{text}
	for done, depth := 0, 0; depth < 2; depth++ {
		next := all[done:]
		done = len(all)
		for _, one := range next {
			for _, reading := range decoded(one) {
				if !slices.Contains(all, reading) {
					all = append(all, reading)
				}
			}
		}
	}
	return all
}

// decoded is what text says when one of the usual encodings is undone in all of it. The regular expressions know nothing of how the
// connectors find the same.
func decoded(text string) []string {
	number := func(skip int, plain func(n uint64) string) func(string) string {
		return func(escape string) string {
			n, err := strconv.ParseUint(escape[skip:], 16, 32)
			if err != nil {
				return escape
			}
			return plain(n)
		}
	}
	character := func(n uint64) string { return string(rune(n)) }
	octet := func(n uint64) string { return string([]byte{byte(n)}) }
	all := []string{
		regexp.MustCompile(`\\u[0-9a-fA-F]{4}`).ReplaceAllStringFunc(text, number(2, character)),
		regexp.MustCompile(`\\x[0-9a-fA-F]{2}`).ReplaceAllStringFunc(text, number(2, character)),
		regexp.MustCompile(`\\([/"\\])`).ReplaceAllString(text, "$1"),
		html.UnescapeString(text),
		regexp.MustCompile(`%[0-9a-fA-F]{2}`).ReplaceAllStringFunc(text, number(1, octet)),
		regexp.MustCompile(`%[0-9a-fA-F]{2}`).ReplaceAllStringFunc(text, number(1, character)), // of Latin-1
	}
	for _, run := range regexp.MustCompile(`[0-9A-Za-z+/_-]{8,}`).FindAllString(text, -1) {
		run = strings.NewReplacer("-", "+", "_", "/").Replace(run)
		for skip := range 4 {
			if bytes, _ := base64.RawStdEncoding.DecodeString(run[skip:]); len(bytes) > 0 {
				all = append(all, string(bytes))
			}
		}
	}
	return all
}

// searcher looks for secrets in outputs.
type searcher struct {
	known   []string
	phrases []string
	forms   [][]byte
	learnt  func() []string // more of them; may be nil
}

func newSearcher(o Options) *searcher {
	s := &searcher{learnt: o.Learnt}
	s.add(o.Secrets)
	for _, phrase := range o.Phrases {
		s.phrases = append(s.phrases, phrase)
		s.spell(phrase)
	}
	return s
}

// spell has the forms of a secret looked for.
func (s *searcher) spell(secret string) {
	for _, form := range Forms(secret) {
		s.forms = append(s.forms, []byte(form))
	}
}

func (s *searcher) add(secrets []string) {
	for _, secret := range secrets {
		if slices.Contains(s.known, secret) {
			continue
		}
		s.known = append(s.known, secret)
		s.spell(secret)
	}
}

// scan notes a problem for every secret in an output. The problem's text does not have the secret. In what a connector says in words (logs,
// errors, the answer to a check, stderr), a part of a secret that a reader who knows the usual encodings can see is one too.
func (s *searcher) scan(output []byte, where string, r *Result) {
	if s.learnt != nil {
		s.add(s.learnt())
	}
	found := false
	for i, form := range s.forms {
		if at := bytes.Index(output, form); at >= 0 {
			rule := HiddenSecret
			if slices.Contains(s.known, string(form)) || slices.Contains(s.phrases, string(form)) {
				rule = PlainSecret
			}
			r.problem(rule, nil, "a secret (form %d) is in %s, after: %s", i, where, clip(output[max(0, at-80):at]))
			found = true
		}
	}
	if !found && (where == "stderr" || inWords(output)) {
		s.look(output, where, r)
	}
}

// inWords is whether a line is a message with words of the connector's own. Of the others there may be a great many.
func inWords(line []byte) bool {
	for _, kind := range []string{`"type":"LOG"`, `"type":"ERROR"`, `"type":"CONNECTION_STATUS"`} {
		if bytes.Contains(line[:min(len(line), 100)], []byte(kind)) {
			return true
		}
	}
	return bytes.Contains(line[:min(len(line), 100)], []byte(`"type":"TRACE"`)) && bytes.Contains(line, []byte(`"failure_type"`))
}
