package destination

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// unparsed is the member in which a source of this workspace keeps the values that did not fit their columns, by column.
const unparsed = "_unparsed"

// vocabulary maps the names of a record's members to the fields of an operation. Safe for concurrent use.
type vocabulary struct {
	operation *Operation
	exact     map[string]int // the field with that name
	like      map[string]int // the field for a name in another spelling, by likeness
	ignored   map[string]bool
}

// names returns the vocabulary of one of a's operations.
func (a *API) names(o *Operation) *vocabulary {
	v := &vocabulary{operation: o, exact: map[string]int{}, like: map[string]int{}, ignored: map[string]bool{}}
	for i, f := range o.Fields {
		for _, name := range []string{f.As, f.Name} {
			v.exact[name] = i
			v.like[likeness(name)] = i
			for _, spelling := range a.Spellings {
				before, after, _ := strings.Cut(spelling, "*")
				bare := strings.TrimSuffix(strings.TrimPrefix(name, before), after)
				v.like[likeness(bare)] = i
				v.like[likeness(before+bare+after)] = i
			}
		}
	}
	for _, name := range a.IgnoreFields {
		v.ignored[name] = true
	}
	return v
}

// likeness is equal for two names that differ only in case, accents, spaces, hyphens, underscores and other characters that are neither letters nor
// digits.
func likeness(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(name))
}

// resembles returns the field that may be meant by a name that no field has.
func (v *vocabulary) resembles(name string) (field string, ok bool) {
	i, ok := v.like[likeness(name)]
	if !ok {
		return "", false
	}
	return v.operation.Fields[i].Name, true
}

// mend returns what must be corrected in the settings beyond what the specification checks, or nil.
func (a *API) mend() error {
	for i := range a.Operations {
		v := a.names(&a.Operations[i])
		for n, name := range a.IgnoreFields {
			if field, ok := v.resembles(name); ok {
				return fault.Configf(`The configuration needs mending: "ignore_fields[%d]" is the field %s of %s, if in another spelling. `+
					"What an operation takes cannot be ignored: have the source give the field the name that the operation knows.",
					n, field, v.operation.Name)
			}
		}
	}
	if a.Receipts != "" && a.Journal != "" && resolved(a.Receipts) == resolved(a.Journal) {
		return fault.Configf(`The configuration needs mending: "receipts_path" and "journal_path" name the same file.`)
	}
	return nil
}

// given is what a record holds for an operation.
type given struct {
	values    []record.Value // by the number of the field; blank if the record lacks it
	wrong     []string       // by the number of the field: what is wrong with it, whatever its value is; "" if nothing is
	odd       string         // what else is wrong with the record
	strangers []string       // names of members that the operation does not know
}

// read takes a record apart. changes says what was lost of it before it arrived. A member counts even if its value is null, because it may have a
// value in the next record.
func (v *vocabulary) read(r record.Record, changes ...protocol.Change) given {
	g := given{values: make([]record.Value, len(v.operation.Fields)), wrong: make([]string, len(v.operation.Fields))}
	seen := map[string]bool{}
	for name, value := range r.Members() {
		i, known := v.exact[name]
		switch {
		case known && seen[name]:
			g.wrong[i] = "is given twice"
		case known && v.operation.Fields[i].Blank && holdsOnlyBlanks(value):
			g.wrong[i] = onlyBlanks
		case known && blank(value):
		case known && !blank(g.values[i]):
			g.wrong[i] = "is given twice, as " + v.operation.Fields[i].As + " too"
		case known:
			g.values[i] = value
		case name == unparsed:
			g.unparsed(v, value)
		case !v.ignored[name] && !strings.HasPrefix(name, "_airbyte_") && !strings.HasPrefix(name, "_ab_") && !seen[name]:
			g.strangers = append(g.strangers, name)
		}
		seen[name] = true
	}
	for _, c := range changes {
		why := "is not what the source had (meta.changes: " + short(c.Change) + ")"
		if c.Field == unparsed {
			g.odd = unparsed + " " + why
		}
		g.spoil(v, c.Field, why)
	}
	return g
}

// unparsed marks the fields among the values that did not fit their columns as wrong.
func (g *given) unparsed(v *vocabulary, values record.Value) {
	if !values.IsNull() && values.Raw()[0] != '{' {
		g.odd = unparsed + " must be an object"
	}
	for name := range values.Members() {
		g.spoil(v, name, "did not fit its column ("+unparsed+")")
	}
}

// spoil marks the field with that name, in any spelling, as wrong.
func (g *given) spoil(v *vocabulary, name, why string) {
	i, ok := v.exact[name]
	if !ok {
		i, ok = v.like[likeness(name)]
	}
	if ok {
		g.wrong[i] = why
	}
}

// strange returns the fault of a record with members that the operation does not know. They may narrow or annotate the order in a way that is
// unknown.
func (v *vocabulary) strange(record int, stream string, names []string) error {
	var quoted, meant []string
	for _, name := range names {
		quoted = append(quoted, fmt.Sprintf("%q", name))
		if field, ok := v.resembles(name); ok && !slices.Contains(meant, field) {
			meant = append(meant, field)
		}
	}
	what := "the field " + quoted[0]
	if len(quoted) > 1 {
		what = "the fields " + strings.Join(quoted, ", ")
	}
	then := "Take it out of the source or, if it means nothing for the operation, list it in ignore_fields."
	if len(meant) > 0 {
		then = "Perhaps " + strings.Join(meant, " and ") + " is meant; then give it that name in the source."
	}
	return fault.Configf("Record %d of the stream %q has %s, which %s does not know. The record was not carried out, nor is anything of this "+
		"stream behind it. %s", record, stream, short(what), v.operation.Name, then)
}
