package destination

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// Kind is what a field may hold. Schema is its JSON Schema. Read turns a value into the text that is sent; the value is never null or blank, nor a
// text with U+FFFD or U+0000. Read's error continues "field ", says what the value must be and does not repeat it. Same returns a form of the text
// sent that is equal for two texts of the same meaning; if it is nil, that is the text itself.
type Kind struct {
	Schema map[string]any
	Read   func(record.Value) (string, error)
	Same   func(string) string
}

// same reports whether what an API gives back means what was sent to it. Case does not matter, because many APIs ignore it in look-ups.
func (k Kind) same(sent, given string) bool {
	form := func(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }
	if k.Same != nil {
		form = k.Same
	}
	return strings.EqualFold(form(sent), form(given))
}

// Text returns the kind for any text, without the white space around it. A whole number is accepted too.
func Text() Kind {
	return Kind{Schema: map[string]any{"type": "string"}, Read: text}
}

// Matching returns the kind for text that matches a regular expression. what describes it in words, such as "an id of 15 or 18 characters".
func Matching(expression, what string) Kind {
	pattern := regexp.MustCompile(expression)
	return Kind{
		Schema: map[string]any{"type": "string", "pattern": expression},
		Read: func(v record.Value) (string, error) {
			s, err := text(v)
			if err == nil && !pattern.MatchString(s) {
				err = errors.New("must be " + what)
			}
			return s, err
		},
	}
}

// OneOf returns the kind for one of some texts.
func OneOf(values ...string) Kind {
	return Kind{
		Schema: map[string]any{"type": "string", "enum": values},
		Read: func(v record.Value) (string, error) {
			s, err := text(v)
			if err != nil {
				return "", err
			}
			if !slices.Contains(values, s) {
				return "", fmt.Errorf("must be one of %s", strings.Join(values, ", "))
			}
			return s, nil
		},
	}
}

// Money returns the kind for an amount, given as text or as a number. It is sent with a point and two decimals.
func Money() Kind {
	return Kind{Schema: map[string]any{"type": []string{"number", "string"}, "examples": []any{"1200.40"}}, Read: money}
}

var (
	wholeNumber   = regexp.MustCompile(`^-?\d+$`)
	writtenAmount = regexp.MustCompile(`^\d{1,15}(\.\d{1,2})?$`)
	numericAmount = regexp.MustCompile(`^\d{1,15}(\.\d+)?([eE][+-]?\d{1,2})?$`) // 1.2e3, 350.150; small exponents, since the digits are written out
)

func text(v record.Value) (string, error) {
	if raw := v.Raw(); raw[0] != '"' && !wholeNumber.Match(raw) {
		return "", errors.New("must be text")
	}
	return strings.TrimSpace(v.Text()), nil
}

func money(v record.Value) (string, error) {
	wrong := errors.New("must be an amount such as 1200.40: a point before at most two decimals, nothing between the thousands, not negative")
	written := writtenAmount
	if v.Raw()[0] != '"' {
		written = numericAmount
	}
	s := strings.TrimSpace(v.Text())
	if !written.MatchString(s) {
		return "", wrong
	}
	amount, ok := new(big.Rat).SetString(s)
	if !ok || !new(big.Rat).Mul(amount, big.NewRat(100, 1)).IsInt() || amount.Cmp(big.NewRat(1e15, 1)) >= 0 {
		return "", wrong
	}
	return amount.FloatString(2), nil
}
