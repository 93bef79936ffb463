package listing

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// beyondTotal is how many more parts of a list are asked for after as many elements came as were promised: the list may have grown.
const beyondTotal = 3

// complete completes the partial lists in the rows of a page, side by side, and picks the values of these rows again.
func (l *listing) complete(ctx context.Context, page *fetched) *End {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	var first atomic.Pointer[End]
	var wait sync.WaitGroup
	for i, row := range page.Records {
		list := partialOf(l.Partial, row.Get(l.Partial.Member))
		if list.complete() {
			continue
		}
		wait.Go(func() {
			var end *End
			if err := fault.Safely(func() error {
				page.Records[i], end = l.fetchParts(within, row, list)
				copy(page.picked[i*l.rows.width:], l.rows.picker.Pick(page.Records[i], nil))
				return nil
			}); err != nil {
				end = failed(err)
			}
			if end != nil && first.CompareAndSwap(nil, end) {
				cancel()
			}
		})
	}
	wait.Wait()
	if err := context.Cause(ctx); err != nil {
		return failed(err)
	}
	return first.Load()
}

type part struct {
	list     record.Value // the elements as the answer has them
	elements []record.Value
	total    int64
	done     bool // the list is complete, or the answer says neither that nor where the rest is
	next     string
}

func partialOf(p *Partial, object record.Value) part {
	list := object.Get(p.Rows)
	one := part{list: list, elements: list.Array(), next: object.Get(p.Next).Text()}
	done, said := object.Get(p.Done).Bool()
	one.done = done || !said && one.next == ""
	if p.Total != "" {
		one.total, _ = object.Get(p.Total).Int()
	}
	return one
}

// complete reports whether nothing more of the list has to be asked for.
func (p part) complete() bool { return p.done && int64(len(p.elements)) >= p.total }

// owner returns the row that an element says it belongs to, or "" if it does not say.
func (p *Partial) owner(element record.Value) string {
	switch of := element.Get(p.Of).Text(); {
	case p.Of == "":
		return ""
	case p.Same != nil:
		return p.Same(of)
	default:
		return of
	}
}

// strays reports whether elements name another row than the elements before them, which must all name one and the same.
func (p *Partial) strays(before, elements []record.Value) bool {
	if len(before) == 0 {
		return false
	}
	of := p.owner(before[0])
	other := func(element record.Value) bool { return p.owner(element) != of }
	if of == "" || slices.ContainsFunc(before, other) {
		return false
	}
	return slices.ContainsFunc(elements, func(element record.Value) bool { return p.owner(element) != "" && other(element) })
}

// fetchParts returns row with its whole list. list is the part that came in row.
func (l *listing) fetchParts(ctx context.Context, row record.Value, list part) (record.Value, *End) {
	what := fmt.Sprintf("list %s of a row of %s", l.Partial.Member, l.Name)
	asked, came := map[string]bool{}, map[digest]bool{hashOf(list.list.Raw(), 0): true}
	for further := 0; !list.complete(); {
		switch {
		case list.next == "" && list.done:
			return record.Value{}, failed(fault.Laterf("The API promised %d rows in the %s and sent %d.", list.total, what, len(list.elements)))
		case list.next == "" || asked[list.next]:
			return record.Value{}, failed(fault.Systemf("The %s came in part, and the API does not say where the rest is. "+
				"What came is not all, so it is not sent.", what))
		}
		asked[list.next] = true
		next, end := l.part(ctx, list)
		if end != nil {
			return record.Value{}, end
		}
		content := hashOf(next.list.Raw(), 0)
		if len(next.elements) > 0 && came[content] {
			return record.Value{}, failed(fault.Laterf("The API gives the same part of the %s twice.", what))
		}
		came[content] = true
		list.elements = append(list.elements, next.elements...)
		list.done, list.next, list.total = next.done, next.next, max(list.total, next.total)
		if len(next.elements) > 0 && (list.total == 0 || int64(len(list.elements)) <= list.total) {
			further = 0
		} else if further++; further >= beyondTotal {
			return record.Value{}, failed(fault.Laterf("The %s goes on behind its end: %d rows were promised and %d came.",
				what, list.total, len(list.elements)))
		}
	}
	return l.Partial.put(row, list.elements), nil
}

// part asks for the part of a list that follows before. The part has memory of its own, because it is kept until the list is complete.
func (l *listing) part(ctx context.Context, before part) (part, *End) {
	select {
	case l.reader.parts <- struct{}{}:
		defer func() { <-l.reader.parts }()
	case <-ctx.Done():
		return part{}, failed(context.Cause(ctx))
	}
	share := l.reader.Budget.Take(1)
	defer share.Release()
	var j judging
	judge := func(resp *httpclient.Response) httpclient.Verdict {
		switch list := resp.Body.Get(l.Partial.Rows); {
		case resp.Status/100 != 2, list.IsArray() && !l.Partial.strays(before.elements, list.Array()):
			return httpclient.Verdict{}
		case list.IsArray():
			return j.again(fault.Laterf("%s answered with the rest of the list %s of another row of %s than the one that it was asked for.",
				before.next, l.Partial.Member, l.Name))
		}
		return j.again(fault.Transientf("%s answered without the rest of the list %s of a row of %s.", before.next, l.Partial.Member, l.Name))
	}
	resp, end := l.reader.do(ctx, httpclient.Request{Path: before.next, Share: share, Waiting: l.Waiting, Judge: judge})
	if end != nil {
		return part{}, end
	}
	return partialOf(l.Partial, record.Record(bytes.Clone(resp.Body.Raw())).Get("")), nil
}

// put returns row with elements as its list, marked as complete.
func (p *Partial) put(row record.Value, elements []record.Value) record.Value {
	parts := make([][]byte, len(elements))
	for i, element := range elements {
		parts[i] = element.Raw()
	}
	list := append(append([]byte{'['}, bytes.Join(parts, []byte{','})...), ']')
	object := record.Compile(record.Drop{Field: p.Next}).Append(nil, row.Get(p.Member).Raw(),
		record.Member{Name: p.Done, Value: []byte("true")}, record.Member{Name: p.Rows, Value: list})
	var unshaped *record.Shape
	return record.Record(unshaped.Append(nil, row.Raw(), record.Member{Name: p.Member, Value: object})).Get("")
}
