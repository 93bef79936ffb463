package record

import "unsafe"

// Lone is the field of a Shape that does nothing but bring the time of one field into form, so that Splice can take the place of Append.
func (s *Shape) Lone() (field string, ok bool) {
	if s == nil || len(s.order) != 1 || len(s.last) > 0 || s.renames || len(s.columns) != 1 {
		return "", false
	}
	_, ok = s.order[0].edit.(Time)
	return s.order[0].name, ok && s.columns[s.order[0].name] == s.order[0]
}

// Splice is what Append does for a Lone Shape, without reading the record once more: v is the value of the field, as a Picker found it in
// r itself, or absent. The value of another record is safe and slow.
func (s *Shape) Splice(dst []byte, r Record, v Value) []byte {
	column := s.order[0]
	e, ok := column.edit.(Time)
	if !ok || !v.Exists() {
		return append(dst, r...)
	}
	at := int(uintptr(unsafe.Pointer(unsafe.SliceData(v.raw))) - uintptr(unsafe.Pointer(unsafe.SliceData(r)))) //nolint:gosec // places in one memory
	if at < 0 || at+len(v.raw) > len(r) {
		return s.Append(dst, r) // not of r itself
	}
	dst = Grow(dst, len(r)+64) // the time in its form may be longer than it came
	w := writer{shape: s, dst: append(dst, r[:at]...)}
	w.time(column, v.raw, e, false)
	return append(w.dst, r[at+len(v.raw):]...)
}
