package record

import (
	"slices"
	"sync"
)

// spare is memory that was used and is to be used again. The zero value is ready. Safe for concurrent use.
type spare[T any] struct {
	mu     sync.Mutex
	pieces [][]T // the one that was put last comes last
	room   int   // of all of them
}

// take returns a piece with room for n elements, and for no more than most; nil where there is none.
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

// sparePieces is how many pieces a spare keeps at the most.
const sparePieces = 32

// put keeps a piece, whose content means nothing from then on. As soon as there are too many pieces, or room for more than most elements, those go
// that nobody has taken for the longest time.
func (s *spare[T]) put(piece []T, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pieces = append(s.pieces, piece[:0])
	for s.room += cap(piece); s.room > most || len(s.pieces) > sparePieces; {
		s.drop(0)
	}
}

// drop takes a piece out. s.mu is held.
func (s *spare[T]) drop(i int) {
	s.room -= cap(s.pieces[i])
	s.pieces = slices.Delete(s.pieces, i, i+1)
}
