package httpclient

import (
	"bytes"
	"fmt"
	"html"
	"mime"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

const (
	maxExcerpt       = 300     // characters
	minExcerptSource = 4 << 10 // bytes of a text that are searched for an excerpt, at first
	maxExcerptSource = 64 << 10
	maxAddress       = 256 // bytes of an e-mail address, the longest thing that Personal finds
)

// excerpt returns the beginning of a text in a form that a message may show; see Response.Excerpt.
func (c *Client) excerpt(text []byte) string { return excerpt(c.o.Redact, text) }

// Excerpt returns text from the answer in a form that a message may show: in one line, without known secrets and values under names of secrets,
// without personal data and rows, and with at most 300 characters.
func (res *Response) Excerpt(text string) string { return excerpt(res.redact, []byte(text)) }

// excerpt examines no more of text than it needs. A cut may leave a part of a secret. So text is redacted in the form in which it is cut, and loses
// what may be the beginning of a secret there. It is also redacted as it came, because a broken word or letter may belong to a secret.
func excerpt(r *redact.Redactor, text []byte) string {
	if len(text) == 0 { // as for nearly all answers
		return ""
	}
	for size := minExcerptSource; ; size *= 4 {
		part := func(s string) string {
			s = r.Beginning(s)
			return s[:max(0, len(s)-maxAddress)]
		}
		if size = min(size, maxExcerptSource); size >= len(text) {
			size, part = len(text), r.String
		}
		s := strings.ToValidUTF8(r.Quote(string(text[:size])), "\uFFFD")
		s = redact.Personal(withoutData(part(strings.Join(strings.Fields(s), " "))))
		if runes := []rune(s); len(runes) > maxExcerpt {
			return string(runes[:maxExcerpt-1]) + "…"
		}
		if size == len(text) || size == maxExcerptSource {
			return s
		}
	}
}

var (
	// data matches the beginning of data that a sentence quotes: JSON objects and what languages print for them, members without the object around them,
	// and XML.
	data = regexp.MustCompile(`\{\s*(?:\\*["']\pL|[\w-]+\s*[:=]|[{\[])|\[\s*[{\[]|\[\\*["']?\w+\\*["']?\]\s*=>|` +
		`\\*"[\pL_][^"\\]*\\*"\s*:\s*(?:\\*["\d{\[]|-\d)|<\w[^<>]*=\s*\\*["']|<\w[^<>]*>[^<>]*</`)
	// form matches the fields of a form, which addresses often have.
	form = regexp.MustCompile(`[\w.%[\]-]+=[^\s&"'<>]*(?:&(?:amp;)?[\w.%[\]-]+=[^\s&"'<>]*)+`)
)

// withoutData returns text without the data in it, and without anything after it, because the end of the data is unknown.
func withoutData(text string) string {
	if at := data.FindStringIndex(text); at != nil {
		text = text[:at[0]] + "…"
	}
	return form.ReplaceAllLiteralString(text, "…")
}

// Words returns what the API says, redacted, as part of a sentence: its own sentence in an answer, or else the length and form of the answer. It
// never includes possible rows or, if the request is Unsigned, a possible session or token.
func (res *Response) Words() string {
	switch said := res.said(); {
	case said != "":
		return `the API answered "` + said + `"`
	case len(bytes.TrimSpace(res.Text)) == 0:
		return "the API gave no reason"
	case res.Body.Exists():
		return fmt.Sprintf("the API answered with %d bytes of JSON that give no reason", len(res.Text))
	default:
		return "the API answered with " + res.unread()
	}
}

// said returns the sentence in an answer, or "": in JSON the value under a name that APIs use for it, of an HTML page its title, and a text if it is
// only a sentence. It is computed once, because redacting it takes longer than everything else that an error does.
func (res *Response) said() string {
	if res.sentence == nil {
		sentence := res.findSentence()
		res.sentence = &sentence
	}
	return *res.sentence
}

func (res *Response) findSentence() string {
	text := res.Text
	switch {
	case res.Body.IsObject(), res.Body.IsArray():
		return res.Excerpt(reason(res.Body))
	case res.unsigned:
		return ""
	case res.Body.Exists():
		text = []byte(res.Body.Text())
	}
	if said, ok := title(text); ok {
		return res.Excerpt(said)
	}
	return res.Excerpt(plain(text))
}

// unread describes an answer that is not JSON: its length and its declared type.
func (res *Response) unread() string {
	text := fmt.Sprintf("%d bytes that are not JSON", len(res.Text))
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil {
		text += " (" + res.Excerpt(kind) + ")"
	}
	return text
}

// reasons returns the names under which APIs say what went wrong, the most informative ones first.
func reasons() []string {
	return []string{
		"error_description", "message", "Message", "mensagem", "Mensagem", "mensagens", "msg", "errorMessage", "detail", "reason", "error", "Error", "erro",
		"Erro", "errors", "erros", "Erros", "title", "errorCode",
	}
}

// reason returns the sentence in an error's body, or "". Objects in a list are rows if they have members that errors do not have.
func reason(body record.Value) string {
	if !body.IsArray() {
		return under(body)
	}
	known := append(reasons(), "code", "status", "field", "fields", "campo", "Campo")
	for first := range body.Elements() {
		for name := range first.Members() {
			if !slices.Contains(known, name) {
				return ""
			}
		}
		return under(first)
	}
	return ""
}

// under returns the first text under one of the names in reasons: directly, as the first of a list, or under such a name again.
func under(object record.Value) string {
	for _, name := range reasons() {
		v := object.Get(name)
		for first := range v.Elements() {
			v = first
			break
		}
		switch {
		case bytes.HasPrefix(v.Raw(), []byte(`"`)):
			if text := v.Text(); text != "" {
				return text
			}
		case v.IsObject():
			if text := under(v); text != "" {
				return text
			}
		}
	}
	return ""
}

var (
	page    = regexp.MustCompile(`(?is)^(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+html|html|head|title|body|h1)\b`)
	titled  = regexp.MustCompile(`(?is)<title\b[^>]*>([^<]+)</title`)
	heading = regexp.MustCompile(`(?is)<h[1-6]\b[^>]*>([^<]+)</h`)
)

// title returns the title of an HTML page, or its first heading, or "" if it has neither. ok reports whether text is such a page.
func title(text []byte) (said string, ok bool) {
	text = bytes.TrimPrefix(text[:min(len(text), maxExcerptSource)], []byte("\ufeff"))
	if !page.Match(text) {
		return "", false
	}
	for _, where := range []*regexp.Regexp{titled, heading} {
		if found := where.FindSubmatch(text); found != nil && len(bytes.TrimSpace(found[1])) > 0 {
			return html.UnescapeString(string(found[1])), true
		}
	}
	return "", true
}

// written matches what only data has: signs of JSON, XML, CSV, forms and programs, several lines, bytes, and words that are too long for any
// language, such as base64.
var written = regexp.MustCompile(`[{}\[\]<>=|\\\pC]|"\s*:|;\S|,[^\s\d]|[^\s\d],\d|\S{41}`)

// plain returns text if it is a sentence, and "" if it may be data.
func plain(text []byte) string {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	if len(text) > utf8.UTFMax*maxExcerpt {
		return ""
	}
	said := strings.ToValidUTF8(string(text), "\uFFFD")
	length, broken := utf8.RuneCountInString(said), strings.Count(said, "\uFFFD")
	if length > maxExcerpt || 4*broken > length || written.MatchString(said) {
		return ""
	}
	return said
}
