package snapproperty

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// group is a sequence of terms joined by AND, or by OR. The zero value lets everything through.
type group struct {
	or    bool
	terms []term
}

// term is a comparison, or a group in parentheses.
type term struct {
	group    *group
	field    *field
	operator string    // = and <> for IN and NOT IN as well
	values   []literal // one, but for IN and NOT IN
}

// literal is what a field is compared with.
type literal struct {
	value
	until float64 // the end of the day, or days, that it stands for
}

// token is a word, a literal or a sign of a filter.
type token struct {
	kind byte // 'w' word, '#' number or time, '\'' text, otherwise the sign itself; 0 at the end
	text string
}

func (t token) is(word string) bool { return t.kind == 'w' && strings.EqualFold(t.text, word) }

// show returns how the token stands in a message.
func (t token) show() string {
	if t.kind == 0 {
		return "<EOF>"
	}
	return "'" + t.text + "'"
}

// scan cuts a filter into tokens.
func scan(s string) (tokens []token, err error) {
	for i := 0; i < len(s); {
		c, from := s[i], i
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case c == '\'':
			t, n, err := quoted(s[i:])
			if err != nil {
				return nil, err
			}
			tokens, i = append(tokens, token{'\'', t}), i+n
			continue
		case letter(c):
			for i < len(s) && (letter(s[i]) || digit(s[i]) || s[i] == '.' || s[i] == ':') {
				i++
			}
			tokens = append(tokens, token{'w', s[from:i]})
		case digit(c) || (c == '-' || c == '+') && i+1 < len(s) && digit(s[i+1]):
			for i++; i < len(s) && (digit(s[i]) || strings.IndexByte(".:TZ+-", s[i]) >= 0); {
				i++
			}
			tokens = append(tokens, token{'#', s[from:i]})
		case strings.IndexByte("<>=", c) >= 0:
			i++
			if two := s[from:min(i+1, len(s))]; two == "<=" || two == ">=" || two == "<>" {
				i++
			}
			tokens = append(tokens, token{'=', s[from:i]})
		case strings.IndexByte("(),", c) >= 0:
			i++
			tokens = append(tokens, token{c, s[from:i]})
		default:
			return nil, fmt.Errorf("line 1:%d no viable alternative at character '%c'", i, []rune(s[i:])[0])
		}
	}
	return tokens, nil
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// quoted returns the text at the beginning of s, without its quotes and escapes, and how long it is with them.
func quoted(s string) (text string, n int, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'':
			return b.String(), i + 1, nil
		case '\\':
			i++
			escapes := map[byte]byte{'\'': '\'', '\\': '\\', '"': '"', 'n': '\n', 'r': '\r', 't': '\t'}
			if i == len(s) || escapes[s[i]] == 0 {
				return "", 0, fmt.Errorf("Illegal string literal: invalid string escape sequence") //nolint:staticcheck // Salesforce's text
			}
			b.WriteByte(escapes[s[i]])
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, fmt.Errorf("line 1:%d mismatched character '<EOF>' expecting '''", len(s))
}

// parser reads the filters of a search.
type parser struct {
	s      *Simulator
	tokens []token
	at     int
}

// parse reads filters, one put after the other. An error is the text of Salesforce's.
func (s *Simulator) parse(filters []*string) (*group, error) {
	var all strings.Builder
	for _, filter := range filters {
		all.WriteString(*filter)
		all.WriteByte(' ')
	}
	tokens, err := scan(all.String())
	if err != nil {
		return nil, err
	}
	p := &parser{s: s, tokens: tokens}
	// What stands before the filters is true for every property: beside an OR nothing else matters.
	return p.sequence(true)
}

func (p *parser) peek() token {
	if p.at >= len(p.tokens) {
		return token{}
	}
	return p.tokens[p.at]
}

func (p *parser) next() token {
	t := p.peek()
	p.at++
	return t
}

func unexpected(t token) error { return fmt.Errorf("unexpected token: %s", t.show()) }

// sequence reads terms up to the end or a closing parenthesis. At the top something true stands before the first operator.
func (p *parser) sequence(top bool) (*group, error) {
	g := &group{}
	joined := ""
	if top {
		g.terms = append(g.terms, term{group: &group{}})
	} else if err := p.term(g); err != nil {
		return nil, err
	}
	for {
		t := p.peek()
		switch {
		case t.kind == 0 && top, t.kind == ')' && !top:
			g.or = joined == "OR"
			return g, nil
		case t.is("AND") || t.is("OR"):
			operator := strings.ToUpper(t.text)
			if joined != "" && joined != operator {
				return nil, unexpected(t)
			}
			joined = operator
			p.at++
		case t.kind == 'w' && p.at+2 < len(p.tokens):
			// The operator is missing, and what the message names is what the field is compared with.
			return nil, unexpected(p.tokens[p.at+2])
		default:
			return nil, unexpected(t)
		}
		if err := p.term(g); err != nil {
			return nil, err
		}
	}
}

// term reads a comparison, or a group in parentheses, into g.
func (p *parser) term(g *group) error {
	t := p.next()
	if t.kind == '(' && !p.s.with.NoGroups {
		inner, err := p.sequence(false)
		if err != nil {
			return err
		}
		p.at++ // the parenthesis that ended it
		g.terms = append(g.terms, term{group: inner})
		return nil
	}
	if t.kind != 'w' {
		return unexpected(t)
	}
	f, err := p.s.column(t.text)
	if err != nil {
		return err
	}
	operator := p.next()
	one := term{field: f, operator: strings.ToUpper(operator.text)}
	switch {
	case operator.kind == '=':
		ordered := one.operator != "=" && one.operator != "<>"
		if ordered && f.kind == truth {
			return fmt.Errorf("invalid operator on boolean field")
		}
		if ordered && f.kind == identity && p.s.with.NoIdOrder {
			return unexpected(operator)
		}
		v, err := p.literal(f)
		if err != nil {
			return err
		}
		if ordered && v.null {
			return unexpected(token{'w', "null"})
		}
		one.values = []literal{v}
	case operator.is("IN"):
		one.operator = "="
		one.values, err = p.list(f)
	case operator.is("NOT") && p.peek().is("IN"):
		p.at++
		one.operator = "<>"
		one.values, err = p.list(f)
	default:
		return unexpected(operator)
	}
	g.terms = append(g.terms, one)
	return err
}

// column returns the field of a name in any case, where the service knows it.
func (s *Simulator) column(name string) (*field, error) {
	f := s.filters[strings.ToLower(name)]
	if f == nil || f.name == "CreatedDate" && s.with.NoCreated || f.hidden && s.with.NoModified {
		//nolint:staticcheck // Salesforce's text
		return nil, fmt.Errorf("No such column '%s' on entity 'snap_brok__Imovel__c'. If you are attempting to use a custom field, "+
			"be sure to append the '__c' after the custom field name.", name)
	}
	return f, nil
}

// list reads the values of IN.
func (p *parser) list(f *field) (values []literal, err error) {
	if t := p.next(); t.kind != '(' {
		return nil, unexpected(t)
	}
	for {
		v, err := p.literal(f)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		switch t := p.next(); t.kind {
		case ',':
		case ')':
			return values, nil
		default:
			return nil, unexpected(t)
		}
	}
}

// literal reads a value of the field's kind.
func (p *parser) literal(f *field) (literal, error) {
	t := p.next()
	if t.kind != 'w' && t.kind != '#' && t.kind != '\'' {
		return literal{}, unexpected(t)
	}
	if t.is("null") {
		return literal{value: value{null: true}}, nil
	}
	should, quoted := "should not", f.kind == text || f.kind == identity
	if quoted {
		should = "should"
	}
	wrong := fmt.Errorf("value of filter criterion for field '%s' must be of type %s and %s be enclosed in quotes", f.name, f.kind, should)
	if quoted != (t.kind == '\'') {
		return literal{}, wrong
	}
	var l literal
	var err error
	ok := true
	switch f.kind {
	case text:
		l.text = t.text
	case identity:
		l.text, err = core(t.text)
	case number:
		var none error
		l.number, none = strconv.ParseFloat(t.text, 64)
		ok = t.kind == '#' && none == nil
	case truth:
		l.value = truthOf(t.is("true"))
		ok = t.is("true") || t.is("false")
	case moment:
		var from, to time.Time
		from, to, ok = when(t.text, p.s.with.Now(), p.s.zone)
		l.number, l.until = up(from), up(to)
	}
	if !ok {
		return literal{}, wrong
	}
	return l, err
}

// up returns the time in seconds; a fraction counts as the next one, so that comparing with whole seconds stays right for < and >=.
func up(t time.Time) float64 {
	if t.Nanosecond() > 0 {
		t = t.Add(time.Second)
	}
	return float64(t.Unix())
}

// fits tells whether the group lets a property through.
func (g *group) fits(p property) bool {
	for i := range g.terms {
		if g.terms[i].fits(p) == g.or {
			return g.or
		}
	}
	return !g.or || len(g.terms) == 0
}

func (t *term) fits(p property) bool {
	if t.group != nil {
		return t.group.fits(p)
	}
	v := t.field.value(p)
	if t.operator == "=" || t.operator == "<>" {
		among := slices.ContainsFunc(t.values, func(l literal) bool { return v.null == l.null && t.field.order(v, l) == 0 })
		return among == (t.operator == "=")
	}
	if v.null {
		return false
	}
	switch n := t.field.order(v, t.values[0]); t.operator {
	case "<":
		return n < 0
	case "<=":
		return n <= 0
	case ">":
		return n > 0
	default:
		return n >= 0
	}
}

// order compares a value with a literal; 0 also says that a moment is within the days that the literal stands for.
func (f *field) order(v value, l literal) int {
	if v.number > l.number && v.number < l.until {
		return 0
	}
	return f.compare(v, l.value)
}

// span narrows the indices from..to to those that comparisons of Id let through, where all terms must hold, and returns the others.
func (g *group) span(n int) (from, to int, rest *group) {
	from, to = 0, n
	if g.or && len(g.terms) > 1 {
		return from, to, g
	}
	rest = &group{}
	for _, t := range g.terms {
		switch {
		case t.group != nil && len(t.group.terms) == 0: // always true
		case t.field != nil && t.field.name == "Id" && (t.operator == ">" || t.operator == ">="):
			i := at(n, propertyID, t.values[0].text)
			if t.operator == ">" && i < n && propertyID(i)[:15] == t.values[0].text {
				i++
			}
			from = max(from, i)
		default:
			rest.terms = append(rest.terms, t)
		}
	}
	return min(from, to), to, rest
}
