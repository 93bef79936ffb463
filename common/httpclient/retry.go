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

// Waits between the attempts of one request: any time up to the interval ("full jitter"), which doubles up to its cap.
const (
	firstInterval = 500 * time.Millisecond
	maxInterval   = 30 * time.Second
)

// The user is told of a request that has been retried for firstNews, and then once every newsEvery at most.
const (
	firstNews = 30 * time.Second
	newsEvery = time.Minute
)

// undoneTries is how often a request that is Once is sent if each answer says that nothing of it was kept.
const undoneTries = 7

// Waits of all requests together after an answer that says "too fast" but not until when, if no window is documented.
const (
	firstThrottle = time.Second
	maxThrottle   = time.Minute
)

// An answer that is not JSON is final if the same bytes come this many times over this much time.
const (
	sameAnswers = 3
	sameTime    = 30 * time.Second
)

// call is one request with its attempts.
type call struct {
	r        Request
	where    func() string // returns method and path, redacted; computed only if a text needs it
	attempts int
	first    time.Time     // when it was first admitted
	deadline time.Time     // when its time is over: MaxElapsed after first, plus its waits for an ordinary quota
	silence  time.Duration // by how much the deadline is earlier until the host answers
	news     time.Time     // when to tell the user next that it is being retried
	held     time.Time     // until when its own answers have made it wait
	own      Request       // the request of the last attempt, as the Signer left it
	signed   signature     // of the last attempt
	renewed  bool          // whether a refusal ever led to a renewal
	sessions int           // how many sessions of a Leaser it was refused in
	alone    bool          // whether the last attempt was the first with its credentials
	reopen   func()        // to be called after the next attempt, if it is the first with its credentials; nil: it is not
	patience time.Duration // how long to wait for the next answer to begin
	use      *use          // of the credentials, by the last attempt
	time     *time.Timer   // ends the current attempt at the deadline
	taken    int64         // how many bytes of the budget the last attempt took
	broken   broken
	doubts   int // how many answers were in doubt
	undone   int // how many answers said that the request was undone
	refusals int // how many 401 answers a Judge took for a throttle
	last     *failure
	backoff  *backoff.ExponentialBackOff
}

// Do sends r until it gets a good answer, or one that is not worth another try.
//
// An answer is good if its status is 2xx and its body JSON, unless a Judge says otherwise. A 206 is not good if r has no Range. Do retries after a
// 408, 425, 429 or 5xx, such a 206, a 2xx that is not JSON, and an answer that was cut off. Retry-After takes precedence over the backoff. After a
// 429, or a 503 with Retry-After, all requests wait. MaxElapsed bounds all of that. It begins when r is first sent and does not include waits for an
// ordinary quota. If it is over, or would be before the server wants to be asked again, the failure is a Transient fault, or a Config fault if the
// host was not found. While r waits to be retried for a reason of its own, the log says so once a minute, but not in the first half minute. An
// attempt whose answer has not begun a minute after it was sent is given up; the next attempts get two minutes, then four.
//
// A 401, or what a Judge calls Expired, renews the credentials once for all requests signed with the same ones, and r is sent again, even if it is
// Once. A second refusal is final if the credentials are useless: no request signed with them got any other answer. Do waits for such requests that
// are in flight. If the credentials worked for others, these used them up, and r gets new ones, with which no other request is signed before r has
// its answer. If they are refused too, that is final. If others have replaced the refused credentials in the meantime, r is simply sent again. If
// Options.Auth is a Leaser, r is instead sent in another session, up to three times, unless it is Bound.
//
// When ctx ends, Do returns at once with an error that wraps ctx's, unless its Signer has sent a request for credentials: that may take Patience
// more.
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
		backoff.WithInitialInterval(firstInterval/2), backoff.WithRandomizationFactor(1), // uniform from 0 to twice the half
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

// ended returns the error of a request that ended with err and without an answer. If time ran out after a failure, the error tells that failure.
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

// attempt signs, waits for its turn, sends and judges. A failure concerns the attempt, and an error ends the request.
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
			f.ran = unknownRun // one server may have moved the place before another refused the request
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

// signed returns the request of call with its credentials, in the form of net/http.
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

// broken counts successive answers that were not JSON and had the same bytes.
type broken struct {
	text  [sha256.Size]byte
	count int
	first time.Time
}

// note counts res if it is such an answer, and makes f final if there were enough. Answers about the moment, such as "too fast", do not count.
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

// aside calls wait, which waits for something outside of the request. MaxElapsed does not run in the meantime.
func (call *call) aside(wait func() error) error {
	began := time.Now()
	call.time.Stop()
	err := wait()
	call.deadline = call.deadline.Add(time.Since(began))
	call.time.Reset(time.Until(call.deadline))
	return err
}

// hear notes that the host has answered.
func (c *Client) hear(call *call) {
	c.heard.Store(true)
	if call.silence > 0 {
		call.deadline = call.deadline.Add(call.silence)
		call.silence = 0
		call.time.Reset(time.Until(call.deadline))
	}
}

// room takes size bytes of the budget for an answer with the given status. If it has to wait for them, all timers are stopped, and it first reports
// whether the credentials worked: the requests that hold the budget may wait to know that.
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

// keep gives back all but size bytes of what the last attempt took from the budget.
func (call *call) keep(size int64) {
	call.r.Share.give(call.taken - size)
	call.taken = size
}

// turn is a turn in the quota that a request was given before it is sent. It is safe for concurrent use.
type turn struct {
	mu   sync.Mutex
	done func() // nil: there is no turn, or it was taken
}

// take returns done the first time, and then nil. A nil turn has none.
func (t *turn) take() (done func()) {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	done, t.done = t.done, nil
	return done
}

// admit waits for call's turn in the quota and updates its deadline.
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

// prepare waits before the next attempt, or renews the credentials, as f demands, or returns the error that ends the request.
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
		if !strings.Contains(what, call.where()) { // a Judge's text need not name the request
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

// Patience is how much longer an Unsigned request may take if its context ends after it was sent. Its answer may hold a session that would stay open
// unknown to anybody, or the only refresh token that is valid from then on. Patience leaves a stopped run enough time to report that.
const Patience = time.Second

// outlive returns a context that ends Patience after ctx. over releases its resources.
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

// grow returns until when to hold all requests after the refusal of an attempt sent at the given time: for the whole window if one is documented, or
// else for a time that doubles. Attempts in flight together count once.
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

// reset resets the wait after a success, unless the successful attempt was sent before the hold ended and says nothing about it.
func (t *throttle) reset(sent time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !sent.Before(t.until) {
		t.wait = 0
	}
}
