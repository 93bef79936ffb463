package listing

import (
	"bytes"
	"context"
	"sync"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// beyondTotal is how many more parts of a list are asked for when as many elements came as it was said to have: it may have grown.
const beyondTotal = 3

// complete makes the lists whole that came in part in rows, which are those of one page. Lists of several rows are continued side by side.
func (r *Reader) complete(ctx context.Context, l *Listing, rows []record.Record) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	for i, row := range rows {
		list := partialOf(l.Partial, record.Record(row.Get(l.Partial.Member).Raw()))
		if list.whole() {
			continue
		}
		wait.Go(func() {
			err := safely(func() (err error) {
				rows[i], err = r.whole(ctx, l, row, list)
				return err
			})
			if err != nil {
				cancel(err)
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

// part is what one part of a list says.
type part struct {
	elements []record.Record
	total    int64
	done     bool // or it does not say so, and not where the rest is
	next     string
}

func partialOf(p *Partial, object record.Record) part {
	one := part{elements: object.Get(p.Rows).Array(), next: object.Get(p.Next).Text()}
	done, said := object.Get(p.Done).Bool()
	one.done = done || !said && one.next == ""
	if p.Total != "" {
		one.total, _ = object.Get(p.Total).Int()
	}
	return one
}

// whole is whether no more of the list is to be asked for.
func (p part) whole() bool { return p.done && int64(len(p.elements)) >= p.total }

// whole is row with all of its list, of which first came in it.
func (r *Reader) whole(ctx context.Context, l *Listing, row record.Record, first part) (record.Record, error) {
	list := first
	asked := map[string]bool{}
	for further := 0; !list.whole(); {
		switch {
		case list.next == "" && list.done:
			return nil, fault.Transientf("The API promised %d rows in the list %s of a row of %s and sent %d. Trying again later may help.",
				list.total, l.Partial.Member, l.Name, len(list.elements))
		case list.next == "" || asked[list.next]:
			return nil, fault.Systemf("The list %s of a row of %s came in part, and the API does not say where the rest is. "+
				"What came is not all, so it is not sent.", l.Partial.Member, l.Name)
		}
		asked[list.next] = true
		next, err := r.part(ctx, l, list.next)
		if err != nil {
			return nil, err
		}
		list.elements = append(list.elements, next.elements...)
		list.done, list.next, list.total = next.done, next.next, max(list.total, next.total)
		if len(next.elements) > 0 && (list.total == 0 || int64(len(list.elements)) <= list.total) {
			further = 0
		} else if further++; further >= beyondTotal {
			return nil, fault.Transientf("The list %s of a row of %s goes on behind its end: %d rows were promised and %d came. "+
				"Trying again later may help.", l.Partial.Member, l.Name, list.total, len(list.elements))
		}
	}
	return l.Partial.put(row, list.elements), nil
}

// part asks for one further part of a list. What is in it has memory of its own: it is kept until the list is whole.
func (r *Reader) part(ctx context.Context, l *Listing, address string) (part, error) {
	leave, err := r.enter(ctx, true)
	if err != nil {
		return part{}, err
	}
	defer leave()
	share := r.Budget.Take(1)
	defer share.Release()
	request := httpclient.Request{Path: address, Share: share}
	request.First = func(resp *httpclient.Response) error {
		r.notice(resp)
		return nil
	}
	resp, err := r.do(ctx, request)
	if err != nil {
		return part{}, err
	}
	return partialOf(l.Partial, bytes.Clone(resp.Body)), nil
}

// put is row with these elements as the list, which is done.
func (p *Partial) put(row record.Record, elements []record.Record) record.Record {
	parts := make([][]byte, len(elements))
	for i, element := range elements {
		parts[i] = element
	}
	list := append(append([]byte{'['}, bytes.Join(parts, []byte{','})...), ']')
	object := record.Compile(record.Drop{Field: p.Next}).Append(nil, row.Get(p.Member).Raw(),
		record.Member{Name: p.Done, Value: []byte("true")}, record.Member{Name: p.Rows, Value: list})
	var unshaped *record.Shape
	return unshaped.Append(nil, row, record.Member{Name: p.Member, Value: object})
}
