package sim

import (
	"bytes"
	"cmp"
	"sync"
)

// Rendered keeps rows as they were written, so that a row that comes again is neither made nor encoded once more, of those that came last. The zero
// value is ready; a nil one keeps nothing. Safe for concurrent use.
type Rendered struct {
	Most int // bytes that are kept; 0 means 64 MiB

	mu         sync.Mutex
	young, old map[any]JSON
	bytes      int // in young

	making sync.Mutex
	parts  map[any]any
}

// Row returns the row of a key, as it was kept or as it is made now. The key is comparable and says all that the row depends on, the options and the
// seed too where several simulators share what is kept (see Sharing). The row must not be changed.
func (r *Rendered) Row(key any, row func() any) JSON {
	if kept := r.kept(key); kept != nil {
		return kept
	}
	made := JSON(bytes.Clone(Encode(row()))) // no larger than it has to be
	r.keep(key, made)
	return made
}

func (r *Rendered) kept(key any) JSON {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	kept, late := r.young[key], r.old[key]
	r.mu.Unlock()
	if kept == nil && late != nil {
		r.keep(key, late)
		return late
	}
	return kept
}

func (r *Rendered) keep(key any, row JSON) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.young == nil || r.bytes > cmp.Or(r.Most, 64<<20)/2 { // those that are not asked for again go
		r.young, r.old, r.bytes = map[any]JSON{}, r.young, 0
	}
	if r.young[key] == nil {
		r.bytes += len(row)
	}
	r.young[key] = row
}

// Part returns the part of a key, as it was made before or as it is made now: something that rows are made of, which stays as long as r does. It must
// not be changed. The key is comparable and says all that the part depends on besides its type.
func Part[T any](r *Rendered, key any, part func() T) T {
	type of struct{ key any } // one of T
	if r == nil {
		return part()
	}
	r.making.Lock()
	defer r.making.Unlock()
	if kept, ok := r.parts[of{key}].(T); ok {
		return kept
	}
	if r.parts == nil {
		r.parts = map[any]any{}
	}
	made := part()
	r.parts[of{key}] = made
	return made
}

// Sharing opens simulators that keep their rows in one place: for many of one kind, one after the other or at one time.
func Sharing(open Open, kept *Rendered) Open {
	return func(o Options) (Simulator, error) {
		o.Rendered = kept
		return open(o)
	}
}
