package destination

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
)

// How long Write waits for calls in flight: when it was told to stop, and when it stops because another call failed, which leaves more time than any
// answer takes.
const (
	stopPatience = 20 * time.Second
	failPatience = 90 * time.Second
)

// namedBefore is how many records that may be meant as new orders the log names. The others are only counted.
const namedBefore = 10

// inFlight is how many bytes of answers may be in memory at a time, beside one answer that may be larger.
const inFlight = 64 << 20

// Write takes the messages of in, one per line, until in ends. A record becomes a call. A state is given back when all messages before it have an
// outcome. Of other messages only the source's word that a stream is complete matters.
//
// If a call fails or its outcome is unknown, Write begins no further calls and waits for those in flight. If ctx is done it does the same, for at
// most 20 seconds. A record with a member that its operation does not know ends its stream: later records of that stream are not carried out, and no
// later state of that stream or of all streams is given back. The other streams go on. Write sends every failure as it happens, and returns them all
// joined.
func (d *Destination) Write(
	ctx context.Context, config []byte, cat *protocol.ConfiguredCatalog, in io.Reader, out *protocol.Emitter,
) (err error) {
	api, err := d.open(config)
	if err != nil {
		return err
	}
	routes, err := d.routes(&api, cat)
	if err != nil {
		return err
	}
	api.Limit = cmp.Or(api.Limit, ratelimit.Unlimited())
	client, err := d.connect(ctx, &api, config)
	if err != nil {
		return err
	}
	defer client.Close()
	w := &writer{
		api: api, routes: routes, client: client, budget: httpclient.NewBudget(inFlight), out: out, log: protocol.Logger(ctx),
		active: map[string]bool{}, freed: make(chan struct{}), records: map[protocol.Descriptor]int{}, ended: map[protocol.Descriptor]bool{},
	}
	if err := w.keep(syncID(cat)); err != nil {
		return err
	}
	w.ledger = newLedger(w.journal.first())
	err = w.run(ctx, in)
	closed := errors.Join(w.receipts.close(), w.journal.close(err == nil))
	w.tell(nil, closed)
	return errors.Join(err, closed)
}

// keep opens the file of receipts and the journal for a run of a sync.
func (w *writer) keep(sync int64) (err error) {
	if w.api.DryRun {
		return nil
	}
	if w.api.Receipts != "" {
		if w.receipts, err = openReceipts(w.api.Receipts, w.api.Redact); err != nil {
			return err
		}
	}
	if w.api.Journal != "" {
		w.journal, err = openJournal(w.api.Journal, target(w.api.BaseURL), sync, w.doubt, func(k *known) bool {
			return k.outcome == rejected && w.api.OnRejected == "stop" // the cause may have been mended
		}, w.pay)
	}
	if err != nil {
		return errors.Join(err, w.receipts.close())
	}
	return nil
}

// pay adds the receipts that earlier runs could not write, and those of the calls in doubt that are taken as carried out.
func (w *writer) pay(owed []string) error {
	if w.receipts == nil && len(owed) > 0 {
		w.log.Warn(fmt.Sprintf("Receipts that an earlier run could not write, dropped since no file of receipts (receipts_path) is configured: %d.",
			len(owed)))
		return nil
	}
	err := w.receipts.pay(owed)
	for _, c := range w.taken {
		if err == nil {
			_, err = w.receipts.write(receipt{
				Stream: c.Stream.Name, Namespace: c.Stream.Namespace, Operation: c.Operation, Outcome: taken, Message: c.Operation + " of " + c.About +
					": its outcome was never known, and in_doubt says to take it as carried out.",
			})
		}
	}
	return err
}

// syncID returns the sync that the platform says this run belongs to, or 0 if it does not say.
func syncID(cat *protocol.ConfiguredCatalog) int64 {
	for _, s := range cat.Streams {
		if s.SyncID != nil {
			return *s.SyncID
		}
	}
	return 0
}

// target returns an address in the form that a journal stores.
func target(address string) string { return strings.ToLower(strings.Trim(address, "/ ")) }

// writer holds the data of one Write.
type writer struct {
	api      API
	routes   map[protocol.Descriptor]*vocabulary
	client   *httpclient.Client
	budget   *httpclient.Budget // of answers
	journal  *journal
	receipts *receipts
	taken    []*known // calls of earlier runs in doubt that count as carried out
	ledger   *ledger
	out      *protocol.Emitter
	log      *slog.Logger

	work  context.Context // done when no more calls may begin
	halt  context.CancelCauseFunc
	calls context.Context // of the calls in flight
	wait  sync.WaitGroup  // for the calls in flight

	records map[protocol.Descriptor]int  // number of records that arrived
	ended   map[protocol.Descriptor]bool // streams that ended because a record had an unknown member
	passed  int                          // number of records that arrived after their stream had ended
	again   int                          // number of records that ask for what an earlier run carried out, and may be meant as new orders

	mu       sync.Mutex
	kind     string          // of the calls in flight, including those that wait to be sent again
	active   map[string]bool // the things that they are about
	freed    chan struct{}   // closed, and replaced, when one of them has ended
	failures []error
	count    struct{ done, rejected, before int }
}

func (w *writer) run(ctx context.Context, in io.Reader) error {
	w.work, w.halt = context.WithCancelCause(ctx)
	defer w.halt(nil)
	calls, hangUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer hangUp(nil)
	w.calls = calls
	later := func(patience time.Duration) func() {
		return func() { time.AfterFunc(patience, func() { hangUp(context.Canceled) }) }
	}
	defer context.AfterFunc(ctx, later(stopPatience))()
	defer context.AfterFunc(w.work, later(failPatience))()

	err := w.take(in)
	stopped := errors.Is(err, context.Canceled)
	if !stopped {
		w.tell(nil, err)
	}
	w.wait.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.summarize()
	if stopped || err == nil && !w.ledger.empty() {
		w.failures = append(w.failures, context.Cause(ctx)) // nil if a failure ended the run
	}
	return errors.Join(w.failures...)
}

// summarize logs what became of the records, however the run ended.
func (w *writer) summarize() {
	if more := w.again - namedBefore; more > 0 {
		text := fmt.Sprintf("Further records that ask what an earlier run carried out, and were not sent again: %d.", more)
		if w.receipts != nil {
			text += " The file of receipts (receipts_path) has each, if the earlier run kept one."
		}
		w.log.Warn(text)
	}
	sum := fmt.Sprintf("Records carried out: %d, rejected: %d", w.count.done, w.count.rejected)
	if w.api.DryRun {
		sum = fmt.Sprintf("Nothing was sent (dry_run). Records that can be carried out: %d, rejected: %d", w.count.done, w.count.rejected)
	}
	if w.count.before > 0 {
		sum += fmt.Sprintf("; not sent again, since the journal or in_doubt says that they had been before: %d", w.count.before)
	}
	if w.passed > 0 {
		sum += fmt.Sprintf("; passed over, since their streams had ended with an error: %d", w.passed)
	}
	w.log.Info(sum + ".")
}

// incoming is a message, or the error of reading one.
type incoming struct {
	message protocol.Message
	err     error
}

// noInput is the warning about an input without any message, such as the one that docker run gives.
const noInput = "No message came on standard input, so there was nothing to do. Under docker run, the flag -i passes it on to the container."

// take takes messages until there are no more or no more calls may begin.
func (w *writer) take(in io.Reader) error {
	messages := make(chan incoming)
	go func() { // a read cannot be interrupted; the goroutine is left behind when the run has to end
		defer close(messages)
		defer func() {
			if v := recover(); v != nil {
				messages <- incoming{err: fault.Recovered(v)}
			}
		}()
		for m, err := range protocol.Read(in) {
			select {
			case messages <- incoming{m, err}:
			case <-w.work.Done():
				return
			}
		}
	}()
	for first := true; ; first = false {
		select {
		case <-w.work.Done():
			return w.work.Err()
		case got, more := <-messages:
			if !more {
				if first && w.work.Err() == nil {
					w.log.Warn(noInput)
				}
				return w.work.Err()
			}
			if got.err != nil {
				return unreadable(got.err)
			}
			if err := w.message(got.message); err != nil {
				return err
			}
		}
	}
}

// unreadable returns the fault of an input that cannot be read any further. What came before is carried out. No state behind it is given back, so
// nothing is lost.
func unreadable(err error) error {
	broken, ok := errors.AsType[*protocol.LineError](err)
	switch {
	case ok && errors.Is(err, protocol.ErrCut):
		return &fault.Error{Kind: fault.Transient, Err: err, Message: fmt.Sprintf("The input ended in the middle of line %d, so what "+
			"writes it was stopped. All before the line was taken, and another sync brings the rest.", broken.Line)}
	case ok:
		return &fault.Error{Kind: fault.Config, Err: err, Message: fmt.Sprintf("Line %d of the input is no message of the Airbyte protocol: %v. "+
			"It was not carried out, nor was anything behind it; mend what writes it, and sync again.", broken.Line, broken.Err)}
	}
	if _, known := errors.AsType[*fault.Error](err); known {
		return err
	}
	return &fault.Error{Kind: fault.Transient, Message: "The input could not be read to its end.", Err: err}
}

func (w *writer) message(m protocol.Message) error {
	switch {
	case m.Record != nil:
		return w.record(m.Record)
	case m.State != nil && m.State.Type == protocol.StateStream && w.routes[m.State.Descriptor] == nil:
		return w.unconfigured("A state", m.State.Descriptor)
	case m.State != nil && w.over(m.State):
		return nil // it covers records that were not carried out
	case m.State != nil:
		_, err := w.ledger.enter(w.work, m.State.Descriptor, len(m.Raw), func(e *entry) error { return w.echo(e, m.State) })
		return err
	case m.Trace != nil && m.Trace.StreamStatus != nil && m.Trace.StreamStatus.Status == protocol.Complete:
		stream := m.Trace.StreamStatus.StreamDescriptor
		if w.ended[stream] {
			return nil
		}
		_, err := w.ledger.enter(w.work, stream, 0, func(e *entry) error { return w.journal.complete(e.number, stream) })
		return err
	}
	return nil
}

// unconfigured returns the fault of a message, such as "A record", of a stream that the catalog lacks.
func (w *writer) unconfigured(what string, d protocol.Descriptor) error {
	text := fmt.Sprintf("%s came of the stream %q", what, d.Name)
	for other := range w.routes {
		if other.Name == d.Name {
			return fault.Configf("%s in %s, which the configured catalog has in %s. It was passed over, as was all behind it: give the stream one namespace.",
				text, namespace(d), namespace(other))
		}
	}
	return fault.Configf("%s, which is not in the configured catalog. It was passed over, as was all behind it.", text)
}

func namespace(d protocol.Descriptor) string {
	if d.Namespace == "" {
		return "no namespace"
	}
	return fmt.Sprintf("the namespace %q", d.Namespace)
}

// over reports whether s is the state of a stream that has ended, or the state of all streams when one of them has.
func (w *writer) over(s *protocol.State) bool {
	if s.Type == protocol.StateStream {
		return w.ended[s.Descriptor]
	}
	return len(w.ended) > 0
}

// echo gives a state back.
func (w *writer) echo(e *entry, s *protocol.State) error {
	stats := w.ledger.tally(s)
	if w.api.DryRun {
		return nil
	}
	stream := &s.Descriptor
	if s.Type != protocol.StateStream {
		stream = nil
	}
	if err := w.journal.state(e.number, stream); err != nil {
		return err
	}
	return w.out.Echo(s, stats)
}

// record checks a record and begins its call.
func (w *writer) record(m *protocol.RecordMessage) error {
	names := w.routes[m.Descriptor]
	if names == nil {
		return w.unconfigured("A record", m.Descriptor)
	}
	if w.ended[m.Descriptor] {
		w.passed++
		return nil
	}
	w.records[m.Descriptor]++
	number := w.records[m.Descriptor]
	g := names.read(m.Data, m.Changes...)
	if len(g.strangers) > 0 {
		w.ended[m.Descriptor] = true
		w.tell(&m.Descriptor, names.strange(number, m.Name, g.strangers))
		return nil
	}
	entry, err := w.ledger.enter(w.work, m.Descriptor, 0, nil)
	if err != nil {
		return err
	}
	c, err := names.operation.call(g)
	if c.about == "" {
		c.about = fmt.Sprintf("record %d of the stream %s", number, m.Name)
	}
	if err != nil {
		_, unkept := w.receipt(entry, c, refused, err.Error(), nil)
		return errors.Join(unkept, w.reject(entry, c, err.Error()))
	}
	if w.api.DryRun {
		w.settle(entry, &w.count.done)
		return nil
	}
	before, err := w.journal.take(entry.number, c.identity)
	if err != nil {
		return err
	}
	if before != nil {
		return w.remember(entry, c, before)
	}
	return w.start(entry, c)
}

// remember takes a record for a call that an earlier run made.
func (w *writer) remember(e *entry, c *call, before *known) error {
	if before.outcome == rejected {
		return w.reject(e, c, strings.TrimSuffix(before.message, ".")+" (an earlier run was told so, and it was not sent again)")
	}
	if before.Covered || before.Syncs > 1 { // otherwise the platform resends it because this run goes on after a failure
		if w.again++; w.again <= namedBefore {
			w.log.Warn(c.name() + " asks what an earlier run carried out: it is taken for the same record and not sent again. If it is meant once " +
				"more, a later sync can bring it, once a state behind it was given back; where the catalog has a sync_id, that sync needs another one.")
		}
	}
	w.settle(e, &w.count.before)
	return nil
}

// start begins c in its turn, and leaves it to a goroutine. Calls begin in the order of their records. So few calls are ahead of a waiting one, and
// few are resent if the run has to end.
func (w *writer) start(e *entry, c *call) error {
	free, err := w.admit(c)
	if err != nil {
		return err
	}
	counted, err := w.api.Limit.Wait(w.work, nil) // a call that waits for the quota has not begun
	if err == nil {
		err = w.journal.begin(c.known(e))
	}
	if err != nil {
		free()
		return err
	}
	w.wait.Go(func() {
		defer free()
		defer counted()
		defer func() {
			if v := recover(); v != nil {
				w.fail(e, fault.Recovered(v))
			}
		}()
		w.carryOut(e, c, counted)
	})
	return nil
}

// admit waits until c may begin: only calls of its kind are in flight, none of them for its thing, and fewer than the limit.
func (w *writer) admit(c *call) (free func(), err error) {
	for {
		w.mu.Lock()
		beside := c.kind == w.kind && !w.active[c.thing] && len(w.active) < cmp.Or(w.api.Parallel, defaultParallel)
		if (beside || len(w.active) == 0) && w.work.Err() == nil {
			w.kind, w.active[c.thing] = c.kind, true
			w.mu.Unlock()
			return func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				delete(w.active, c.thing)
				close(w.freed)
				w.freed = make(chan struct{})
			}, nil
		}
		freed := w.freed
		w.mu.Unlock()
		select {
		case <-freed:
		case <-w.work.Done():
			return nil, w.work.Err()
		}
	}
}

// settle counts a record that has an outcome, and settles it in the ledger.
func (w *writer) settle(e *entry, count *int) {
	w.add(count)
	if err := w.ledger.settle(e, count == &w.count.rejected); err != nil {
		w.fail(e, err)
	}
}

// add counts a record.
func (w *writer) add(count *int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*count++
}

// reject logs and counts a record that is not carried out, with the reason. An error ends the sync.
func (w *writer) reject(e *entry, c *call, why string) error {
	text := c.name() + " was rejected: " + strings.TrimSuffix(why, ".") + "."
	w.log.Warn(text)
	if w.api.OnRejected == "stop" {
		w.add(&w.count.rejected)
		return fault.Configf("%s The sync stops at the first rejected record (on_rejected).", text)
	}
	w.settle(e, &w.count.rejected)
	return nil
}

// fail sends a failure and lets no more calls begin.
func (w *writer) fail(e *entry, err error) {
	w.tell(&e.stream, err)
	w.halt(err)
}

// tell sends a failure of a stream, or of none if stream is nil. Joined failures are sent one by one. A nil error is none.
func (w *writer) tell(stream *protocol.Descriptor, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // an error that wraps several is one failure
		for _, one := range joined.Unwrap() {
			w.tell(stream, one)
		}
		return
	}
	_ = w.out.Failure(err, stream) // fails if the output is closed, and then there is nobody to tell
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, err)
}
