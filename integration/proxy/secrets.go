package proxy

import (
	"bytes"
	"crypto/md5" // an API that takes the MD5 of a password makes that as good as the password
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// The shortest texts that are blanked: what is shorter is everywhere. What is learnt may be no secret at all.
const (
	shortest       = 4
	shortestLearnt = 6
)

// secrets are what no recording and no message may show. Safe for concurrent use.
type secrets struct {
	mu    sync.Mutex
	known map[string]bool
}

func newSecrets(given []string) *secrets {
	s := &secrets{known: map[string]bool{}}
	for _, secret := range given {
		s.add(secret, shortest)
	}
	return s
}

func (s *secrets) add(secret string, least int) {
	secret = strings.TrimSpace(secret)
	if len(secret) < least || strings.Contains(secret, mark) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[secret] = true
}

// blank returns a text with the mark in the place of secrets.
func (s *secrets) blank(text string) string { return s.substitution(inText).text(text) }

// substitution puts something in the place of each secret known now, in whatever encoding it is written.
func (s *secrets) substitution(put func(found []byte) []byte) *substitution {
	var needles [][]byte
	longest := 0
	s.mu.Lock()
	defer s.mu.Unlock()
	for secret := range s.known {
		for _, form := range forms(secret) {
			needles = append(needles, folded([]byte(form)))
			longest = max(longest, len(form))
		}
	}
	return &substitution{put: put, most: longest * widest, find: func(text []byte) (all []stretch) {
		for _, v := range views(text) {
			v.text = folded(v.text)
			for _, needle := range needles {
				all = append(all, v.find(needle)...)
			}
		}
		return all
	}}
}

// inText returns what stands for a secret in a text.
func inText([]byte) []byte { return []byte(mark) }

// inAnswer returns what stands for a secret in an answer: the mark, or as many ones for digits, which may be a number of JSON.
func inAnswer(found []byte) []byte {
	if len(bytes.Trim(found, "0123456789")) == 0 {
		return bytes.Repeat([]byte("1"), len(found))
	}
	return inText(found)
}

// credential reports whether a parameter, a member or a header of that name is a credential, as far as names tell. What leads to the next page is
// none, although many call it a token.
func credential(name string) bool {
	name = strings.NewReplacer("-", "", "_", "", ".", "", " ", "").Replace(strings.ToLower(name))
	switch name {
	case "key", "sig", "pass", "pwd", "auth", "sid":
		return true
	}
	return credentialWords.MatchString(name) && !pageWords.MatchString(name)
}

var (
	credentialWords = regexp.MustCompile(`token|secret|password|passwd|senha|apikey|accesskey|privatekey|authorization|signature|` +
		`chave|codigoacesso|sessionid|jwt|assertion|credential`)
	pageWords = regexp.MustCompile(`page|next|cursor|continuation|sync`)
)

// learn adds the credentials of a request.
func (s *secrets) learn(c *call) {
	for name, values := range c.header {
		for _, value := range values {
			s.learnHeader(name, value)
		}
	}
	if password, ok := c.seen.User.Password(); ok {
		s.add(password, shortest)
	}
	for name, value := range c.parameters() {
		if credential(name) {
			var text string
			if json.Unmarshal([]byte(value), &text) == nil {
				value = text
			}
			s.add(value, shortestLearnt)
		}
	}
	s.learnJSON(c.body)
}

func (s *secrets) learnHeader(name, value string) {
	switch name {
	case "Cookie":
		cookies, _ := http.ParseCookie(value) // what is none is no secret either
		for _, cookie := range cookies {
			s.add(cookie.Value, shortestLearnt)
		}
	case "Authorization", "Proxy-Authorization":
		scheme, rest, both := strings.Cut(value, " ")
		if !both {
			rest = scheme
		}
		s.add(rest, shortestLearnt)
		if plain, err := base64.StdEncoding.DecodeString(rest); err == nil && strings.EqualFold(scheme, "basic") {
			user, password, _ := strings.Cut(string(plain), ":")
			s.add(password, shortest)
			if len(password) < shortest { // a key in the place of the user
				s.add(user, shortestLearnt)
			}
		}
	default:
		if credential(name) || strings.Contains(strings.ToLower(name), "auth") || strings.HasSuffix(strings.ToLower(name), "key") {
			s.add(strings.TrimPrefix(value, "Bearer "), shortestLearnt)
		}
	}
}

// learnAnswer adds what a login hands out: cookies, and members with the names of credentials.
func (s *secrets) learnAnswer(header http.Header, body []byte) {
	for _, line := range header.Values("Set-Cookie") {
		if cookie, err := http.ParseSetCookie(line); err == nil {
			s.add(cookie.Value, shortestLearnt)
		}
	}
	s.learnJSON(body)
}

// learnJSON adds the texts of JSON that have the names of credentials, at any depth.
func (s *secrets) learnJSON(body []byte) {
	var value any
	if json.Unmarshal(body, &value) != nil {
		return
	}
	var walk func(value any)
	walk = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, element := range v {
				walk(element)
			}
		case map[string]any:
			for name, member := range v {
				if text, ok := member.(string); ok && credential(name) {
					s.add(text, shortestLearnt)
				}
				walk(member)
			}
		}
	}
	walk(value)
}

// piece is how many characters of a secret are looked for at once, at most: of a long one, each piece gives something away.
const piece = 32

// forms returns what is looked for of a secret: its pieces, in UTF-8 and in Latin-1, and those in base64 amid other text and in hexadecimal
// digits; and its MD5.
func forms(secret string) []string {
	sum := md5.Sum([]byte(secret))
	all := []string{hex.EncodeToString(sum[:]), fmt.Sprintf("%X", sum)}
	characters := []rune(secret)
	for part := range slices.Chunk(characters, max(1, len(characters)/max(1, len(characters)/piece))) {
		text := string(part)
		if len(text) < shortest {
			continue
		}
		all = append(all, text, latin1(text), hex.EncodeToString([]byte(text)), fmt.Sprintf("%X", text))
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			all = append(all, encoding.EncodeToString([]byte(text)), encoding.WithPadding(base64.NoPadding).EncodeToString([]byte(text)))
			for before := range 3 { // without the characters that say something of what is before and behind
				amid := encoding.WithPadding(base64.NoPadding).EncodeToString(append(make([]byte, before), text...))
				all = append(all, amid[(before*8+5)/6:(before+len(text))*8/6])
			}
		}
	}
	return all
}

// latin1 returns a text in Latin-1, or the text where that has not all of its characters.
func latin1(text string) string {
	var b []byte
	for _, r := range text {
		if r > 0xff {
			return text
		}
		b = append(b, byte(r))
	}
	return string(b)
}

// quoted returns a text within a string of JSON.
func quoted(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil { // a string always marshals
		return text
	}
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), `"`), "\"\n")
}
