// Package redact blanks secrets in text that is about to leave the process.
package redact

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Blank replaces a secret.
const Blank = "****"

// Redactor blanks secrets in every form in which a reader could recognise one:
//   - as it is or trimmed, in any case, with any white space in place of its own, broken over lines or by invisible characters;
//   - percent-encoded, in the escapes of JSON and of programming languages, as HTML entities, in quoted-printable, in hexadecimal, as a list of
//     decimal numbers, in base32 or base64 (alone or amid other bytes, in lines or not), and in up to four of these encodings, one upon the other;
//   - in UTF-8, UTF-16 and Latin-1, and if letters that are not ASCII were garbled on the way;
//   - its MD5, in the same encodings.
//
// Each long line of a secret with several lines (a PEM key) is a secret too. The Redactor compares after decoding, so it does not matter which
// characters an encoder leaves as they are. For secrets shorter than three characters only the MD5 is blanked.
//
// The zero value and a nil Redactor blank nothing. It is safe for concurrent use. A run has one: see [With].
type Redactor struct {
	mu     sync.Mutex // for Add and Hide
	known  atomic.Pointer[needles]
	names  []string // given to Hide
	hidden atomic.Pointer[regexp.Regexp]

	telling sync.Once // guards told, which is only needed for answers that are quoted
	told    *regexp.Regexp
}

// New makes a Redactor for secrets.
func New(secrets ...string) *Redactor {
	r := &Redactor{}
	r.Add(secrets...)
	return r
}

type key struct{}

// With returns a ctx that carries r, the one Redactor of a run, for [From].
func With(ctx context.Context, r *Redactor) context.Context { return context.WithValue(ctx, key{}, r) }

// From returns the Redactor that ctx carries, or a new one if it carries none. It is never nil.
func From(ctx context.Context) *Redactor {
	if r, ok := ctx.Value(key{}).(*Redactor); ok && r != nil {
		return r
	}
	return New()
}

// Add adds secrets, such as a session obtained at run time. Adding known secrets is cheap. Adding to a nil Redactor does nothing.
func (r *Redactor) Add(secrets ...string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.known.Load()
	if more := known.with(secrets); more != known {
		r.known.Store(more)
	}
}

// String returns s with every secret blanked. Secrets that overlap or touch are blanked together, so that no part of either stays. A text that is
// crafted to take a lot of decoding is blanked whole.
func (r *Redactor) String(s string) string {
	if r == nil {
		return s
	}
	found := r.known.Load().find(s)
	if len(found) == 0 {
		return s
	}
	slices.SortFunc(found, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var out strings.Builder
	done := 0 // s[:done] is in out
	for i := 0; i < len(found); {
		from, to := found[i].from, found[i].to
		for i < len(found) && found[i].from <= to {
			to = max(to, found[i].to)
			i++
		}
		out.WriteString(s[done:from])
		out.WriteString(Blank)
		done = to
	}
	out.WriteString(s[done:])
	return out.String()
}

// expansion is the most characters that encodings make of one byte: `%26%23x00E7%3B` and the like.
const expansion = 24

// Beginning returns String for the beginning of a longer text, which may have been cut in the middle of a secret. It leaves out as much at the end as
// the longest secret may take in any form.
func (r *Redactor) Beginning(s string) string {
	if r == nil {
		return s
	}
	known := r.known.Load()
	if known == nil {
		return s
	}
	return r.String(s[:max(0, len(s)-expansion*known.longest)])
}
