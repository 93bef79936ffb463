package record

import (
	"slices"
	"sync"
)

// spare is used memory that is kept for reuse. The zero value is ready to use. It is safe for concurrent use.
type spare[T any] struct {
	mu     sync.Mutex
	pieces [][]T // in the order in which they were put
	room   int   // total capacity
}

// take returns a piece with room for at least n and at most most elements, or nil.
func (s *spare[T]) take(n, most int) []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, piece := range slices.Backward(s.pieces) {
		if n <= cap(piece) && cap(piece) <= most {
			s.drop(i)
			return piece
		}
	}
	return nil
}

// sparePieces is the maximum number of pieces in a spare.
const sparePieces = 32

// put keeps a piece, whose contents are discarded. If there are too many pieces, or room for more than most elements, it drops the pieces that have
// not been taken for the longest time.
func (s *spare[T]) put(piece []T, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pieces = append(s.pieces, piece[:0])
	for s.room += cap(piece); s.room > most || len(s.pieces) > sparePieces; {
		s.drop(0)
	}
}

// drop removes a piece. s.mu is held.
func (s *spare[T]) drop(i int) {
	s.room -= cap(s.pieces[i])
	s.pieces = slices.Delete(s.pieces, i, i+1)
}
