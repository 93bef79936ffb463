package httpclient

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Waits between the attempts of one request: anything up to the interval ("full jitter"), which doubles up to its cap.
const (
	firstInterval = 500 * time.Millisecond
	maxInterval   = 30 * time.Second
)

// The user is told of a request that is being retried when it has been for so long, and then at most so often.
const (
	firstNews = 30 * time.Second
	newsEvery = time.Minute
)

// undoneTries is how often a request that is Once is sent where each answer says that nothing of it was kept.
const undoneTries = 7

// Waits of all requests together after an answer that says "too fast" but not until when, where there is no documented window.
const (
	firstThrottle = time.Second
	maxThrottle   = time.Minute
)

// An answer that is not JSON, always the same, is taken for what the API has to say after so many times in so much time.
const (
	sameAnswers = 3
	sameTime    = 30 * time.Second
)

// call is one request on its way through its attempts.
type call struct {
	r        Request
	where    func() string // method and path, redacted: it is made for texts alone
	attempts int
	first    time.Time     // when it was first admitted
	deadline time.Time     // when its time is over: MaxElapsed since then, without what it waited for an ordinary quota
	silence  time.Duration // by how much the deadline is nearer as long as the host does not answer
	news     time.Time     // when the user is next told that it is being retried
	held     time.Time     // until when its own answers made it wait
	own      Request       // the last attempt's, as a Signer left it
	signed   signature     // of the last attempt
	renewed  bool          // whether it ever was after a refusal
	sessions int           // of a Leaser, in which it was refused
	alone    bool          // whether the last attempt was the first with its credentials
	reopen   func()        // to be called when the next attempt is over, which is such a first one; nil: it is none
	patience time.Duration // for the next answer to begin
	use      *use          // the last attempt's of its credentials
	time     *time.Timer   // ends the attempt that is under way at the deadline
	taken    int64         // bytes of the budget that the last attempt took
	broken   broken
	doubts   int // answers that were in doubt
	undone   int // answers after which nothing was left of the request
	refusals int // answers of 401 that a Judge takes for a throttle
	last     *failure
	backoff  *backoff.ExponentialBackOff
}

// Do sends r until it has an answer that is good, or is not worth another try.
//
// An answer is good when its status is 2xx and its body JSON, unless a Judge says otherwise; a 206 is none to a request without a Range. Retried
// are 408, 425, 429, 5xx, a 206 of that kind, a 2xx that is not JSON, and whatever cut the answer off; Retry-After goes before the backoff, and
// after a 429, or a 503 with Retry-After, all requests wait. The time for it all, MaxElapsed, begins when r is first sent, and does not count what r
// waits in an ordinary quota. When it is over, or would be before the server wants to be asked again, the failure is a Transient fault, or a
// Config fault where it was the host that could not be found. While r waits to be sent again for a reason of its own the log says so, once a
// minute, but not in the first half minute. An answer that has not begun a minute after its request was sent is not waited for any longer; the next
// one is for two minutes, then four.
//
// A 401, or what a Judge calls Expired, renews the credentials, once for all requests that were signed with the same ones, and r is sent
// again, even if it is Once. A second refusal is final if the credentials are good for nothing: no request that was signed with them got
// any other answer, those included that are under way, which are waited for. Had they been good for others, these used them up, and r gets
// new ones that no other request is signed with before r has its answer; if they are refused too, that is final. What was refused with
// credentials that others have replaced meanwhile is simply sent again. Where Options.Auth is a Leaser, r is sent in another session instead, up
// to three times, unless it is Bound.
//
// When ctx ends, Do returns at once with an error that wraps ctx's, unless its Signer has sent a request for credentials: that has Patience left.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	to, err := r.target(c.base)
	if err != nil {
		return nil, err
	}
	release, err := c.lease(ctx, &r)
	if err != nil {
		return nil, err
	}
	defer release()
	leave, err := c.warmUp.enter(ctx, r)
	defer leave()
	if err != nil {
		return nil, err
	}
	if r.Admitted != nil {
		r.turn = &turn{done: r.Admitted}
	}
	call := &call{r: r, patience: headerTimeout, where: sync.OnceValue(func() string { return c.where(r, to) }), backoff: backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(firstInterval/2), backoff.WithRandomizationFactor(1), // uniform in 0 … 2 × the half
		backoff.WithMultiplier(2), backoff.WithMaxInterval(maxInterval/2), backoff.WithMaxElapsedTime(0))}
	good := false
	defer func() {
		if !good {
			call.keep(0)
		}
	}()
	for {
		res, f, err := c.attempt(ctx, call)
		if err != nil {
			return nil, c.ended(ctx, call, err)
		}
		if f == nil {
			c.warmUp.finish()
			good = true
			return res, nil
		}
		call.last = f
		if err := c.prepare(ctx, call, f); err != nil {
			return nil, err
		}
	}
}

// ended returns the error of a request that ended with err and without an answer. Where time ran out after a failure, that failure is told.
func (c *Client) ended(ctx context.Context, call *call, err error) error {
	if ctx.Err() == nil {
		return c.blank(err)
	}
	if f := call.last; f != nil && f.verdict.err == nil && ctx.Err() == context.DeadlineExceeded {
		f.cause = fmt.Errorf("%w: %w", err, f.cause)
		return c.err(call.where(), f, call.tries())
	}
	return fmt.Errorf("%s: %w", call.where(), c.blank(err))
}

// attempt signs, waits for its turn, sends and judges. A failure is of the attempt, an error of the request.
func (c *Client) attempt(ctx context.Context, call *call) (*Response, *failure, error) {
	call.keep(0)
	call.use = &use{renewal: &c.renewal, reopen: call.reopen}
	call.alone, call.reopen = call.reopen != nil, nil
	worked := false
	defer func() { call.use.end(worked) }()
	req, err := c.signed(ctx, call)
	if err != nil {
		return nil, nil, err
	}
	done, err := c.admit(ctx, call)
	if err != nil {
		return nil, nil, err
	}
	call.use.begin()
	sent := time.Now()
	under := ctx
	if call.r.Unsigned {
		var over func()
		under, over = outlive(ctx)
		defer over()
	}
	within, cancel := context.WithCancelCause(under)
	defer cancel(nil)
	call.time = time.AfterFunc(time.Until(call.deadline), func() { cancel(context.DeadlineExceeded) })
	defer call.time.Stop()
	res, reached, err := c.follow(within, cancel, call, req, done)
	var f *failure
	switch {
	case err == nil:
		if f = c.judge(call.where, call.own, res); f != nil && call.r.Bound && f.ran == notRun {
			f.ran = unknownRun // whoever refused it may stand behind who moved the place
		}
		worked = f == nil || f.step != renew
		call.broken.note(res, f)
	case ctx.Err() != nil && (!call.r.Once || !reached):
		return nil, nil, ctx.Err()
	case ctx.Err() != nil:
		f = &failure{step: stop, ran: unknownRun, reason: "was stopped before the answer came", cause: ctx.Err()}
	default:
		f = c.noAnswer(call.r.method(), cmp.Or(context.Cause(within), err), reached)
	}
	c.logAttempt(ctx, call, res, f, time.Since(sent))
	switch {
	case f == nil:
		c.throttle.reset(sent)
	case f.hold == holdAll && f.until.IsZero():
		f.until = c.throttle.grow(sent, c.o.Limit.Window())
	case f.hold == holdAWhile && f.until.IsZero():
		f.until = c.throttle.grow(sent, 0)
	}
	return res, f, nil
}

// signed returns the request of call with its credentials, as net/http takes it.
func (c *Client) signed(ctx context.Context, call *call) (*http.Request, error) {
	r := call.r.clone()
	defer func() { call.own = r }()
	if c.o.Auth != nil && !r.Unsigned {
		signature, err := c.renewal.sign(ctx, call.alone, func() error { return c.o.Auth.Sign(ctx, &r) })
		if err != nil {
			return nil, err
		}
		call.signed, call.use.signature = signature, signature
	}
	to, err := r.target(c.base)
	if err != nil {
		return nil, err
	}
	return c.request(r, to)
}

// broken counts the answers in a row that were not JSON and the same byte for byte.
type broken struct {
	text  [sha256.Size]byte
	count int
	first time.Time
}

// note counts res if it is such an answer, and makes f final if it is the last of enough. What is said of the moment, as "too fast" is, does not
// count.
func (b *broken) note(res *Response, f *failure) {
	if f == nil || f.step != retry || f.hold != holdOwn || f.verdict.kind == saysDoubt || res.Status/100 != 2 || res.Body.Exists() {
		b.count = 0
		return
	}
	text := sha256.Sum256(res.Text)
	if b.count == 0 || b.text != text {
		*b = broken{text: text, first: time.Now()}
	}
	if b.count++; b.count < sameAnswers || time.Since(b.first) < sameTime {
		return
	}
	f.same = fmt.Sprintf(" (the same %d times, byte for byte)", b.count)
}

// aside calls wait, for something that is no part of the request: its time, MaxElapsed, stands still meanwhile.
func (call *call) aside(wait func() error) error {
	began := time.Now()
	call.time.Stop()
	err := wait()
	call.deadline = call.deadline.Add(time.Since(began))
	call.time.Reset(time.Until(call.deadline))
	return err
}

// hear notes that the host answers.
func (c *Client) hear(call *call) {
	c.heard.Store(true)
	if call.silence > 0 {
		call.deadline = call.deadline.Add(call.silence)
		call.silence = 0
		call.time.Reset(time.Until(call.deadline))
	}
}

// room takes size bytes of the budget for an answer with that status. Where it has to wait for them, all timers stand still, and what the
// credentials were good for is told before: the requests that hold the budget may wait to know it.
func (call *call) room(ctx context.Context, size int64, idle *time.Timer, status int) error {
	if !call.r.Share.try(size) {
		call.use.end(status/100 == 2)
		idle.Stop()
		err := call.aside(func() error { return call.r.Share.take(ctx, size) })
		idle.Reset(idleTimeout)
		if err != nil {
			return err
		}
	}
	call.taken += size
	return nil
}

// keep gives back all but size bytes of what the last attempt took of the budget.
func (call *call) keep(size int64) {
	call.r.Share.give(call.taken - size)
	call.taken = size
}

// turn is a place in the quota that a request was given before it is sent. Safe for concurrent use.
type turn struct {
	mu   sync.Mutex
	done func() // nil: there is none, or it was taken
}

// take returns the done of the turn, once, or nil. A nil turn is none.
func (t *turn) take() (done func()) {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	done, t.done = t.done, nil
	return done
}

// admit waits for call's turn in the quota and keeps its time.
func (c *Client) admit(ctx context.Context, call *call) (done func(), err error) {
	asked := time.Now()
	if done = call.r.turn.take(); done == nil {
		if done, err = c.o.Limit.Wait(ctx, call.r.Waiting); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	if call.attempts++; call.attempts == 1 {
		call.first = now
		call.news = now.Add(firstNews)
		call.deadline = now.Add(c.o.MaxElapsed)
		if c.o.Silence > 0 && !c.heard.Load() {
			call.silence = max(0, c.o.MaxElapsed-c.o.Silence)
			call.deadline = call.deadline.Add(-call.silence)
		}
	} else if call.held.After(asked) {
		asked = call.held
	}
	if call.attempts > 1 && now.After(asked) {
		call.deadline = call.deadline.Add(now.Sub(asked))
	}
	return done, nil
}

// prepare waits, or renews the credentials, as f asks for before the next attempt, or returns the error that ends the request.
func (c *Client) prepare(ctx context.Context, call *call, f *failure) error {
	if f.step == renew {
		return c.renew(ctx, call, f)
	}
	if call.r.Once && f.ran == unknownRun {
		if call.r.Bound && f.hold != holdOwn {
			c.o.Limit.Hold(f.until)
		}
		return c.unknownOutcome(call.where(), f)
	}
	if f.late {
		call.patience *= 2
	}
	if f.step == stop || f.same != "" || call.r.Once && f.ran != notRun {
		return c.err(call.where(), f, f.same)
	}
	if call.r.Once && f.verdict.kind == saysUndone {
		if call.undone++; call.undone == undoneTries {
			return c.err(call.where(), f, call.tries())
		}
	}
	if f.verdict.kind == saysDoubt {
		if call.doubts++; call.doubts > doubtTries {
			return c.warmUp.failAll(c.err(call.where(), f, ""))
		}
		f.until = time.Now().Add(doubtPause)
	}
	next := f.until
	if next.IsZero() {
		next = time.Now().Add(call.backoff.NextBackOff())
	}
	if !next.Before(call.deadline) {
		if !f.until.IsZero() {
			return c.tooLate(call.where(), f, next)
		}
		return c.err(call.where(), f, call.tries())
	}
	if f.hold != holdOwn {
		call.held = next
		c.o.Limit.Hold(next)
		return c.renewThrottled(ctx, call, f)
	}
	if err := c.pause(ctx, call, f, next); err != nil {
		return c.ended(ctx, call, err)
	}
	return nil
}

// pause waits until next after f, and tells the user of it whenever that is due.
func (c *Client) pause(ctx context.Context, call *call, f *failure, next time.Time) error {
	for call.news.Before(next) {
		if err := sleep(ctx, call.news); err != nil {
			return err
		}
		what := c.what(call.where(), f)
		if !strings.Contains(what, call.where()) { // a Judge's words need not say what was asked
			what = call.where() + ": " + what
		}
		then := "It is tried again until " + call.deadline.UTC().Format(time.RFC3339) + "."
		if f.late {
			then += fmt.Sprintf(" Its answer may take %v to begin.", min(call.patience, time.Until(call.deadline)).Round(time.Second))
		}
		c.o.Log.InfoContext(ctx, sentence(what+call.tries(), then))
		call.news = time.Now().Add(newsEvery)
	}
	return sleep(ctx, next)
}

// tries says how often the request was tried and how long that took.
func (call *call) tries() string {
	times := "once"
	if call.attempts != 1 {
		times = fmt.Sprintf("%d times", call.attempts)
	}
	return fmt.Sprintf(" (tried %s in %v)", times, time.Since(call.first).Round(time.Second))
}

// Patience is how long a request that is Unsigned may still take when it was sent and its context ends: what its answer holds may be a session that
// stays open where nobody knows it, or the only refresh token that is good from then on. It leaves a run that is stopped the time to say so.
const Patience = time.Second

// outlive returns ctx as it would be if it ended Patience later. over gives back what that takes.
func outlive(ctx context.Context) (within context.Context, over func()) {
	within, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(Patience, cancel) })
	return within, func() {
		stop()
		cancel()
	}
}

func sleep(ctx context.Context, until time.Time) error {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (c *Client) logAttempt(ctx context.Context, call *call, res *Response, f *failure, took time.Duration) {
	if !c.o.Log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{slog.String("request", call.where()), slog.Int("attempt", call.attempts), slog.Duration("duration", took)}
	if res != nil {
		attrs = append(attrs, slog.Int("status", res.Status), slog.Int("bytes", len(res.Text)))
	} else if f != nil {
		attrs = append(attrs, slog.String("failure", f.reason))
	}
	c.o.Log.LogAttrs(ctx, slog.LevelDebug, "A request was sent.", attrs...)
}

// throttle is how long all requests are held after an answer that says "too fast" but not until when.
type throttle struct {
	mu    sync.Mutex
	wait  time.Duration
	until time.Time
}

// grow returns until when to hold all requests after a refusal of an attempt that was sent at that time: for the whole window where one is
// documented, or else for a time that doubles. Attempts that were under way together count once.
func (t *throttle) grow(sent time.Time, window time.Duration) time.Time {
	now := time.Now()
	if window > 0 {
		return now.Add(window)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !sent.Before(t.until) {
		t.wait = min(max(2*t.wait, firstThrottle), maxThrottle)
		t.until = now.Add(t.wait)
	}
	return t.until
}

// reset forgets, after a success, unless that was sent before the hold ended and says nothing about it.
func (t *throttle) reset(sent time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !sent.Before(t.until) {
		t.wait = 0
	}
}
