package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// stage is a stage of the works: its code, and what document 1.0.2 calls it. 1.0.1 has only those that are old.
type stage struct {
	code, label string
	old         bool
}

func stages() []stage {
	return []stage{
		{"used", "Usado", true}, {"under construction", "Em construção", true}, {"new", "Lançamento", true}, {"pre-market", "Pré-lançamento", false},
	}
}

// stageOf returns the stage with that code or label; ok is whether there is one. Codes come with a space and with an underscore.
func stageOf(text string) (s stage, ok bool) {
	all := stages()
	i := slices.IndexFunc(all, func(s stage) bool { return s.code == strings.ReplaceAll(text, "_", " ") || s.label == text })
	if i < 0 {
		return stage{}, false
	}
	return all[i], true
}

// old reports whether text is the label of a stage that 1.0.1 has too.
func old(label string) bool {
	s, ok := stageOf(label)
	return ok && s.old
}

// document is the version of DWV's documentation that a server follows.
type document uint8

const (
	unknown document = iota
	first            // 1.0.1
	second           // 1.0.2
)

func (d document) other() document { return first + second - d }

// dialect signs requests, and has those that filter by the stage of the works do so in the words of the server's document. Which one that is
// cannot be known by the host, which may be a proxy. Nor can the parameters of both be sent: either document gives construction_stage other
// values, and a server may refuse what it does not know, pass over it and let every property through, or find none. So 1.0.2 is spoken until
// an answer shows that it is wrong, before any row of that is used: properties that are of the other document (construction_stage_raw is a
// member of theirs since 1.0.2, before which construction_stage was the code), a refusal, or no property at all with a label of 1.0.2. Then
// the request is made again in the other way.
type dialect struct {
	httpclient.Signer

	mu      sync.Mutex
	spoken  document
	sure    bool              // properties have shown it
	refused map[document]bool // what a filter was refused in
	doubted bool              // once, because nothing was found
}

func newDialect(signer httpclient.Signer) *dialect {
	return &dialect{Signer: signer, spoken: second, refused: map[document]bool{}}
}

// Sign puts the credentials on r and translates its filters.
func (d *dialect) Sign(ctx context.Context, r *httpclient.Request) error {
	if err := d.Signer.Sign(ctx, r); err != nil || !r.Query.Has(stageFilter) && !r.Query.Has(rawStageFilter) {
		return err
	}
	d.mu.Lock()
	asked := d.spoken
	d.mu.Unlock()
	translated, err := asked.filter(*r)
	if err != nil {
		return err
	}
	label, then := translated.Query.Get(stageFilter), r.First
	translated.First = func(res *httpclient.Response) httpclient.Verdict {
		if d.wrong(asked, label, res) {
			return httpclient.Again(fault.Systemf("DWV does not take the filters for the stage of the works. Change the filters in the configuration."))
		}
		if then == nil {
			return httpclient.Verdict{}
		}
		return then(res)
	}
	*r = translated
	return nil
}

// wrong reports whether an answer shows that another document is to be spoken than was asked in.
func (d *dialect) wrong(asked document, label string, res *httpclient.Response) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sure {
		return asked != d.spoken
	}
	rows := res.Body.Get("data").Array()
	for _, row := range rows {
		if told := documentOf(row); told != unknown {
			d.spoken, d.sure = told, true
			return asked != told
		}
	}
	switch {
	case res.Status == http.StatusBadRequest || res.Status == http.StatusUnprocessableEntity:
		d.refused[asked] = true
		if d.refused[asked.other()] {
			return false
		}
	case res.Status == http.StatusOK && len(rows) == 0 && asked == second && old(label) && !d.doubted && !d.refused[first]:
		d.doubted = true
	default:
		return false
	}
	d.spoken = asked.other()
	return true
}

// documentOf returns the document that a property follows, if it shows that.
func documentOf(property record.Value) document {
	text := property.Get(stageFilter).Text()
	s, ok := stageOf(text)
	switch {
	case property.Get(rawStageFilter).Exists() || ok && text == s.label:
		return second
	case ok:
		return first
	default:
		return unknown
	}
}

// filter returns r with its filters for the stage as a document has them.
func (d document) filter(r httpclient.Request) (httpclient.Request, error) {
	text, raw := r.Query.Get(stageFilter), r.Query.Get(rawStageFilter)
	s, ok := stageOf(text)
	if d == second {
		if ok && text != s.label { // a code
			r = r.With(httpclient.Query, stageFilter, nil)
			if raw == "" {
				r = r.With(httpclient.Query, rawStageFilter, s.code)
			}
		}
		return r, nil
	}
	if raw != "" {
		s, ok = stageOf(raw)
	}
	if ok && !s.old {
		return r, fault.Configf("This server of DWV follows version 1.0.1 of the API, which has no stage of the works %q. "+
			"Change the filters in the configuration.", s.label)
	}
	if ok {
		text = s.code
	}
	return r.With(httpclient.Query, rawStageFilter, nil).With(httpclient.Query, stageFilter, text), nil
}
