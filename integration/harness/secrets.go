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

// Forms returns the forms in which a secret may appear in an output: plain, JSON-escaped, URL-encoded, in base64, and its hexadecimal MD5.
func Forms(secret string) []string {
	sum := md5.Sum([]byte(secret))
	quoted, err := json.Marshal(secret)
	if err != nil { // never fails for a string
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
		shorter := false // a form that contains another one is found with that one
		for _, g := range all {
			shorter = shorter || (g != f && strings.Contains(f, g))
		}
		if !shorter && !slices.Contains(forms, f) {
			forms = append(forms, f)
		}
	}
	return forms
}

// telling is how many consecutive characters of a secret give it away.
const telling = 7

// parts are the parts of secrets that give them away.
type parts struct {
	*finder

	of []part // by the number of the pattern
}

// part is the position of a part of a secret: the secret's number, and the range of characters.
type part struct{ secret, from, to int }

// telltales returns the parts of secrets that give them away, in the form encoding, in which "+" is a space.
func telltales(secrets []string) parts {
	var all parts
	var patterns [][]byte
	for i, secret := range secrets {
		characters := []rune(strings.ReplaceAll(secret, "+", " "))
		size := min(telling, len(characters))
		for from := range len(characters) - size + 1 {
			text := string(characters[from : from+size])
			frame := strings.Contains(text, "--") || strings.Contains("PRIVATE KEY", strings.TrimSpace(text)) // the frame of a PEM key
			if len(text) < 3 || plain(text) || frame {
				continue
			}
			patterns = append(patterns, []byte(text))
			all.of = append(all.of, part{i, from, from + size})
		}
	}
	all.finder = newFinder(patterns)
	return all
}

// look reports a problem if a part of a secret can be read in an output.
func (s *searcher) look(output []byte, where string, r *Result) {
	if s.parts.finder == nil {
		s.parts = telltales(s.known)
	}
	for _, text := range texts(output) {
		for _, reading := range Readings(text) {
			for i := range s.parts.in([]byte(strings.ReplaceAll(reading, "+", " "))) {
				p := s.parts.of[i]
				r.problem(HiddenSecret, nil, "characters %d to %d of secret %d can be read in %s", p.from, p.to, p.secret, where)
				return
			}
		}
	}
}

// plain reports whether a part of a secret says nothing. Salesforce's sessions begin with an id full of zeros, as all its ids are.
func plain(part string) bool {
	different := map[rune]bool{}
	for _, r := range part {
		different[r] = true
	}
	return len(part) >= telling && len(different) < 4
}

// texts returns the texts in a line of JSON, or the whole output if it is not JSON.
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

// Readings returns a text and what it says when up to two of the usual encodings, one upon the other, are undone.
func Readings(text string) []string {
	all, seen := []string{text}, map[string]bool{text: true}
	for done, depth := 0, 0; depth < 2; depth++ {
		next := all[done:]
		done = len(all)
		for _, one := range next {
			for _, reading := range decoded(one) {
				if !seen[reading] {
					seen[reading] = true
					all = append(all, reading)
				}
			}
		}
	}
	return all
}

// What the usual encodings look like. The regular expressions do not depend on how the connectors find the same.
var (
	escapedCharacter = regexp.MustCompile(`\\u[0-9a-fA-F]{4}`)
	escapedOctet     = regexp.MustCompile(`\\x[0-9a-fA-F]{2}`)
	escapedSign      = regexp.MustCompile(`\\([/"\\])`)
	percentOctet     = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	base64Run        = regexp.MustCompile(`[0-9A-Za-z+/_-]{8,}`)
	base64Standard   = strings.NewReplacer("-", "+", "_", "/")
)

// decoded returns what text says when one of the usual encodings is undone everywhere.
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
		escapedCharacter.ReplaceAllStringFunc(text, number(2, character)),
		escapedOctet.ReplaceAllStringFunc(text, number(2, character)),
		escapedSign.ReplaceAllString(text, "$1"),
		html.UnescapeString(text),
		percentOctet.ReplaceAllStringFunc(text, number(1, octet)),
		percentOctet.ReplaceAllStringFunc(text, number(1, character)), // percent-encoded Latin-1
	}
	for _, run := range base64Run.FindAllString(text, -1) {
		run = base64Standard.Replace(run)
		for skip := range 4 {
			if bytes, _ := base64.RawStdEncoding.DecodeString(run[skip:]); len(bytes) > 0 {
				all = append(all, string(bytes))
			}
		}
	}
	return all
}

// searcher searches outputs for secrets.
type searcher struct {
	known   []string
	is      map[string]bool // set of known
	phrases []string
	forms   [][]byte
	finder  *finder         // of the forms; nil if forms were added since
	parts   parts           // of known; without a finder if secrets were added since
	learnt  func() []string // returns more secrets; may be nil
}

func newSearcher(o Options) *searcher {
	s := &searcher{learnt: o.Learnt, is: map[string]bool{}}
	s.add(o.Secrets)
	for _, phrase := range o.Phrases {
		s.phrases = append(s.phrases, phrase)
		s.spell(phrase)
	}
	return s
}

// spell adds the forms of a secret to the search.
func (s *searcher) spell(secret string) {
	for _, form := range Forms(secret) {
		s.forms = append(s.forms, []byte(form))
	}
	s.finder, s.parts = nil, parts{}
}

func (s *searcher) add(secrets []string) {
	for _, secret := range secrets {
		if s.is[secret] {
			continue
		}
		s.is[secret] = true
		s.known = append(s.known, secret)
		s.spell(secret)
	}
}

// scan reports a problem for every secret in an output. The problem's text does not contain the secret. In a connector's own words (logs, errors, the
// answer to a check, stderr) it also reports a part of a secret that can be read with the usual encodings undone.
func (s *searcher) scan(output []byte, where string, r *Result) {
	if s.learnt != nil {
		s.add(s.learnt())
	}
	if s.finder == nil {
		s.finder = newFinder(s.forms)
	}
	var found map[int]bool
	for i, at := range s.finder.in(output) {
		if found[i] {
			continue
		}
		if found == nil {
			found = map[int]bool{}
		}
		found[i] = true
		rule, form := HiddenSecret, string(s.forms[i])
		if s.is[form] || slices.Contains(s.phrases, form) {
			rule = PlainSecret
		}
		r.problem(rule, nil, "a secret (form %d) is in %s, after: %s", i, where, clip(output[max(0, at-80):at]))
	}
	if len(found) == 0 && (where == "stderr" || inWords(output)) {
		s.look(output, where, r)
	}
}

// inWords reports whether a line is a message with words of the connector's own. Other messages may be very numerous.
func inWords(line []byte) bool {
	for _, kind := range []string{`"type":"LOG"`, `"type":"ERROR"`, `"type":"CONNECTION_STATUS"`} {
		if bytes.Contains(line[:min(len(line), 100)], []byte(kind)) {
			return true
		}
	}
	return bytes.Contains(line[:min(len(line), 100)], []byte(`"type":"TRACE"`)) && bytes.Contains(line, []byte(`"failure_type"`))
}
