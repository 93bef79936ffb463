package listing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/brazil"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// A bad answer is final after badTries tries and badTime: an answer that is always bad is not worth as long a wait as a server that is down.
const (
	badTries = 4
	badTime  = 10 * time.Second
	// nullTries is how many answers without a row, or with nothing at all, are needed to believe that the row has gone.
	nullTries = 3
	// absentTries is how many answers are needed to believe that an account does not have something: a proxy may say so for a moment.
	absentTries = 2
)

// pageRequest asks for one page. Its Share is its share of the Budget; nil: the answer is not counted.
type pageRequest struct {
	httpclient.Request
	later       bool // it is not the first page: what the first page said of the listing still holds
	maybeAbsent bool // the page may not exist, which an API may say with a 4xx
}

// fetched is one page and the request that brought it.
type fetched struct {
	pagination.Page
	request  pageRequest
	picked   []record.Value // what the picker picked, of each row
	rows     []Row          // the rows that did not come before; set by reading.accept
	memory   *memory        // holds Records and picked
	mended   Mended
	total    pagination.Total
	place    string // the place of the next page; "": there is no next page, or it has no place
	listless bool   // it has a total but no list: that is the end, unless more rows are promised than came
	refused  error  // why the API refused the page with a 4xx; nil: it did not
}

// memory is what a page is cut into. It is reused for later pages.
type memory struct{ records, picked []record.Value }

func (r *Reader) memory() *memory { return r.memories.Get().(*memory) } //nolint:forcetypeassert // nothing else is put there

// free releases the memory of p to other pages and empties p.
func (r *Reader) free(p *fetched) {
	r.Client.Free(p.Body)
	if m := p.memory; m != nil {
		clear(m.records) // they would keep the page alive
		clear(m.picked)
		r.memories.Put(m)
	}
	*p = fetched{}
}

// fetch asks for one page and picks values from its rows. If there are no rows where there should be some, it asks again, as after any other fault of
// a server. The page's request has q's Share, which the caller releases, also after an error.
func (r *reading) fetch(ctx context.Context, q pageRequest) (fetched, *End) {
	page := fetched{request: q, memory: r.reader.memory()}
	j := &judging{fetched: &page, reading: r}
	request := q.Request
	request.First, request.Judge = j.before, j.after
	_, end := r.reader.do(ctx, request)
	if end == nil || end.Kind != Failed {
		return page, end
	}
	final := j.status != 0 && fault.Of(end.Err).Kind != fault.Transient
	end.Denied = final && !q.later
	if j.kind != Done {
		end.Kind = j.kind
	}
	aboutTime := slices.Contains([]int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}, j.status)
	if q.maybeAbsent && end.Kind == Failed && final && j.status/100 == 4 && !aboutTime { // an API may say this way that the page does not exist
		page.refused = end.Err
		return page, nil
	}
	return page, end
}

// judging judges the answers to one request, across its retries.
type judging struct {
	*fetched // the page in the last answer
	reading  *reading
	status   int  // of the last answer
	kind     Kind // what the last answer means beyond a failure; Done: nothing
	wrong    int  // answers with another page than was asked for
	absent   int  // answers that the account does not have the listing
	nulls    int  // answers without the row asked for, and bare empty lists
	bad      int  // answers in a bad form
	since    time.Time
}

// before runs before the API's own Judge. Of a later page it only notes the status: what is missing or refused shows in the first page.
func (j *judging) before(resp *httpclient.Response) httpclient.Verdict {
	j.status, j.kind = resp.Status, Done
	*j.fetched = fetched{request: j.request, memory: j.memory} // forget the answer before
	l := j.reading
	switch {
	case says(l.Nothing, resp):
		j.Page = pagination.Page{Header: resp.Header, Body: resp.Body}
		return httpclient.Good()
	case j.request.later:
	case l.Optional && says(l.Absent, resp):
		if l.hadRows.Load() {
			return j.again(fault.Transientf("%s answered with rows, and then that the account does not have them.", j.request.Path))
		}
		lacks := fault.Configf("The account does not have what was asked for at %s (%d): %s.", j.request.Path, resp.Status, resp.Words())
		if j.absent++; j.absent < absentTries {
			return httpclient.Again(lacks)
		}
		j.kind = Absent
		return httpclient.Fail(lacks)
	case l.Missing && says(l.reader.Gone, resp):
		return j.gone()
	case (l.Refusable || !l.way.last) && says(l.Refused, resp):
		j.kind = Refused
		if judge := l.reader.Judge; judge != nil {
			if v := judge(resp); v != (httpclient.Verdict{}) {
				return v
			}
		}
		return httpclient.Fail(fault.Systemf("%s refused what was asked.", j.request.Path))
	}
	return httpclient.Verdict{}
}

// says reports whether what is true of resp; a nil what is true of no answer.
func says(what func(*httpclient.Response) bool, resp *httpclient.Response) bool {
	return what != nil && what(resp)
}

// after runs after the API's own Judge. It cuts the rows out of a good answer.
func (j *judging) after(resp *httpclient.Response) httpclient.Verdict {
	l := j.reading
	switch good := resp.Status/100 == 2; {
	case l.Missing && !j.request.later && resp.Status == http.StatusNotFound && !says(l.Absent, resp):
		return j.gone()
	case good && l.Detail != "" && len(bytes.TrimSpace(resp.Text)) == 0:
		return j.detail()
	case !good || !resp.Body.Exists():
		return httpclient.Verdict{}
	}
	j.Page = pagination.Page{Header: resp.Header, Body: resp.Body}
	if l.Value != "" {
		j.Body = l.objects(resp.Body)
	}
	j.mended = Mended{Replaced: resp.Replaced, Control: resp.Control}
	err := l.cut(j.fetched)
	switch {
	case err == nil && len(j.Records) == 0 && complains(resp.Body):
		err = fault.Transientf("%s answered without the rows that were asked for: %s.", j.request.Path, resp.Words())
	case err == nil && j.unwrapped():
		err = j.without()
	}
	if err != nil {
		return j.again(err)
	}
	if len(j.Records) > 0 {
		l.hadRows.Store(true)
		l.reader.bare.LoadOrStore(l.Name, j.Body.IsArray())
	}
	if l.Detail != "" {
		return j.detail()
	}
	if echoer, ok := l.way.Pages.(pagination.Echoer); ok && !echoer.Echoes(j.request.Request, j.Page) {
		failure := fault.Transientf("%s answered with another page than was asked for.", j.request.Path)
		if j.wrong++; j.wrong > repeats && !l.way.last {
			j.kind = wrongPage
			return httpclient.Fail(failure)
		}
		return j.again(failure)
	}
	return httpclient.Verdict{}
}

// unwrapped reports whether the answer is a bare empty list although the API should wrap it, so that it may not answer what was asked. It does answer
// if lists of this name come bare or, for a child, if no list with rows came yet and the answer stays the same.
func (j *judging) unwrapped() bool {
	if len(j.Records) > 0 || !j.Body.IsArray() || !j.total.Documented || j.total.Told {
		return false
	}
	if bare, known := j.reading.reader.bare.Load(j.reading.Name); known {
		return bare == false
	}
	j.nulls++
	return !j.reading.Child || j.nulls < nullTries
}

// gone ends the request because the row that it belongs to has gone.
func (j *judging) gone() httpclient.Verdict {
	j.kind = Gone
	return httpclient.Fail(fault.Transientf("The row that %s belongs to has gone.", j.request.Path))
}

// detail judges the answer to a request for one row.
func (j *judging) detail() httpclient.Verdict {
	if len(j.Records) == 0 {
		if j.nulls++; j.nulls >= nullTries {
			return j.gone()
		}
		return httpclient.Again(fault.Transientf("%s answered without the row that was asked for.", j.request.Path))
	}
	if len(j.Records) > 1 || !sameCode(keyText(j.Records[0], j.reading.Key), j.reading.Detail) {
		return j.again(fault.Transientf("%s answered with another row than the one that was asked for.", j.request.Path))
	}
	return httpclient.Verdict{}
}

// sameCode reports whether two keys are equal. Some APIs write a code with leading zeros in one place and without them in another.
func sameCode(a, b string) bool {
	if a == b {
		return true
	}
	return len(a) > 0 && len(b) > 0 && strings.Trim(a+b, "0123456789") == "" && strings.TrimLeft(a, "0") == strings.TrimLeft(b, "0")
}

// again says that err may pass, as long as another try may help.
func (j *judging) again(err error) httpclient.Verdict {
	if j.bad++; j.bad == 1 {
		j.since = time.Now()
	}
	if j.bad >= badTries && time.Since(j.since) >= badTime {
		return httpclient.Fail(err)
	}
	return httpclient.Again(err)
}

// cut finds the rows in the answer in p, and the number of rows that it tells.
func (r *reading) cut(p *fetched) error {
	pages := r.way.Pages
	_, single := pages.(pagination.Single)
	list, err := r.list(p.Body), error(nil)
	object := list.IsObject() && !r.onlyRow(list, single) // it is no list
	if m := p.memory; list.Exists() && !list.IsNull() && !object {
		m.records, m.picked, err = r.rows.picker.Cut(list, "", m.records[:0], m.picked[:0])
		p.Records, p.picked = m.records, m.picked
	}
	if totaled, ok := pages.(pagination.Totaled); ok {
		p.total = totaled.Total(p.Page, true)
		if p.total.Bad != "" {
			return fault.Transientf("%s answered with something that is no number as %s, the number of rows.", p.request.Path, p.total.Bad)
		}
		numbered, sized := pages.(pagination.Numbered)
		if sized { // the size of a page tells whether it is the last one, whatever number of rows is told
			_, sized = numbered.Fewest()
		}
		switch rows := int64(len(p.Records)); {
		case rows == 0 || !p.total.Told:
		case p.total.Reliable && (p.total.Rows <= 0 || p.total.Rows < rows && !sized):
			return fault.Transientf("%s answered with %d rows and said that there are %d.", p.request.Path, rows, p.total.Rows)
		case p.total.Rows <= 0:
			p.total = pagination.Total{}
		}
	}
	if single && len(p.Records) == 1 && p.Records[0].IsBlank() { // it says nothing
		p.Records, p.picked = nil, nil
	}
	switch {
	case list.IsNull() || object:
		if r.Detail != "" && list.Exists() && !object {
			return nil
		}
		if p.listless = p.total.Told; !p.listless && (object || !r.omitted(p.Body)) {
			return p.without()
		}
	case err != nil:
		return &fault.Error{Kind: fault.Transient, Message: p.request.Path + " answered with rows of an unknown form.", Err: err}
	case len(p.Records) == 0 && p.total.Reliable && !p.total.Told:
		return fault.Transientf("%s answered with an empty list, and without the number of rows, which tells whether there are none.", p.request.Path)
	}
	return nil
}

// list returns the first list, object or null at the paths of the rows, or else the zero Value. A bare list counts whatever the path.
func (l *Listing) list(body record.Value) record.Value {
	if body.IsArray() {
		return body
	}
	for path := range strings.SplitSeq(l.Records, ",") {
		if v := body.Get(path); v.IsArray() || v.IsObject() || v.Exists() && v.IsNull() {
			return v
		}
	}
	return record.Value{}
}

// without returns the error for an answer without a list where there should be one.
func (p *fetched) without() error {
	return fault.Transientf("%s answered without the rows that were asked for.", p.request.Path)
}

// onlyRow reports whether an object in the place of the list may be its only row, because some APIs write a list of one that way: it must have a key.
// Without pages there may be no key, and an object without members is no row.
func (l *Listing) onlyRow(object record.Value, single bool) bool {
	return single && (l.Detail != "" || len(l.Key) == 0 || object.IsBlank()) || len(l.Key) > 0 && keyText(object, l.Key) != ""
}

// omitted reports whether body may have left out the list: the value around the list exists, and neither is nor has another list of objects.
func (l *Listing) omitted(body record.Value) bool {
	hasObjects := func(v record.Value) bool { return slices.ContainsFunc(v.Array(), record.Value.IsObject) }
	return l.Omits && slices.ContainsFunc(strings.Split(l.Records, ","), func(path string) bool {
		around := body.Get(path[:max(0, strings.LastIndexByte(path, '.'))])
		for _, member := range around.Members() {
			if hasObjects(member) {
				return false
			}
		}
		return around.Exists() && !hasObjects(around)
	})
}

// complains reports whether an answer without rows says that something went wrong: in a member for errors or success, or in a message that says
// neither that there is nothing nor that all is well.
func complains(body record.Value) bool {
	for _, name := range []string{"error", "errors", "erro", "erros", "Erro"} {
		switch string(body.Get(name).Raw()) {
		case "", "null", "false", `""`, "[]", "{}", "0":
		default:
			return true
		}
	}
	for _, name := range []string{"sucesso", "success"} {
		if body.Get(name).False() {
			return true
		}
	}
	return slices.ContainsFunc([]string{"mensagem", "Mensagem", "message", "Message", "mensagens.0"}, func(name string) bool {
		words := strings.TrimSpace(body.Get(name).Text())
		return words != "" && !brazil.NoRow(words) && !brazil.Fine(words)
	})
}

// do sends a request. If there is no good answer, the end is Failed or tooLarge.
func (r *Reader) do(ctx context.Context, request httpclient.Request) (*httpclient.Response, *End) {
	var last *httpclient.Response
	judge := request.First
	request.First = func(resp *httpclient.Response) httpclient.Verdict {
		last = resp
		if says := r.Notice; says != nil {
			if text := says(resp); text != "" && r.noticed.CompareAndSwap(false, true) {
				r.Log.Warn(text)
			}
		}
		if judge == nil {
			return httpclient.Verdict{}
		}
		return judge(resp)
	}
	resp, err := r.Client.Do(ctx, request)
	if err == nil {
		r.answered.Store(true)
		return resp, nil
	}
	if why, ok := errors.AsType[*fault.Error](context.Cause(ctx)); ok { // the cause of the stop explains more than the request's error
		err = why
	}
	end := failed(err)
	large := errors.Is(err, httpclient.ErrTooLarge)
	if last != nil && r.TooLarge != nil && !large {
		end.most, large = r.TooLarge(last)
	}
	if large {
		end.Kind = tooLarge
	}
	return nil, end
}

// objects returns the list of values in body as a list of objects with each value as the member Value, or body itself if it has no list.
func (l *Listing) objects(body record.Value) record.Value {
	for path := range strings.SplitSeq(","+l.Records, ",") { // a bare list counts whatever the path
		values := body.Get(path)
		if !values.IsArray() {
			continue
		}
		name, list := strconv.Quote(l.Value), []byte{'['}
		for value := range values.Elements() {
			if len(list) > 1 {
				list = append(list, ',')
			}
			list = fmt.Appendf(list, "{%s:%s}", name, value.Raw())
		}
		return record.Record(append(list, ']')).Get("")
	}
	return body
}
