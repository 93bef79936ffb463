package redact

import (
	"regexp"
	"slices"
	"strings"
)

// Quote returns String for what a server sent, in which there may be secrets that nobody has told. It also blanks values under names that say that
// they are secret ("senha", "access_token"), unless they have white space in them, as sentences do, and all values under the names of
// [Redactor.Hide]: in JSON, in JSON within a text, as Python and PHP print it, in XML and in forms, whole or cut off. In a sentence ("token: a1b2")
// it blanks those with a digit, since others may be a word of it ("senha: inválida").
func (r *Redactor) Quote(s string) string {
	if r == nil {
		return s
	}
	r.telling.Do(func() { r.told = telling() })
	s = r.told.ReplaceAllString(r.String(s), "${1}${2}"+Blank) // in this order: a secret that is known may look like a name and its value
	if hidden := r.hidden.Load(); hidden != nil {
		s = hidden.ReplaceAllString(s, "${1}"+Blank)
	}
	return s
}

// Hide makes Quote blank the values under these names too, in any case.
func (r *Redactor) Hide(names ...string) {
	if r == nil || len(names) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(r.names, names))))
	if len(all) == len(r.names) {
		return
	}
	r.names = all
	quoted := make([]string, len(r.names))
	for i, name := range r.names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	r.hidden.Store(under(strings.Join(quoted, "|"), `"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|\\+"(?:[^"\\]|\\+[^"\\])*(?:\\+")?|[\[{].*`))
}

// telling finds values under names that tell that they are secret. Those that have white space are left, but behind the word that says what kind of
// credential follows: an error says under a member's name what is wrong with it.
func telling() *regexp.Regexp {
	const kind = `(?:(?:bearer|basic|token)\s+)?`
	const name = `[\w.-]*(?:senha|passw|segredo|secret|token|api[_-]?key|chave|credenc|credential|authorization|session)[\w.-]*`
	members := under(name, `"`+kind+`(?:[^"\s\\]|\\\S)*(?:"|$)|'`+kind+`(?:[^'\s\\]|\\\S)*(?:'|$)|\\+"`+kind+`(?:[^"\s\\]|\\+[^"\s\\])*(?:\\+"|$)`)
	return regexp.MustCompile(members.String() + `|(\b` + name + `\s*:\s*` + kind + `)` + unquoted + `*\d` + unquoted + `*`)
}

// unquoted is a character of a value without quotes.
const unquoted = `[^\s"'\\,;&<>{}\[\]]`

// under finds names with their values, both of which are patterns, value that of one in quotes; the first group is all in front of the value.
func under(name, value string) *regexp.Regexp {
	member := `\\*["'](?:` + name + `)\\*["']\]?\s*(?::|=>?)\s*(?:[a-z]+\(\d+\)\s*)?(?:\[\s*)?`
	element, field := `<(?:`+name+`)(?:\s[^<>]*)?>`, `\b(?:`+name+`)=`
	return regexp.MustCompile(`(?is)(` + member + `|` + element + `|` + field + `)(?:` + value + `|` + unquoted + `+)`)
}
