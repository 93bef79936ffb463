package destination

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// What encloses the checksum at the end of a sealed line.
const (
	sumOpening = `,"sum":"`
	sumEnd     = `"}`
)

// seal computes the checksums of a file's lines. Each covers its line's text and the checksum before it. The zero value is for the first line.
type seal struct {
	last [16]byte
}

// next returns the checksum of a line, and how it is written. text is the line without it.
func (s *seal) next(text []byte) (sum [16]byte, written []byte) {
	whole := sha256.Sum256(append(s.last[:], text...))
	sum = [16]byte(whole[:16])
	written = []byte(sumOpening)
	written = base64.RawStdEncoding.AppendEncode(written, sum[:])
	return sum, append(written, sumEnd+"\n"...)
}

// close returns the next line of the file, with its checksum and line break.
func (s *seal) close(l line) ([]byte, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("writing the journal: %w", err)
	}
	text = bytes.TrimSuffix(text, []byte("}"))
	sum, written := s.next(text)
	s.last = sum
	return append(text, written...), nil
}

// open reads the next line of the file. ok reports whether the line is unchanged and in its place.
func (s *seal) open(text []byte) (l line, ok bool) {
	at := bytes.LastIndex(text, []byte(sumOpening))
	if at < 0 {
		return line{}, false
	}
	sum, written := s.next(text[:at])
	if !bytes.Equal(text[at:], written) || json.Unmarshal(append(bytes.Clone(text[:at]), '}'), &l) != nil {
		return line{}, false
	}
	s.last = sum
	return l, true
}
