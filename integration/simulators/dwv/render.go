package dwv

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Property returns one property as the list shows it, or as its detail does; false when there is none (any more) of that id.
func (s *Simulator) Property(id int, detail bool) (sim.JSON, bool) {
	s.mu.Lock()
	index, ok := s.rows.Index(id)
	var r sim.Row
	if ok {
		r = s.rows.Rows[index]
	}
	s.mu.Unlock()
	if !ok || r.Gone {
		return nil, false
	}
	return s.written(indexed{index, r}, detail), true
}

// written returns a property as it goes out.
func (s *Simulator) written(p indexed, detail bool) sim.JSON {
	type key struct {
		seed    uint64
		version string
		indexed
		detail bool
	}
	return s.with.Rendered.Row(key{s.with.Seed, s.with.Version, p, detail}, func() any { return s.property(p.index, p.row, detail) })
}

// property returns a property. What is absent, null or of another type than the schema says depends on the index.
func (s *Simulator) property(index int, r sim.Row, detail bool) sim.Object {
	f, h := s.facts(index), s.dice(index, 3)
	title, deprecated := s.titleValue(index, f), index%3 == 0
	stage, raw := s.stageOf(index, f)
	p := sim.Object{
		"id": propertyID(index), "title": title, "status": f.status, "deleted": r.State == removed, "construction_stage": stage,
		"construction_stage_raw": raw, "description": either(index%29 == 3, nil, s.stock.descriptions[h%uint64(len(s.stock.descriptions))]),
		"advertisement_title": either(deprecated, title, sim.Absent), "advertisement_description": either(deprecated, nil, sim.Absent),
		"address_display_type": []any{"full_address", "normal", nil}[h>>8%3], "last_updated_at": s.updatedAt(index, r),
		"rent": []any{f.rent, f.rent, strconv.FormatBool(f.rent), sim.Absent}[index%4],
		"unit": nil, "building": nil, "third_party_property": nil,
		"construction_company": either(f.third && index%5 == 2, nil, s.stock.companies[f.company].row),
	}
	if index%9 == 4 { // not documented, seen in practice
		p["inserted_at"], p["description_text"], p["selected_photos"] = "2023-05-01 08:00:00", "Imóvel novo", nil
	}
	switch {
	case f.third:
		p["third_party_property"] = s.third(index, r, f, h)
	case detail:
		p["unit"], p["building"] = s.unit(index, r, f, h), s.stock.building(f.building, true)
	default:
		p["unit"], p["building"] = s.unit(index, r, f, h), s.stock.buildings[f.building].row
	}
	return p.Present()
}

// either returns one value where something is so, and the other one where it is not.
func either(so bool, value, other any) any {
	if so {
		return value
	}
	return other
}

// updatedAt returns the time of change of a property, in the form of the samples or in one that was seen in practice.
func (s *Simulator) updatedAt(index int, r sim.Row) any {
	layout := time.DateTime
	if index%13 == 5 {
		layout = time.RFC3339
	}
	return either(r.Time == 0, nil, time.Unix(r.Time, 0).In(s.stock.zone).Format(layout))
}

// title returns the advertisement title of a property, empty when it has none.
func (s *Simulator) title(index int, f facts) string {
	if index%401 == 7 {
		return ""
	}
	title := f.kind.Name + " " + strconv.Itoa(index)
	if !f.third {
		title += " no " + s.stock.buildings[f.building].title
	}
	switch index % 17 {
	case 3:
		title += " 🌊 vista pro mar"
	case 9:
		title += ` "frente" <mar> & cia`
	}
	return title
}

func (s *Simulator) titleValue(index int, f facts) any {
	switch title := s.title(index, f); {
	case title == "":
		return nil
	case index%19 == 4:
		return escaped(title)
	default:
		return title
	}
}

// stageOf returns the stage of the works and its raw name: in 1.0.1 the raw name as the one, in 1.0.2 the label and the raw name. Names come with a
// space as in the schema or with an underscore as in the sample, and may be null or empty.
func (s *Simulator) stageOf(index int, f facts) (stage, raw any) {
	old := s.with.Version == Version101
	if raw = f.stage.raw; raw == "under construction" && (old || index%2 == 0) {
		raw = "under_construction"
	}
	stage = either(index%37 == 9, nil, either(old, raw, f.stage.label))
	switch {
	case old:
		raw = sim.Absent
	case index%41 == 8:
		raw = nil
	case index%43 == 8:
		raw = ""
	}
	return stage, raw
}

// price returns in hundredths of reais; it changes with each version.
func price(h uint64, r sim.Row) int {
	return 10_000_000 + int(h>>16%900_000_000) + int(r.Version)
}

// shared returns what units and third parties' homes share.
func shared(r sim.Row, f facts, h uint64) sim.Object {
	p := sim.Object{
		"price": decimal(price(h, r)), "dorms": count(f.dorms), "suites": count(f.suites), "bathroom": count(f.bathrooms),
		"parking_spaces": count(f.parking), "private_area": decimal(int(2500 + h>>20%30_000)),
		"util_area": []string{"0.00", "25.2", "125.16"}[h>>4%3], "total_area": []any{"0.0", nil, "240.92"}[h>>4%3],
		"rent": f.rent, "type": f.kind.Name, "payment_conditions": []any{},
	}
	if h>>6%2 == 1 {
		p["payment_conditions"] = []any{
			sim.Object{"title": "Entrada 20%", "operator": sim.Object{"title": "Percentual", "type": "percentage"}, "value": "20007.75"},
			sim.Object{"title": "Saldo 84x", "operator": sim.Object{"title": "Parcelas", "type": "installments"}, "value": nil},
		}
	}
	return p
}

func (s *Simulator) unit(index int, r sim.Row, f facts, h uint64) sim.Object {
	const cdn = "https://dwvimagesv1.b-cdn.net/upload/"
	picture := func(name string) sim.Object {
		return sim.Object{"url": cdn + name + ".jpg", "sizes": sim.Object{"small": cdn + name + "-small.jpg"}}
	}
	decoration := []any{sim.Object{"title": "Decoração", "files": []any{picture("a")}}}
	u := shared(r, f, h)
	u.Add(sim.Object{
		"id":    either(index%31 == 7, 9_007_199_254_740_993+2*index, 254+index), // the former is beyond what a float64 holds
		"title": strconv.Itoa(101 + index%1900), "floor_plan": sim.Object{"category": sim.Object{"title": f.kind.Name, "tag": f.kind.Tag}},
		"section":            []any{sim.Object{"name": "Bloco 1"}, sim.Object{"name": "Torre Água"}, nil}[index%3],
		"construction_stage": either(index%2 == 0, "new", sim.Absent),
		"cover": []any{
			"https://dwvimages.sfo2.cdn.digitaloceanspaces.com/upload/2018/07/fachada-greencoast-208x300.jpg", picture("capa"), nil,
		}[index%3],
		"additional_galleries": []any{nil, []any{}, decoration, sim.Absent, sim.Absent}[index%5],
	})
	return u.Present()
}

func (s *Simulator) third(index int, r sim.Row, f facts, h uint64) sim.Object {
	t, at, picture := shared(r, f, h), s.stock.places[f.place], image(5000+index%100, true)
	t.Add(sim.Object{
		"id": 143 + index, "title": []any{"Terceiro", sim.Raw(`"Terceiro \u00e1gua\/sol"`)}[index%2], "unit_info": "Apartamento 101",
		"address": at.row, "text_address": at.text, "gallery": []any{[]any{picture}, picture}[index%2],
		"cover": image(6000+index%100, index%4 == 0), "features": features(index),
	})
	if index%7 == 2 { // not documented, seen in practice
		t["delivery_date"], t["property_tax"], t["administration_fee"], t["virtual_tour"] = nil, "2979.56", "449.00", nil
	}
	return t
}

// count returns a number, or null for a negative one.
func count(n int) any { return either(n < 0, nil, n) }

// decimal returns hundredths as a text with a dot: prices and areas come so.
func decimal(hundredths int) string { return fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100) }

// escaped returns a text as PHP writes it: pure ASCII, and \/ for a slash.
func escaped(text string) sim.Raw {
	var b strings.Builder
	for _, c := range string(sim.Encode(text)) {
		if c < utf8.RuneSelf {
			b.WriteRune(c)
			continue
		}
		for _, unit := range utf16.Encode([]rune{c}) {
			_, _ = fmt.Fprintf(&b, `\u%04x`, unit) // a builder takes all
		}
	}
	return sim.Raw(strings.ReplaceAll(b.String(), "/", `\/`))
}

// unescaped returns a text whose line separators are written as they are, where encoding/json would escape them.
func unescaped(text string) sim.Raw {
	return sim.Raw(strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029").Replace(string(sim.Encode(text))))
}
