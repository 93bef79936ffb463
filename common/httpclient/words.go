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
	minExcerptSource = 4 << 10 // bytes of a text that are looked at for it, and more where they do not give it
	maxExcerptSource = 64 << 10
	maxAddress       = 256 // bytes of an e-mail address, the longest of what Personal finds
)

// excerpt returns the beginning of a text as a message may show it, see Response.Excerpt.
func (c *Client) excerpt(text []byte) string { return excerpt(c.o.Redact, text) }

// Excerpt returns text, out of the answer, as a message may show it: in one line, without secrets (those that are known, and what stands under names
// of secrets), without personal data, without rows, and with at most 300 characters.
func (res *Response) Excerpt(text string) string { return excerpt(res.redact, []byte(text)) }

// excerpt looks at no more of text than it needs. What it cuts off may be the rest of a secret: text is redacted in the form in which it is cut, or
// loses what may be the beginning of one there. As it came it is redacted too: a broken word or letter may be one of a secret.
func excerpt(r *redact.Redactor, text []byte) string {
	if len(text) == 0 { // as of nearly all answers
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
	// data is how the data begins that a sentence quotes: objects of JSON and what languages print for them, members without the object around
	// them, and XML.
	data = regexp.MustCompile(`\{\s*(?:\\*["']\pL|[\w-]+\s*[:=]|[{\[])|\[\s*[{\[]|\[\\*["']?\w+\\*["']?\]\s*=>|` +
		`\\*"[\pL_][^"\\]*\\*"\s*:\s*(?:\\*["\d{\[]|-\d)|<\w[^<>]*=\s*\\*["']|<\w[^<>]*>[^<>]*</`)
	// form is fields of a form, of which there is often one in an address.
	form = regexp.MustCompile(`[\w.%[\]-]+=[^\s&"'<>]*(?:&(?:amp;)?[\w.%[\]-]+=[^\s&"'<>]*)+`)
)

// withoutData returns text without the data in it, and without what comes behind data: where it ends is not known.
func withoutData(text string) string {
	if at := data.FindStringIndex(text); at != nil {
		text = text[:at[0]] + "…"
	}
	return form.ReplaceAllLiteralString(text, "…")
}

// Words returns what the API says, as a part of a sentence and redacted: its own sentence in an answer, or else how much it answered with, and in
// which form. What may be rows, and, of a request that is Unsigned, what may be a session or a token, is never told.
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

// said returns the sentence in an answer, or "": in JSON what stands under a name that APIs use for it, of a page of HTML its title, and a text that
// is nothing but a sentence. It is looked for once: to blank secrets in it takes longer than all else that an error does.
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

// unread says of an answer that is not JSON how large it is, and what it says to be.
func (res *Response) unread() string {
	text := fmt.Sprintf("%d bytes that are not JSON", len(res.Text))
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil {
		text += " (" + res.Excerpt(kind) + ")"
	}
	return text
}

// reasons returns the names under which APIs say what went wrong, the telling ones first.
func reasons() []string {
	return []string{
		"error_description", "message", "Message", "mensagem", "Mensagem", "mensagens", "msg", "errorMessage", "detail", "reason", "error", "Error", "erro",
		"Erro", "errors", "erros", "Erros", "title", "errorCode",
	}
}

// reason returns the sentence in an error's body, or "". The objects in a list are rows if they have members that errors do not have.
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

// under returns the first text under one of the names of reasons: directly, as the first of a list, or under such a name again.
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

// title returns the title of a page of HTML, or its first heading, "" where it has neither; ok is whether text is such a page.
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

// written is what data is written with, and what is no text: signs of JSON, XML, CSV, forms and programs, several lines, bytes, and words that are
// too long for any language, as base64 is.
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
