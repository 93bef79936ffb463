// Package redact blanks secrets in text that is about to leave the process.
package redact

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Blank stands in the place of a secret.
const Blank = "****"

// shortest is the number of bytes below which a form is left alone: blanking every "ab" would hide no secret and make the text unreadable.
const shortest = 3

// Redactor blanks secrets in every form in which one can show up: as it is, trimmed, escaped for JSON or for a URL, in base64 (alone or
// amid other bytes, as in Basic credentials), as MD5; of one with several lines (a PEM key), each long line too. Secrets shorter than
// three characters are ignored.
//
// The zero value and a nil Redactor blank nothing. It is safe for concurrent use.
type Redactor struct {
	mu    sync.Mutex // for Add
	forms atomic.Pointer[forms]
}

// forms is all forms of all secrets by their first bytes, the longest first.
type forms map[[shortest]byte][]string

// New makes a Redactor for secrets.
func New(secrets ...string) *Redactor {
	r := &Redactor{}
	r.Add(secrets...)
	return r
}

// Add makes the Redactor know further secrets, such as a session obtained at run time. Those that it knows already cost little. Adding to a
// nil Redactor does nothing.
func (r *Redactor) Add(secrets ...string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := forms{}
	if known := r.forms.Load(); known != nil {
		for start, list := range *known {
			all[start] = slices.Clone(list)
		}
	}
	added := false
	for _, secret := range secrets {
		for _, form := range formsOf(secret) {
			added = all.add(form) || added
		}
	}
	if added {
		r.forms.Store(&all)
	}
}

// add enters a form, false if it is there already.
func (f forms) add(form string) bool {
	start := [shortest]byte([]byte(form))
	i, found := slices.BinarySearchFunc(f[start], form, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	})
	if !found {
		f[start] = slices.Insert(f[start], i, form)
	}
	return !found
}

// longestAt is the length of the longest form that begins at s[i], 0 if none does.
func (f forms) longestAt(s string, i int) int {
	for _, form := range f[[shortest]byte{s[i], s[i+1], s[i+2]}] {
		if strings.HasPrefix(s[i:], form) {
			return len(form)
		}
	}
	return 0
}

// String is s with every secret blanked, in one pass. Secrets that overlap or touch are blanked together, so that no part of either stays.
func (r *Redactor) String(s string) string {
	if r == nil {
		return s
	}
	known := r.forms.Load()
	if known == nil {
		return s
	}
	var out strings.Builder
	done := 0         // s[:done] is in out
	from, to := -1, 0 // what is to be blanked next, none if from is negative
	flush := func() {
		out.WriteString(s[done:from])
		out.WriteString(Blank)
		done, from = to, -1
	}
	for i := 0; i+shortest <= len(s); i++ {
		length := known.longestAt(s, i)
		if length == 0 {
			continue
		}
		if from >= 0 && i > to {
			flush()
		}
		if from < 0 {
			from = i
		}
		to = max(to, i+length)
	}
	if from >= 0 {
		flush()
	}
	if done == 0 {
		return s
	}
	out.WriteString(s[done:])
	return out.String()
}
