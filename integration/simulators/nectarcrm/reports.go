package nectarcrm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// historyPath is the report of the stages that opportunities went through.
const historyPath = "big-data/opportunity-history"

// updated is the aggregator by which a report is of the opportunities that were last updated on its days.
const updated = 3

// history answers the stages of the opportunities that belong to days. Which days those are the aggregator says; all three parameters are
// needed. Whether the days themselves are in it is not known: see Options.Exclusive.
func (s *Simulator) history(_ *http.Request, values url.Values) (any, int) {
	p := &reader{s: s, values: values}
	by, ok := p.number("aggregator", 0, 5)
	from, begun := p.day("initialDate", time.DateOnly)
	until, ended := p.day("endDate", time.DateOnly)
	if !ok || p.bad || !begun || !ended || until.Before(from) {
		return nil, bad
	}
	if until = until.AddDate(0, 0, 1); s.with.Exclusive {
		from, until = from.AddDate(0, 0, 1), until.AddDate(0, 0, -1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := []sim.JSON{}
	for i, r := range s.opportunities.Rows {
		at := s.reported(i, r)
		if by != updated {
			at = s.entered(i, 0)
		}
		if !r.Gone && at >= from.UnixMilli() && at < until.UnixMilli() {
			for k := range s.passed(i, r) {
				rows = append(rows, s.passage(i, k))
			}
		}
	}
	return s.enveloped(s.reports, rows), http.StatusOK
}

// reported returns when an opportunity was last updated, as reports know it: for them there is always such a time.
func (s *Simulator) reported(index int, r row) int64 {
	if r.Time == 0 {
		return time.Date(2013, time.May, 6, 12, 0, 0, 0, s.zone).UnixMilli() + int64(index)
	}
	return r.Time
}

// passed returns how many stages an opportunity went through: one more with each change.
func (s *Simulator) passed(index int, r row) int {
	return 1 + s.dice(s.opportunities, index, 7).N(4) + int(r.Version)
}

// entered returns when an opportunity came into its k-th stage.
func (s *Simulator) entered(index, k int) int64 {
	return s.spread(s.forms(s.opportunities, index, 8)) + int64(k)*36*60*60*1000
}

// passage returns a row of the report: labels as people read them, all values texts. The rows are ASCII alone: they are known by their bytes, which a
// fault of the charset would change.
func (s *Simulator) passage(index, k int) sim.JSON {
	return s.written(s.reports, indexed{index: index}, k, nil, func() object { return s.stage(index, k) })
}

func (s *Simulator) stage(index, k int) object {
	d := s.forms(s.opportunities, index, 300+uint64(k))
	at := time.UnixMilli(s.entered(index, k)).In(s.zone)
	return object{
		"Oportunidade: Codigo": strconv.Itoa(s.opportunities.id(index)), "Oportunidade: Funil": "Funil " + strconv.Itoa(index%13),
		"Etapa": "Etapa " + strconv.Itoa(1+k%6), "Etapa: Ordem": strconv.Itoa(k), "Data de entrada": at.Format("02/01/2006 15:04"),
		"Responsavel": userLogin(d.N(s.users.count)), "Oportunidade: Valor": fmt.Sprintf("%d.%03d,%02d", 1+d.N(900), d.N(1000), d.N(100)),
	}
}

// passageLabels returns the names in a passage.
func passageLabels() []string {
	return []string{
		"Oportunidade: Codigo", "Oportunidade: Funil", "Etapa", "Etapa: Ordem", "Data de entrada", "Responsavel", "Oportunidade: Valor",
	}
}

// rowHash returns what the connector's rows without a documented key are known by: the first half of their SHA-256, as they are sent.
func rowHash(row []byte) string {
	sum := sha256.Sum256(row)
	return hex.EncodeToString(sum[:16])
}
