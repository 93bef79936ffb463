package redact

import (
	"regexp"
	"slices"
	"strings"
)

// Quote returns String for what a server sent, which may hold secrets that the Redactor does not know. It also blanks values under names that say
// that they are secret ("senha", "access_token"), unless they contain white space, as sentences do, and all values under the names given to
// [Redactor.Hide]. It finds them in JSON, in JSON within a text, as Python and PHP print it, in XML and in forms, whole or cut off. In a sentence
// ("token: a1b2") it blanks only values with a digit, because others may be ordinary words ("senha: inválida").
func (r *Redactor) Quote(s string) string {
	if r == nil {
		return s
	}
	r.telling.Do(func() { r.told = telling() })
	s = r.told.ReplaceAllString(r.String(s), "${1}${2}"+Blank) // String comes first: a known secret may look like a name and its value
	if hidden := r.hidden.Load(); hidden != nil {
		s = hidden.ReplaceAllString(s, "${1}"+Blank)
	}
	return s
}

// Hide makes Quote blank the values under these names too. Names match in any case.
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

// telling matches values under names that say that they are secret. It leaves values with white space, because an error may say what is wrong with a
// member under the member's name. White space behind a word for the kind of credential ("bearer") does not count.
func telling() *regexp.Regexp {
	const kind = `(?:(?:bearer|basic|token)\s+)?`
	const words = `(?:senha|passw|segredo|secret|token|api[_-]?key|chave|credenc|credential|authorization|session)`
	members := under(`[\w.-]*`+words+`[\w.-]*`,
		`"`+kind+`(?:[^"\s\\]|\\\S)*(?:"|$)|'`+kind+`(?:[^'\s\\]|\\\S)*(?:'|$)|\\+"`+kind+`(?:[^"\s\\]|\\+[^"\s\\])*(?:\\+"|$)`)
	const u = unquoted
	// value is of four characters or more, one of them a digit.
	const value = `(?:` + u + `{3,}\d|\d` + u + `{3}|` + u + `\d` + u + `{2}|` + u + `{2}\d` + u + `)` + u + `*`
	return regexp.MustCompile(members.String() + `|(\b(?:\w+[_-])?` + words + `(?:word|wd|ial|[_-]?(?:id|key))?\s*:\s*` + kind + `)` + value)
}

// unquoted matches a character of a value without quotes.
const unquoted = `[^\s"'\\,;&<>{}\[\]]`

// under matches names with their values. Both are patterns; value is that of a value in quotes. The first group is all in front of the value.
func under(name, value string) *regexp.Regexp {
	member := `\\*["'](?:` + name + `)\\*["']\]?\s*(?::|=>?)\s*(?:[a-z]+\(\d+\)\s*)?(?:\[\s*)?`
	element, field := `<(?:`+name+`)(?:\s[^<>]*)?>`, `\b(?:`+name+`)=`
	return regexp.MustCompile(`(?is)(` + member + `|` + element + `|` + field + `)(?:` + value + `|` + unquoted + `+)`)
}
