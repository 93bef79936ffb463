package record

import "fmt"

// Put sets a member to a constant. It replaces the member of that name, or else is one of the last. Value is JSON.
type Put struct {
	Field string
	Value []byte
}

func (Put) names(*compiler) {}

func (e Put) values(c *compiler) {
	if e.Field == "" || !valid(e.Value) {
		panic(fmt.Sprintf("record: what is put as %q is not JSON", e.Field))
	}
	e.Value = appendCompact(nil, e.Value)
	c.last = append(c.last, c.set(c.column(e.Field), e))
}

func (e Put) write(w *writer, c *column, _ []byte) {
	if w.first(c.index) {
		w.key(c)
		w.dst = append(w.dst, e.Value...)
	}
}

func (e Put) lacking(w *writer, c *column) {
	if w.first(c.index) && !w.replaced(nil, c) {
		w.key(c)
		w.dst = append(w.dst, e.Value...)
	}
}
