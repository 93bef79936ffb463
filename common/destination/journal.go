package destination

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// journal is a file that remembers which calls were made, so that a run that starts again makes none of them twice. Each call has a line
// before it is sent and one with its outcome, both synced to disk. A nil journal remembers nothing. Safe for concurrent use.
//
// # When two records are the same
//
// The platform resends, after a failure, all records behind the last state that it kept. A journal cannot know which state that is: one
// that was given back may have been lost with the platform. And the same record may well be meant twice, in one sync or in two. So:
//
//   - A call is known by its operation and its body. The journal holds calls, equal ones as often as they were made.
//   - A record that comes takes one equal call of earlier runs out of the journal and is not sent, if there is one; a call without an
//     outcome goes before all others, see [API]'s InDoubt. Each call is taken once: a record that comes three times where two calls were
//     made is sent the third time.
//   - Calls are forgotten by the next run, when the run before ended well, a state that came behind them was given back, and the platform
//     says that the next run is of another sync (the catalog's sync_id; where it says nothing, another run is another sync). Until then they
//     are remembered, so that no call is made twice because a state was lost.
//   - A stream whose source said COMPLETE has sent all that there was to resend: what was remembered of it counts as if a state had come
//     behind it.
//
// What this gives up: in a run that goes on after a failure, a record that equals one of before the failure, where a state behind that one
// was kept by the platform, and that is meant once more, is taken for the one resent. It is named in the log.
//
// # What may happen to the file
//
// A last line without its end is what a kill leaves; it is cut off: its call was not sent yet, or has no outcome. Anything else that is not
// understood is refused. While in use the file is locked.
type journal struct {
	mu   sync.Mutex
	file *os.File
	err  error // of a write that failed: what follows half a line would not be understood
	path string
	next int64 // the first number that no call has

	known map[string][]*known // calls of earlier runs that no record has taken yet, by identity, in their order
}

// known is a call that an earlier run made.
type known struct {
	Number    int64               `json:"n"`
	Operation string              `json:"operation"`
	About     string              `json:"about"`
	Stream    protocol.Descriptor `json:"stream"`
	Identity  string              `json:"identity"`

	outcome outcome
	message string // of the API, where it rejected the record
	covered bool   // a state that came behind it was given back
}

// outcome is what became of a call.
type outcome string

const (
	unknown  outcome = ""
	done     outcome = "done"
	rejected outcome = "rejected"
	unrun    outcome = "unrun" // not carried out, and free to be sent again
)

const format = 1

// line is one line of the file; only what belongs to Do is set.
type line struct {
	Do      string               `json:"do"`
	Format  int                  `json:"format,omitempty"`  // of journal, the first line
	Target  string               `json:"target,omitempty"`  // of journal: whose calls these are
	From    int64                `json:"from,omitempty"`    // of run: its first number
	Sync    int64                `json:"sync,omitempty"`    // of run: the sync that it belongs to; 0 is not known
	Call    *known               `json:"call,omitempty"`    // of begin
	Number  int64                `json:"n,omitempty"`       // of end, again; of state and complete, the number that they came with
	Outcome outcome              `json:"outcome,omitempty"` // of end
	Message string               `json:"message,omitempty"` // of end
	As      int64                `json:"as,omitempty"`      // of again: the call's number from here on
	Stream  *protocol.Descriptor `json:"stream,omitempty"`  // of state, complete; nil is all streams
}

// openJournal opens the file at path for calls to target, or makes it, and begins a run of a sync (0 is not known). doubt says what is to
// become of the calls that have no outcome, done or unrun; its error ends it all and leaves the file as it is. forget takes calls out.
func openJournal(
	path, target string, sync int64, doubt func([]*known) (outcome, error), forget func(*known) bool,
) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, journalFault(path, "cannot be opened. Check that its folder is mounted and that the connector's user may write to it", err)
	}
	j := &journal{file: file, path: path, known: map[string][]*known{}}
	if err := j.open(target, sync, doubt, forget); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

func journalFault(path, what string, err error) error {
	return &fault.Error{Kind: fault.Config, Message: fmt.Sprintf("The journal %s (journal_path) %s.", path, what), Err: err}
}

func (j *journal) open(target string, sync int64, doubt func([]*known) (outcome, error), forget func(*known) bool) error {
	err := syscall.Flock(int(j.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fault.Transientf("The journal %s (journal_path) is in use by another run. Each connection needs one of its own.", j.path)
	}
	if err != nil {
		return journalFault(j.path, "cannot be locked; its file system must be able to", err)
	}
	past, size, err := j.replay(target)
	if err != nil {
		return err
	}
	past.begin(sync)
	calls := slices.SortedFunc(maps.Values(past.calls), func(a, b *known) int { return cmp.Compare(a.Number, b.Number) })
	var settled outcome
	if doubts := slices.DeleteFunc(slices.Clone(calls), func(c *known) bool { return c.outcome != unknown }); len(doubts) > 0 {
		if settled, err = doubt(doubts); err != nil {
			return err
		}
	}
	if len(calls) == 0 { // nothing to remember: begin anew
		err = j.renew(target)
	} else {
		err = j.cut(size)
	}
	if err != nil {
		return err
	}
	for _, call := range calls {
		became := call.outcome
		switch {
		case call.outcome == unknown:
			became = settled
		case forget(call):
			became = unrun
		}
		if became != call.outcome {
			if err := j.write(false, line{Do: "end", Number: call.Number, Outcome: became}); err != nil {
				return err
			}
		}
		if call.outcome = became; became != unrun {
			j.known[call.Identity] = append(j.known[call.Identity], call)
		}
	}
	j.next = past.next
	return j.write(true, line{Do: "run", From: j.next, Sync: sync})
}

// renew makes the file an empty journal.
func (j *journal) renew(target string) error {
	err := errors.Join(j.cut(0), j.write(true, line{Do: "journal", Format: format, Target: target}))
	if err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(j.path)) // for the file's name to be on disk as well
	if err != nil {
		return journalFault(j.path, "cannot be kept safe in its folder", err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // which some file systems say that have no need of it
		return journalFault(j.path, "cannot be kept safe in its folder", err)
	}
	return nil
}

// cut makes size the end of the file.
func (j *journal) cut(size int64) error {
	_, err := j.file.Seek(size, io.SeekStart)
	if err = errors.Join(j.file.Truncate(size), err); err != nil {
		return journalFault(j.path, "cannot be written", err)
	}
	return nil
}

// replay reads the file. size is its length without a last line that has no end.
func (j *journal) replay(target string) (past *history, size int64, err error) {
	data, err := io.ReadAll(j.file)
	if err != nil {
		return nil, 0, journalFault(j.path, "cannot be read", err)
	}
	past = &history{calls: map[int64]*known{}, next: 1, closed: true}
	size = int64(bytes.LastIndexByte(data, '\n') + 1)
	number := 0
	for text := range bytes.Lines(data[:size]) {
		number++
		var l line
		if err := json.Unmarshal(text, &l); err != nil && number > 1 || err == nil && !past.apply(l) && number > 1 {
			what := fmt.Sprintf("is damaged at line %d. Look at what it says was carried out, then remove it", number)
			return nil, 0, journalFault(j.path, what, nil)
		}
		switch {
		case number > 1:
		case l.Do != "journal" || l.Format != format:
			return nil, 0, journalFault(j.path, "is not a journal of this connector. Give another path, to a file that does not exist yet", nil)
		case l.Target != target:
			return nil, 0, journalFault(j.path, "is that of another address, "+l.Target+". Give each connection a journal of its own", nil)
		}
	}
	if size == 0 && !strings.HasPrefix(`{"do":"journal"`, string(data[:min(len(data), len(`{"do":"journal"`))])) {
		return nil, 0, journalFault(j.path, "is not a journal of this connector. Give another path, to a file that does not exist yet", nil)
	}
	return past, size, nil
}

// history is what the lines of a journal come to.
type history struct {
	calls  map[int64]*known
	next   int64
	from   int64 // the first number of the last run
	sync   int64 // of the last run
	closed bool  // the last run ended well
}

// begin is the beginning of another run.
func (h *history) begin(sync int64) {
	if h.closed && (sync == 0 || sync != h.sync) {
		maps.DeleteFunc(h.calls, func(_ int64, c *known) bool { return c.covered && c.outcome != unknown })
	}
	h.from, h.sync, h.closed = h.next, sync, false
}

// apply takes one line; ok is whether it can follow those before it.
func (h *history) apply(l line) (ok bool) {
	call := h.calls[l.Number]
	switch l.Do {
	case "run":
		h.begin(l.Sync)
		h.from = l.From
		h.next = max(h.next, l.From)
	case "begin":
		if l.Call == nil {
			return false
		}
		h.calls[l.Call.Number] = l.Call
		h.next = max(h.next, l.Call.Number+1)
	case "end":
		if call == nil {
			return false
		}
		if call.outcome, call.message = l.Outcome, l.Message; l.Outcome == unrun {
			delete(h.calls, l.Number)
		}
	case "again":
		if call == nil {
			return false
		}
		delete(h.calls, l.Number)
		call.Number, call.covered = l.As, false
		h.calls[l.As] = call
		h.next = max(h.next, l.As+1)
	case "state", "complete":
		for n, c := range h.calls {
			if n < l.Number && (n >= h.from || l.Do == "complete") && (l.Stream == nil || *l.Stream == c.Stream) {
				c.covered = true
			}
		}
	case "close":
		h.closed = true
	default:
		return false
	}
	return true
}

// first is the number that the first message of the run has.
func (j *journal) first() int64 {
	if j == nil {
		return 1
	}
	return j.next
}

// take is the call of an earlier run that the record with a number, in the order of arrival, stands for; nil if there is none.
func (j *journal) take(number int64, identity string) (*known, error) {
	if j == nil {
		return nil, nil
	}
	calls := j.known[identity]
	if len(calls) == 0 {
		return nil, nil
	}
	last := calls[len(calls)-1]
	j.known[identity] = calls[:len(calls)-1]
	return last, j.write(false, line{Do: "again", Number: last.Number, As: number})
}

// begin remembers that a call is about to be sent.
func (j *journal) begin(k *known) error { return j.write(true, line{Do: "begin", Call: k}) }

// end remembers what became of a call.
func (j *journal) end(number int64, o outcome, message string) error {
	return j.write(true, line{Do: "end", Number: number, Outcome: o, Message: message})
}

// state remembers that a state which came with that number was given back; nil is one of all streams.
func (j *journal) state(number int64, stream *protocol.Descriptor) error {
	return j.write(false, line{Do: "state", Number: number, Stream: stream})
}

// complete remembers that the source has sent all of a stream.
func (j *journal) complete(number int64, stream protocol.Descriptor) error {
	return j.write(false, line{Do: "complete", Number: number, Stream: &stream})
}

// close ends the run, well or not. Nothing may be written after it. That the run ended well need not be on disk at once: without this line,
// more is remembered.
func (j *journal) close(well bool) error {
	if j == nil {
		return nil
	}
	var err error
	if well {
		err = j.write(false, line{Do: "close"})
	}
	return errors.Join(err, j.file.Close())
}

// write appends a line; with sync it is on disk when write returns.
func (j *journal) write(sync bool, l line) error {
	if j == nil {
		return nil
	}
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	_, err = j.file.Write(append(text, '\n'))
	if err == nil && sync {
		err = j.file.Sync()
	}
	if err != nil {
		j.err = journalFault(j.path, "cannot be written", err)
	}
	return j.err
}
