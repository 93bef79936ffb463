package sim

import (
	"bytes"
	"cmp"
	"sync"
)

// Rendered keeps the encoded rows that were used last, so that a repeated row is neither made nor encoded again. The zero value is ready for use. A
// nil Rendered keeps nothing. Safe for concurrent use.
type Rendered struct {
	Most int // bytes that are kept; 0 means 64 MiB

	mu         sync.Mutex
	young, old map[any]JSON
	bytes      int // in young

	making sync.Mutex
	parts  map[any]any
}

// Row returns the row of a key, either kept or made now. The key must be comparable and hold everything that the row depends on, including the
// options and the seed if several simulators share r (see Sharing). The row must not be changed.
func (r *Rendered) Row(key any, row func() any) JSON {
	if kept := r.kept(key); kept != nil {
		return kept
	}
	made := JSON(bytes.Clone(Encode(row()))) // without spare capacity
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
	if r.young == nil || r.bytes > cmp.Or(r.Most, 64<<20)/2 { // drop rows that were not asked for again
		r.young, r.old, r.bytes = map[any]JSON{}, r.young, 0
	}
	if r.young[key] == nil {
		r.bytes += len(row)
	}
	r.young[key] = row
}

// Part returns the part of a key, either made before or made now. A part is something that rows are made of, and is kept as long as r. It must not be
// changed. The key must be comparable and hold everything that the part depends on besides its type.
func Part[T any](r *Rendered, key any, part func() T) T {
	type of struct{ key any } // distinguishes the parts of each T
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

// Sharing returns an Open whose simulators share kept, for many of one kind, one after the other or at the same time.
func Sharing(open Open, kept *Rendered) Open {
	return func(o Options) (Simulator, error) {
		o.Rendered = kept
		return open(o)
	}
}
