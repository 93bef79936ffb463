package destination

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"

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
//   - A record that comes takes one equal call of earlier runs out of the journal and is not sent, if there is one: of several the one that
//     was made last. Calls without an outcome got one before, when the journal was opened; see [Settings].InDoubt. Each call is taken once:
//     a record that comes three times where two calls were made is sent the third time.
//   - Calls are forgotten by the next run, when the run before ended well, a state that came behind them was given back, and the platform
//     says that the next run is of another sync (the catalog's sync_id; where it says nothing, another run is another sync). Until then they
//     are remembered, so that no call is made twice because a state was lost.
//   - A stream whose source said COMPLETE has sent all that there was to resend: what was remembered of it counts as if a state had come
//     behind it.
//
// A receipt that could not be written is owed: the line with its call's outcome holds it, or, of a call without one, another line of its beginning.
// The next run writes it before all else, and leaves it out of the journal that it writes anew: a run that is killed between the two has it written
// twice, alike to the byte.
//
// What this gives up: in a run that goes on after a failure, a record that equals one of before the failure, where a state behind that one
// was kept by the platform, and that is meant once more, is taken for the one resent; so is one that equals a call which no state covered and no
// run met since, some syncs ago. The log names the first ten, and counts the others.
//
// # What may happen to the file
//
// Each line has a checksum of itself and of all before it, so that a byte that changed, and a line that went, came or moved, is noticed. A
// last line without its end is what a kill leaves; it is cut off: its call was not sent yet, or has no outcome. Anything else that is not
// understood is refused. What cannot be noticed is that whole lines went from the end.
//
// Behind the last line are blanks, as many as the outcomes of the calls under way take, on disk before those are sent: a disk that gets full leaves
// none of them without one. No other line takes their place. The end of a run cuts them off; behind a kill they are passed over.
//
// The file is written anew by each run, without what is forgotten, and takes the old one's place whole. So no run leaves an empty one, and one
// that is empty is refused. Journals of the first format, without checksums, are read and written anew with them. While in use the file is
// locked.
type journal struct {
	mu   sync.Mutex
	file *os.File
	seal seal
	err  error // of a write that left half a line: what follows one would not be understood
	at   kept
	next int64         // the first number that no call has
	size int64         // of the file, with the blanks at its end
	held map[int64]int // how many of them are for the outcome of each call under way, by its number

	known map[string][]*known // calls of earlier runs that no record has taken yet, by identity, in their order
}

// known is a call that an earlier run made.
type known struct {
	Number    int64               `json:"n"`
	Operation string              `json:"operation"`
	About     string              `json:"about"`
	Stream    protocol.Descriptor `json:"stream"`
	Identity  string              `json:"identity"`
	Covered   bool                `json:"covered,omitempty"` // a state that came behind it was given back
	Syncs     int                 `json:"syncs,omitempty"`   // that began since it was made or came again: one that goes on after a failure is none

	outcome outcome
	message string // of the API, where it rejected the record
	room    int    // how many bytes its outcome may take, beside outcomeRoom, while it is under way
}

// outcomeRoom is how many bytes the outcome of a call takes at most, with a receipt that is owed, but for the order and the answer in that.
const outcomeRoom = 16 << 10

// outcome is what became of a call.
type outcome string

const (
	unknown  outcome = ""
	done     outcome = "done"
	rejected outcome = "rejected"
	unrun    outcome = "unrun" // not carried out, and free to be sent again
)

// The formats of journals. The first one has no checksums.
const (
	unsealed = 1
	format   = 2
)

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
	Receipt string               `json:"receipt,omitempty"` // of begin, end: the line that is owed to the file of receipts
	As      int64                `json:"as,omitempty"`      // of again: the call's number from here on
	Stream  *protocol.Descriptor `json:"stream,omitempty"`  // of state, complete; nil is all streams
}

// openJournal opens the file at path for calls to target, or makes it, and begins a run of a sync (0 is not known). doubt says what is to
// become of the calls that have no outcome, done or unrun; its error ends it all and leaves the file as it is. forget takes calls out. pay writes
// the receipts that are owed, and its error leaves the file as it is too.
func openJournal(
	path, target string, sync int64, doubt func([]*known) (outcome, error), forget func(*known) bool, pay func(owed []string) error,
) (*journal, error) {
	j := &journal{at: journalAt(path), known: map[string][]*known{}, held: map[int64]int{}}
	old, err := j.at.open(false)
	if err != nil {
		return nil, err
	}
	past := &history{calls: map[int64]*known{}, next: 1, closed: true}
	if old != nil {
		defer old.Close()
		if past, err = j.replay(old, target); err != nil {
			return nil, err
		}
	}
	past.age(sync)
	past.begin(sync)
	if err := past.settle(doubt, forget); err != nil {
		return nil, err
	}
	if err := pay(past.owed); err != nil {
		return nil, err
	}
	for _, call := range past.inOrder() {
		j.known[call.Identity] = append(j.known[call.Identity], call)
	}
	j.next = past.next
	if err := j.renew(target, sync, past, old == nil); err != nil {
		return nil, err
	}
	return j, nil
}

// renew writes a journal of what is remembered in the file's place; first says that there was none.
func (j *journal) renew(target string, sync int64, past *history, first bool) error {
	lines := []line{{Do: "journal", Format: format, Target: target}}
	for _, call := range past.inOrder() {
		lines = append(lines, line{Do: "begin", Call: call}, line{Do: "end", Number: call.Number, Outcome: call.outcome, Message: call.message})
	}
	var content []byte
	for _, l := range append(lines, line{Do: "run", From: j.next, Sync: sync}) {
		text, err := j.seal.close(l)
		if err != nil {
			return err
		}
		content = append(content, text...)
	}
	file, err := j.at.replace(content, first)
	j.file, j.size = file, int64(len(content))
	return err
}

// replay reads the file, a line at a time: it may be large, and only what is remembered of it is kept.
func (j *journal) replay(file *os.File, target string) (*history, error) {
	lines := bufio.NewReader(file)
	start, err := lines.Peek(1 << 10)
	switch {
	case err != nil && err != io.EOF:
		return nil, j.at.fault("cannot be read", err)
	case len(start) == 0:
		return nil, j.at.fault("is empty, which a journal never is: what it held is lost, or it was not made by this connector. See to what was "+
			"carried out, then remove it", nil)
	case !ours(start):
		return nil, j.at.fault("is not a journal of this connector. Give another path, to a file that does not exist yet", nil)
	}
	past := &history{calls: map[int64]*known{}, next: 1}
	read, plain := (&seal{}).open, bytes.HasPrefix(start, fmt.Appendf(nil, `{"do":"journal","format":%d,`, unsealed))
	if plain {
		read = plainLine
	}
	number := 0
	for whole := true; whole; {
		text, err := lines.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return nil, j.at.fault("cannot be read", err)
		}
		if whole = err == nil; len(text) == 0 {
			break
		}
		if !whole {
			text = bytes.TrimRight(text, " ")
		}
		if number++; !whole && number > 1 && !swallowed(text, read) {
			break // what a kill leaves
		}
		if err := j.replayLine(past, text, number, read, target); err != nil {
			return nil, err
		}
	}
	if past.from == 0 && !plain {
		what := fmt.Sprintf("is damaged behind line %d: no run has left so little. See to what was carried out, then remove it", number)
		return nil, j.at.fault(what, nil)
	}
	return past, nil
}

// replayLine adds one line of the file to what its lines before come to.
func (j *journal) replayLine(past *history, text []byte, number int, read func([]byte) (line, bool), target string) error {
	l, ok := read(text)
	switch {
	case !bytes.HasSuffix(text, []byte("\n")) || !ok || (l.Do == "journal") != (number == 1) || number > 1 && !past.apply(l):
		return j.at.fault(fmt.Sprintf("is damaged at line %d. Look at what it says was carried out, then remove it", number), nil)
	case number == 1 && l.Format > format:
		return j.at.fault("was written by a later version of this connector. Use that one, or give another path", nil)
	case number == 1 && l.Target != target:
		return j.at.fault("is that of another address, "+l.Target+". Give each connection a journal of its own", nil)
	}
	return nil
}

// ours reports whether what begins like that looks like a journal, be it a damaged one.
func ours(start []byte) bool {
	const opening = `{"do":"`
	return bytes.HasPrefix([]byte(opening), start) || bytes.Contains(start, []byte(opening[1:])) || bytes.Contains(start, []byte(sumOpening))
}

// swallowed reports whether text, the last of a file and without an end, is a whole line whose end became something else.
func swallowed(text []byte, read func([]byte) (line, bool)) bool {
	_, ok := read(append(bytes.Clone(text[:max(0, len(text)-1)]), '\n'))
	return ok
}

// plainLine returns a line without a checksum.
func plainLine(text []byte) (l line, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&l)
	return l, err == nil && !d.More()
}

// history is what the lines of a journal come to.
type history struct {
	calls  map[int64]*known
	next   int64
	from   int64 // the first number of the last run
	sync   int64 // of the last run
	closed bool  // the last run ended well
	owed   []string
}

// inOrder returns the calls by their numbers.
func (h *history) inOrder() []*known {
	return slices.SortedFunc(maps.Values(h.calls), func(a, b *known) int { return cmp.Compare(a.Number, b.Number) })
}

// settle gives the calls that have no outcome the one that doubt says, and takes out what was not run and what forget says.
func (h *history) settle(doubt func([]*known) (outcome, error), forget func(*known) bool) error {
	var settled outcome
	doubts := slices.DeleteFunc(h.inOrder(), func(c *known) bool { return c.outcome != unknown })
	if len(doubts) > 0 {
		var err error
		if settled, err = doubt(doubts); err != nil {
			return err
		}
	}
	for _, call := range doubts {
		call.outcome = settled
	}
	maps.DeleteFunc(h.calls, func(_ int64, c *known) bool {
		return c.outcome == unrun || !slices.Contains(doubts, c) && forget(c)
	})
	return nil
}

// age is for the calls that another sync begins, if it is one.
func (h *history) age(sync int64) {
	if another := sync != h.sync || sync == 0 && h.closed; !another {
		return
	}
	for _, c := range h.calls {
		c.Syncs++
	}
}

// begin is the beginning of another run.
func (h *history) begin(sync int64) {
	if h.closed && (sync == 0 || sync != h.sync) {
		maps.DeleteFunc(h.calls, func(_ int64, c *known) bool { return c.Covered && c.outcome != unknown })
	}
	h.from, h.sync, h.closed = h.next, sync, false
}

// apply takes one line; ok is whether it can follow those before it.
func (h *history) apply(l line) (ok bool) {
	call := h.calls[l.Number]
	if l.Receipt != "" {
		h.owed = append(h.owed, l.Receipt)
	}
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
		if call == nil || l.Outcome != done && l.Outcome != rejected && l.Outcome != unrun {
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
		call.Number, call.Covered, call.Syncs = l.As, false, 0
		h.calls[l.As] = call
		h.next = max(h.next, l.As+1)
	case "state", "complete":
		for n, c := range h.calls {
			if n < l.Number && (n >= h.from || l.Do == "complete") && (l.Stream == nil || *l.Stream == c.Stream) {
				c.Covered = true
			}
		}
	case "close":
		h.closed = true
	default:
		return false
	}
	return true
}

// first returns the number that the first message of the run has.
func (j *journal) first() int64 {
	if j == nil {
		return 1
	}
	return j.next
}

// take returns the call of an earlier run that the record with a number, in the order of arrival, stands for; nil if there is none.
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

// end remembers what became of a call, and the first of owed for which there is room: forms of the receipt that could not be written; none: it was.
func (j *journal) end(number int64, o outcome, message string, owed ...string) error {
	return j.write(true, owing(line{Do: "end", Number: number, Outcome: o, Message: message}, owed)...)
}

// owe remembers, as end does, the receipt of a call that was begun and has no outcome. Without owed there is nothing to remember.
func (j *journal) owe(k *known, owed ...string) error {
	if len(owed) == 0 {
		return nil
	}
	return j.write(true, owing(line{Do: "begin", Call: k}, owed)...)
}

// owing returns l with each of owed, or alone.
func owing(l line, owed []string) (lines []line) {
	for _, receipt := range owed {
		l.Receipt = receipt
		lines = append(lines, l)
	}
	if len(lines) == 0 {
		return []line{l}
	}
	return lines
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
	if end, sought := j.file.Seek(0, io.SeekCurrent); sought == nil {
		_ = j.file.Truncate(end) // blanks that stay harm nobody
	}
	return errors.Join(err, j.file.Close())
}

// write appends a line, the first of several for which there is room; with sync it is on disk when write returns.
func (j *journal) write(sync bool, lines ...line) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	var err error
	var whole bool
	for _, l := range lines {
		if whole, err = j.append(l); err == nil || !whole {
			break
		}
	}
	if err == nil && sync {
		whole, err = false, j.file.Sync()
	}
	if err != nil {
		err = j.at.unwritten(err)
	}
	if !whole {
		j.err = err
	}
	return err
}

// append appends a line, and with that of a call's beginning what is held for its outcome. Where that fails, whole is whether the file's lines are
// as they were before.
func (j *journal) append(l line) (whole bool, err error) {
	before := j.seal
	text, err := j.seal.close(l)
	if err != nil {
		return false, err
	}
	at, err := j.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return false, err
	}
	ended := l.Number
	if l.Do == "begin" {
		if ended = l.Call.Number; l.Receipt == "" {
			j.held[ended], ended = outcomeRoom+l.Call.room, 0
		}
	}
	needed := at + int64(len(text))
	for number, n := range j.held {
		if number != ended {
			needed += int64(n)
		}
	}
	if more := needed - j.size; more > 0 {
		n, err := j.file.WriteAt(bytes.Repeat([]byte(" "), int(more)), j.size)
		if j.size += int64(n); err != nil {
			j.seal = before
			return true, err
		}
	}
	delete(j.held, ended)
	_, err = j.file.Write(text)
	return err == nil, err
}
