package record

import (
	"fmt"
	"slices"
)

// Prefer says which member is used if several become Field: the one at Path, if the record has it. Path is made of the source's own names from the
// top of the record, separated by dots. Otherwise the first one is used, as without a Prefer.
type Prefer struct{ Field, Path string }

func (Prefer) names(*compiler) {}

func (e Prefer) values(c *compiler) {
	col := c.field(e.Field)
	if col.source != "" || e.Path == "" {
		panic(fmt.Sprintf("record: a Prefer without a path, or a second one for %q", e.Field))
	}
	col.source = e.Path
}

// chosen reports whether to write the member at c to the column, which has a source. It accepts the first member until one comes from that source.
// The record is then written again, with only the member from the source.
func (w *writer) chosen(col *column, c *cursor) bool {
	only := slices.Contains(w.only, col.index)
	if !only && !w.met(col.index) {
		return true
	}
	var buffer [64]byte
	path := c.appendKey(append(buffer[:0], w.memory.path...))
	documented := string(path) == col.source
	if w.again && only {
		return documented && !w.met(col.index)
	}
	if documented && !only {
		w.only = append(w.only, col.index)
	}
	return true // it counts as a repeat
}

// restart makes w write the record again, using what it learnt in w.only.
func (w *writer) restart() {
	w.dst, w.again = w.dst[:w.start], true
	clear(w.seen[:])
	clear(w.beyond)
	w.memory.names.clear()
}

// met reports whether the column with index i has been met.
func (w *writer) met(i int) bool {
	if i >= 64*len(w.seen) {
		return w.beyond[i]
	}
	return w.seen[i/64]&(1<<(i%64)) != 0
}

// warn counts a problem with a column once for each record.
func (w *writer) warn(c *column, problem string) {
	if !w.again || slices.Contains(w.only, c.index) {
		w.shape.warn(c.name, problem)
	}
}
