package destination

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// carryOut sends c, which was admitted by the quota, and handles its outcome.
func (w *writer) carryOut(e *entry, c *call, counted func()) {
	share := w.budget.Take(0)
	defer share.Release()
	var answer *httpclient.Response
	request := httpclient.Request{
		Method: http.MethodPost, Path: c.operation.Path, Body: c.body, Once: true, Judge: w.api.Outcome, Admitted: counted, Share: share,
	}
	request.First = func(res *httpclient.Response) httpclient.Verdict {
		answer = res
		if name, twice := res.Body.TwiceAnywhere(); twice {
			return Unknown(fmt.Sprintf("the answer has %q twice", name))
		}
		return httpclient.Verdict{}
	}
	_, err := w.client.Do(w.calls, request)
	if err == nil {
		err = w.confirm(c, answer)
	}
	refusal, isRefused := errors.AsType[*rejection](err)
	doubted, isDoubted := errors.AsType[*doubt](err)
	switch {
	case err == nil:
		err = w.done(e, c, answer)
	case isDoubted && doubted.passes:
		err = w.interrupted(e, c, answer, doubted)
	case isDoubted:
		err = w.unknown(e, c, answer, err)
	case errors.Is(err, httpclient.ErrUnknownOutcome):
		err = w.unknown(e, c, nil, err)
	case isRefused:
		message := short(w.api.Redact.Quote(refusal.message))
		if err = w.noted(e, c, rejected, refused, message, answer); err != nil {
			w.add(&w.count.rejected)
		} else {
			err = w.reject(e, c, message)
		}
	default:
		err = w.undone(e, c, err)
	}
	if err != nil {
		w.fail(e, err)
	}
}

// confirm returns the doubt that a successful answer leaves about c, or nil.
func (w *writer) confirm(c *call, answer *httpclient.Response) error {
	object := answer.Body.Get(c.operation.Gives)
	for _, f := range c.operation.Fields {
		sent, _ := c.fields[f.As].(string)
		if is := object.Get(f.As); c.operation.Gives != "" && f.Key && sent != "" && !is.IsBlank() && !f.Kind.same(sent, is.Text()) {
			told := short(w.api.Redact.Quote(is.Text()))
			return &doubt{why: fmt.Sprintf("the answer is about another one: %s in %s is %q", f.As, c.operation.Gives, told)}
		}
	}
	return nil
}

// name returns the name of a call in messages.
func (c *call) name() string { return c.operation.Name + " of " + c.about }

// known returns c in the form that the journal stores.
func (c *call) known(e *entry) *known {
	return &known{Number: e.number, Operation: c.operation.Name, About: c.about, Stream: e.stream, Identity: c.identity, room: c.room}
}

// done handles a call that was carried out.
func (w *writer) done(e *entry, c *call, answer *httpclient.Response) error {
	var told []string
	for _, path := range w.api.Told {
		if v := answer.Body.Get(path); strings.HasPrefix(string(v.Raw()), `"`) {
			told = append(told, path[strings.LastIndexByte(path, '.')+1:]+" "+short(w.api.Redact.String(v.Text())))
		}
	}
	text := c.name() + " was carried out"
	if len(told) > 0 {
		text += ": " + strings.Join(told, ", ")
	}
	w.log.Info(text + ".")
	if err := w.noted(e, c, done, carriedOut, "", answer); err != nil {
		w.add(&w.count.done) // it was carried out, but no state may pass it
		return err
	}
	w.settle(e, &w.count.done)
	return nil
}

// noted records what became of c in the file of receipts and in the journal, with the receipt if that could not be written. The answer may be nil.
func (w *writer) noted(e *entry, c *call, o outcome, said verdict, message string, answer *httpclient.Response) error {
	owed, err := w.receipt(e, c, said, message, answer)
	if o == unknown {
		return errors.Join(err, w.journal.owe(c.known(e), owed...))
	}
	if o == unrun {
		message = ""
	}
	failed := w.journal.end(e.number, o, message, owed...)
	switch was := c.name() + " was " + strings.ReplaceAll(string(said), "_", " "); { // what was not run may be sent again
	case failed != nil && o != unrun:
		failed = before(failed, `set in_doubt to "skip": `+was+`, and the journal does not say so`)
	case err != nil && o == done && w.journal == nil:
		err = before(err, "take the order out of the source: "+was+", and no journal (journal_path) is configured that would know it")
	}
	return errors.Join(err, failed)
}

// before adds to err what must be done before the next sync, and why, so that no order is carried out twice once the file can be written again.
func before(err error, then string) error {
	return &fault.Error{Kind: fault.Config, Err: err, Message: fault.Of(err).Message + " Before the next sync " + then + "."}
}

// receipt adds what became of c to the file of receipts. owed is as in receipts.write. The answer may be nil.
func (w *writer) receipt(e *entry, c *call, outcome verdict, message string, answer *httpclient.Response) (owed []string, err error) {
	r := receipt{
		Stream: e.stream.Name, Namespace: e.stream.Namespace, Operation: c.operation.Name, Order: c.fields, Outcome: outcome, Message: message,
	}
	if answer != nil {
		r.Returned = answer.Body.Raw()
	}
	return w.receipts.write(r)
}

// undone handles a call that was not carried out, for a reason unrelated to its record.
func (w *writer) undone(e *entry, c *call, err error) error {
	failed := w.journal.end(e.number, unrun, "")
	if w.calls.Err() == nil { // otherwise the call was given up, for a reason that is already known
		f := fault.Of(err)
		failed = errors.Join(failed, &fault.Error{Kind: f.Kind, Message: c.name() + " was not carried out: " + f.Message, Err: err})
	}
	return failed
}

// interrupted handles a call that may have been carried out in part.
func (w *writer) interrupted(e *entry, c *call, answer *httpclient.Response, d *doubt) error {
	failed := fault.Transientf("%s failed, for a reason that passes by itself: %s. It goes out again with the next sync. Whether a part of it was "+
		"carried out is not known: look %s.", c.name(), strings.TrimSuffix(short(w.api.Redact.Quote(d.why)), "."), c.operation.Look)
	return errors.Join(failed, w.noted(e, c, unrun, uncertain, failed.Message, answer))
}

// unknown handles a call if nobody knows whether it was carried out.
func (w *writer) unknown(e *entry, c *call, answer *httpclient.Response, err error) error {
	then := "No journal is configured (journal_path), so a later sync may send it again: take it out of the source first if it was carried out."
	if w.journal != nil {
		then = inDoubt
	}
	what, _, _ := strings.Cut(fault.Of(err).Message, " It is not known") // the failure below says that better, because it also says where to look
	if d, ok := errors.AsType[*doubt](err); ok {
		sent := httpclient.Request{Method: http.MethodPost, Path: c.operation.Path}
		what = w.client.Where(sent) + " failed: " + short(w.api.Redact.Quote(d.why)) + "."
	}
	failed := &fault.Error{Kind: fault.Config, Err: err, Message: fmt.Sprintf(
		"%s: %s It is not known whether it was carried out, and it was not sent again. Look %s. %s", c.name(), what, c.operation.Look, then)}
	return errors.Join(failed, w.noted(e, c, unknown, uncertain, what, answer))
}

// What to do if one order is in doubt, and if several are, none of which may be carried out twice.
const (
	inDoubt    = `Then set in_doubt to "skip" if it was, or to "resend" if it was not, and sync again.`
	allInDoubt = `Then set in_doubt to "resend" if none of them was, or else to "skip", and sync again; with "skip", have the source ask anew for ` +
		`those that were not.`
)

// doubt decides what becomes of calls that an earlier run began and left without an outcome.
func (w *writer) doubt(calls []*known) (outcome, error) {
	names := make([]string, len(calls))
	looks := map[string]string{}
	for _, o := range w.api.Operations {
		looks[o.Name] = o.Look
	}
	for i, c := range calls {
		names[i] = c.Operation + " of " + c.About
	}
	switch w.api.InDoubt {
	case "resend":
		w.log.Warn("The outcome of " + strings.Join(names, "; ") + " was never known; what comes again is sent again (in_doubt).")
		return unrun, nil
	case "skip":
		w.log.Warn("The outcome of " + strings.Join(names, "; ") + " was never known; it is taken to be carried out (in_doubt).")
		w.taken = calls
		return done, nil
	}
	var text strings.Builder
	for i, c := range calls {
		fmt.Fprintf(&text, "%s: it is not known whether an earlier run carried it out. Look %s. ", names[i], looks[c.Operation])
	}
	then := inDoubt
	if len(calls) > 1 {
		then = allInDoubt
	}
	return unknown, fault.Configf("%s%s", &text, then)
}
