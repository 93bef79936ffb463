package record

import (
	"slices"
	"strings"
)

// group is the edit of a column for the objects that Flatten takes apart into other columns: null in the place of one leaves nothing.
type group struct{}

func (group) edit() {}

// lacks is whether the column is for an object that Flatten takes apart, and value is another one, for which there is no column. Null and blank
// text are none: so APIs write that there is no object.
func (c *column) lacks(value []byte) bool {
	_, group := c.edit.(group)
	return group && !(Value{raw: value}).IsNull() && (value[0] != '"' || !isBlank(value))
}

// groups enters the columns of the objects that Flatten takes apart into columns.
func (c *compiler) groups() {
	for _, col := range slices.Clone(c.order) {
		for i := range col.name {
			if i == 0 || !strings.HasPrefix(col.name[i:], c.flatten.Separator) || c.columns[col.name[:i]] != nil {
				continue
			}
			if _, away := c.renames[col.name[:i]]; !away {
				c.column(col.name[:i]).edit = group{}
			}
		}
	}
}

// chosen is whether the member at which c stands is to be written to the column, which has a source. The first one is, until one comes from
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

// met is whether the column with the index i was met.
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
