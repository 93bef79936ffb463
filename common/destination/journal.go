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

// journal is a file that remembers which calls were made, so that a run that starts again makes none of them twice. Each call has a line before it is
// sent and one with its outcome, both synced to disk. A nil journal remembers nothing. Safe for concurrent use.
//
// # When two records are the same
//
// After a failure, the platform resends all records behind the last state that it kept. A journal cannot know which state that is, because the
// platform may have lost one that was given back. And the same record may well be meant twice, in one sync or in two. So:
//
//   - A call is identified by its operation and its body. The journal holds equal calls as often as they were made.
//   - A record takes one equal call of earlier runs out of the journal, if there is one, and is not sent. Of several equal calls it takes the one
//     made last. Calls without an outcome got one when the journal was opened; see [Settings].InDoubt. Each call is taken once: if two calls were
//     made and the record comes three times, it is sent the third time.
//   - The next run forgets calls if the previous run ended well, a state behind them was given back, and the platform says that the next run belongs
//     to another sync (the catalog's sync_id; if it does not say, each run is another sync). Until then they are remembered, so that no call is
//     made twice because a state was lost.
//   - If the source says COMPLETE for a stream, it has resent all that there was. The remembered calls of the stream then count as if a state had
//     come behind them.
//
// A receipt that could not be written is owed. The line with its call's outcome holds it. If the call has no outcome, its beginning is written once
// more and holds it. The next run writes the receipt before all else, and then writes the journal anew without it. A run that is killed between the
// two has it written twice, identical to the byte.
//
// The price is that a record that is meant as a new order may be taken for a resent one. In a run that goes on after a failure, this happens to a
// record that equals one from before the failure, if the platform kept a state behind that one. It also happens to a record that equals a call of
// some syncs ago, if no state has covered that call and no run has met it since. The log names the first ten such records, and counts the others.
//
// # What may happen to the file
//
// Each line has a checksum of itself and of all lines before it. So a changed byte is noticed, and so is a line that was removed, added or moved. A
// last line without a line break is what a killed run leaves. It is cut off: its call was not sent yet, or has no outcome. Anything else that is not
// understood is refused. What cannot be noticed is that whole lines are missing at the end.
//
// Behind the last line are blanks, as many as the outcomes of the calls in flight take. They are on disk before those calls are sent, so a full disk
// leaves no call without its outcome. No other line takes their place. The end of a run cuts them off; after a kill they are ignored.
//
// Each run writes the file anew, without what is forgotten, and the new file replaces the old one whole. So no run leaves an empty file, and an empty
// one is refused. Journals of the first format, which has no checksums, are read and written anew with them. The file is locked while it is in use.
type journal struct {
	mu   sync.Mutex
	file *os.File
	seal seal
	err  error // of a write that left half a line, behind which no line would be understood
	at   kept
	next int64         // the first number that no call has
	size int64         // of the file, including the blanks at its end
	held map[int64]int // how many of the blanks are for the outcome of each call in flight, by its number

	known map[string][]*known // calls of earlier runs that no record has taken yet, by identity, in the order of their numbers
}

// known is a call that an earlier run made.
type known struct {
	Number    int64               `json:"n"`
	Operation string              `json:"operation"`
	About     string              `json:"about"`
	Stream    protocol.Descriptor `json:"stream"`
	Identity  string              `json:"identity"`
	Covered   bool                `json:"covered,omitempty"` // a state behind it was given back
	Syncs     int                 `json:"syncs,omitempty"`   // syncs begun since it was made or came again; going on after a failure begins none

	outcome outcome
	message string // from the API, if it rejected the record
	room    int    // how many bytes its outcome may take beyond outcomeRoom, while it is in flight
}

// outcomeRoom is how many bytes the outcome of a call takes at most, with an owed receipt, but without the order and the answer in the receipt.
const outcomeRoom = 16 << 10

// outcome is what became of a call.
type outcome string

const (
	unknown  outcome = ""
	done     outcome = "done"
	rejected outcome = "rejected"
	unrun    outcome = "unrun" // not carried out, so it may be sent again
)

// The formats of journals. The first has no checksums.
const (
	unsealed = 1
	format   = 2
)

// line is one line of the file. Only the fields for its Do are set.
type line struct {
	Do      string               `json:"do"`
	Format  int                  `json:"format,omitempty"`  // of journal, which is the first line
	Target  string               `json:"target,omitempty"`  // of journal: the address that the calls go to
	From    int64                `json:"from,omitempty"`    // of run: its first number
	Sync    int64                `json:"sync,omitempty"`    // of run: the sync that it belongs to; 0 if that is not known
	Call    *known               `json:"call,omitempty"`    // of begin
	Number  int64                `json:"n,omitempty"`       // of end, again: the call's number; of state, complete: their place in the order of arrival
	Outcome outcome              `json:"outcome,omitempty"` // of end
	Message string               `json:"message,omitempty"` // of end
	Receipt string               `json:"receipt,omitempty"` // of begin and end: the line that is owed to the file of receipts
	As      int64                `json:"as,omitempty"`      // of again: the call's new number
	Stream  *protocol.Descriptor `json:"stream,omitempty"`  // of state and complete; nil for all streams
}

// openJournal opens the file at path for calls to target, or creates it, and begins a run of a sync (0 if that is not known). doubt decides what
// becomes of the calls that have no outcome, done or unrun. forget selects the calls to drop. pay writes the receipts that are owed. An error of
// doubt or pay is returned and leaves the file as it is.
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

// renew replaces the file by a journal of what is remembered. first says that no file existed.
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

// replay reads the file line by line, because it may be large and only what is remembered is kept.
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
			break // what a killed run leaves
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

// replayLine applies one line of the file to past.
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

// ours reports whether start is the beginning of a journal, even of a damaged one.
func ours(start []byte) bool {
	const opening = `{"do":"`
	return bytes.HasPrefix([]byte(opening), start) || bytes.Contains(start, []byte(opening[1:])) || bytes.Contains(start, []byte(sumOpening))
}

// swallowed reports whether text, the last line of a file, is a whole line whose line break became another byte.
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

// history is what the lines of a journal add up to.
type history struct {
	calls  map[int64]*known
	next   int64
	from   int64 // the first number of the last run
	sync   int64 // of the last run
	closed bool  // the last run ended well
	owed   []string
}

// inOrder returns the calls, sorted by number.
func (h *history) inOrder() []*known {
	return slices.SortedFunc(maps.Values(h.calls), func(a, b *known) int { return cmp.Compare(a.Number, b.Number) })
}

// settle gives the calls without an outcome the one that doubt returns. It removes calls that were not carried out and those that forget selects.
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

// age counts a sync more for all calls if this run begins another sync.
func (h *history) age(sync int64) {
	if another := sync != h.sync || sync == 0 && h.closed; !another {
		return
	}
	for _, c := range h.calls {
		c.Syncs++
	}
}

// begin begins another run.
func (h *history) begin(sync int64) {
	if h.closed && (sync == 0 || sync != h.sync) {
		maps.DeleteFunc(h.calls, func(_ int64, c *known) bool { return c.Covered && c.outcome != unknown })
	}
	h.from, h.sync, h.closed = h.next, sync, false
}

// apply applies one line. ok is false if the line cannot follow those before it.
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

// first returns the number of the run's first message.
func (j *journal) first() int64 {
	if j == nil {
		return 1
	}
	return j.next
}

// take returns the call of an earlier run that a record stands for, or nil if there is none. number is the record's in the order of arrival.
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

// end remembers what became of a call. owed are the forms of a receipt that could not be written, if any; the first for which there is room is kept.
func (j *journal) end(number int64, o outcome, message string, owed ...string) error {
	return j.write(true, owing(line{Do: "end", Number: number, Outcome: o, Message: message}, owed)...)
}

// owe remembers, as end does, the receipt of a call that was begun and has no outcome. Without owed it does nothing.
func (j *journal) owe(k *known, owed ...string) error {
	if len(owed) == 0 {
		return nil
	}
	return j.write(true, owing(line{Do: "begin", Call: k}, owed)...)
}

// owing returns a copy of l for each of owed, or l alone if there is none.
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

// state remembers that the state with that number was given back. A nil stream means all streams.
func (j *journal) state(number int64, stream *protocol.Descriptor) error {
	return j.write(false, line{Do: "state", Number: number, Stream: stream})
}

// complete remembers that the source has sent all of a stream.
func (j *journal) complete(number int64, stream protocol.Descriptor) error {
	return j.write(false, line{Do: "complete", Number: number, Stream: &stream})
}

// close ends the run, well or not. Nothing may be written after it. The line for a run that ended well need not be on disk at once, because without
// it only more is remembered.
func (j *journal) close(well bool) error {
	if j == nil {
		return nil
	}
	var err error
	if well {
		err = j.write(false, line{Do: "close"})
	}
	if end, sought := j.file.Seek(0, io.SeekCurrent); sought == nil {
		_ = j.file.Truncate(end) // blanks that stay do no harm
	}
	return errors.Join(err, j.file.Close())
}

// write appends one line: the first of lines for which there is room. With sync it is on disk when write returns.
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

// append appends a line. For a call's beginning it also reserves the blanks for its outcome. If append fails, whole reports whether the file's lines
// are unchanged.
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
			if ended == 0 {
				delete(j.held, l.Call.Number) // it is not sent, and has no outcome
			}
			return true, err
		}
	}
	delete(j.held, ended)
	_, err = j.file.Write(text)
	return err == nil, err
}
