package rest

import (
	"bytes"
	"context"
	"sync"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// complete makes the lists whole that came in part in rows, which are those of one page. Lists of several rows are continued side by side.
func (r *run) complete(ctx context.Context, s *Stream, rows []record.Record) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	for i, row := range rows {
		if all, said := row.Get(s.Partial.Member + "." + s.Partial.Done).Bool(); all || !said {
			continue
		}
		wait.Go(func() {
			err := safely(func() (err error) {
				rows[i], err = r.whole(ctx, s, row)
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

// whole is row with all of its list.
func (r *run) whole(ctx context.Context, s *Stream, row record.Record) (record.Record, error) {
	p := s.Partial
	object := record.Record(row.Get(p.Member).Raw())
	elements := object.Get(p.Rows).Array()
	asked := map[string]bool{}
	for part, all := object, false; !all; {
		next := part.Get(p.Next).Text()
		if next == "" || asked[next] {
			return nil, fault.Systemf("The list %s of a row of %s came in part, and the API does not say where the rest is. "+
				"What came is not all, so it is not sent.", p.Member, s.Name)
		}
		asked[next] = true
		request := httpclient.Request{Path: next}
		request.First = func(resp *httpclient.Response) error {
			r.notice(resp)
			return nil
		}
		resp, err := r.do(ctx, request)
		if err != nil {
			return nil, err
		}
		part = resp.Body
		elements = append(elements, part.Get(p.Rows).Array()...)
		all = part.Get(p.Done).True()
	}
	if total, ok := object.Get(p.Total).Int(); p.Total != "" && ok && int64(len(elements)) < total {
		return nil, fault.Transientf("The API promised %d rows in the list %s of a row of %s and sent %d. Trying again later may help.",
			total, p.Member, s.Name, len(elements))
	}
	parts := make([][]byte, len(elements))
	for i, element := range elements {
		parts[i] = element
	}
	list := append(append([]byte{'['}, bytes.Join(parts, []byte{','})...), ']')
	object = record.Compile(record.Drop{Field: p.Next}).Append(nil, object,
		record.Member{Name: p.Done, Value: []byte("true")}, record.Member{Name: p.Rows, Value: list})
	var unshaped *record.Shape
	return unshaped.Append(nil, row, record.Member{Name: p.Member, Value: object}), nil
}
