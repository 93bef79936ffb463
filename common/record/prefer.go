package record

import (
	"fmt"
	"slices"
)

// Prefer says which of the members that become Field counts: the one at Path, where the record has it. Path is the source's own names from
// the top of the record, with a dot between them. Otherwise the first one counts, as without a Prefer.
type Prefer struct{ Field, Path string }

func (Prefer) names(*compiler) {}

func (e Prefer) values(c *compiler) {
	col := c.field(e.Field)
	if col.source != "" || e.Path == "" {
		panic(fmt.Sprintf("record: a Prefer without a path, or a second one for %q", e.Field))
	}
	col.source = e.Path
}

// chosen reports whether the member at which c stands is to be written to the column, which has a source. The first one is, until one comes from
// that source: then the record is written anew, and only what comes from there is.
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
	return true // and counted as a repeat
}

// restart makes w write the record anew, with what it learnt in w.only.
func (w *writer) restart() {
	w.dst, w.again = w.dst[:w.start], true
	clear(w.seen[:])
	clear(w.beyond)
	w.memory.names.clear()
}

// met reports whether the column with the index i was met.
func (w *writer) met(i int) bool {
	if i >= 64*len(w.seen) {
		return w.beyond[i]
	}
	return w.seen[i/64]&(1<<(i%64)) != 0
}

// warn counts a problem with a column, once for each record.
func (w *writer) warn(c *column, problem string) {
	if !w.again || slices.Contains(w.only, c.index) {
		w.shape.warn(c.name, problem)
	}
}
