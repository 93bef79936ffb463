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
	p := sim.Object{
		"id": propertyID(index), "title": s.titleValue(index, f), "description": nil, "status": f.status, "deleted": r.State == removed,
		"address_display_type": []any{"full_address", "normal", nil}[h>>8%3], "unit": nil, "building": nil, "third_party_property": nil,
		"construction_company": s.stock.companies[f.company].row, "last_updated_at": nil,
	}
	if index%29 != 3 {
		p["description"] = s.stock.descriptions[h%uint64(len(s.stock.descriptions))]
	}
	if index%3 == 0 { // deprecated
		p["advertisement_title"], p["advertisement_description"] = p["title"], nil
	}
	if index%9 == 4 { // not documented, seen in practice
		p["inserted_at"], p["description_text"], p["selected_photos"] = "2023-05-01 08:00:00", "Imóvel novo", nil
	}
	s.stageOf(p, index, f)
	switch index % 4 {
	case 0, 1:
		p["rent"] = f.rent
	case 2:
		p["rent"] = strconv.FormatBool(f.rent)
	}
	switch {
	case f.third:
		p["third_party_property"] = s.third(index, r, f, h)
		if index%5 == 2 {
			p["construction_company"] = nil
		}
	case detail:
		p["unit"], p["building"] = s.unit(index, r, f, h), s.stock.building(f.building, true)
	default:
		p["unit"], p["building"] = s.unit(index, r, f, h), s.stock.buildings[f.building].row
	}
	if r.Time != 0 {
		layout := time.DateTime
		if index%13 == 5 { // seen in practice
			layout = time.RFC3339
		}
		p["last_updated_at"] = time.Unix(r.Time, 0).In(s.stock.zone).Format(layout)
	}
	return p
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
	title := s.title(index, f)
	switch {
	case title == "":
		return nil
	case index%19 == 4:
		return escaped(title)
	}
	return title
}

// stageOf sets the stage of the works: the raw name in 1.0.1, label and raw name in 1.0.2. Names come with a space as in the schema or with
// an underscore as in the sample, and may be null or empty.
func (s *Simulator) stageOf(p sim.Object, index int, f facts) {
	raw, old := f.stage.raw, s.with.Version == Version101
	if raw == "under construction" && (old || index%2 == 0) {
		raw = "under_construction"
	}
	p["construction_stage"] = f.stage.label
	if old {
		p["construction_stage"] = raw
	}
	if index%37 == 9 {
		p["construction_stage"] = nil
	}
	switch {
	case old:
	case index%41 == 8:
		p["construction_stage_raw"] = nil
	case index%43 == 8:
		p["construction_stage_raw"] = ""
	default:
		p["construction_stage_raw"] = raw
	}
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
	u := shared(r, f, h)
	u["id"], u["title"] = 254+index, strconv.Itoa(101+index%1900)
	if index%31 == 7 { // beyond what a float64 holds
		u["id"] = 9_007_199_254_740_993 + 2*index
	}
	u["floor_plan"] = sim.Object{"category": sim.Object{"title": f.kind.Name, "tag": f.kind.Tag}}
	u["section"] = []any{sim.Object{"name": "Bloco 1"}, sim.Object{"name": "Torre Água"}, nil}[index%3]
	if index%2 == 0 {
		u["construction_stage"] = "new"
	}
	u["cover"] = []any{
		"https://dwvimages.sfo2.cdn.digitaloceanspaces.com/upload/2018/07/fachada-greencoast-208x300.jpg", picture("capa"), nil,
	}[index%3]
	switch index % 5 {
	case 0:
		u["additional_galleries"] = nil
	case 1:
		u["additional_galleries"] = []any{}
	case 2:
		u["additional_galleries"] = []any{sim.Object{"title": "Decoração", "files": []any{picture("a")}}}
	}
	return u
}

func (s *Simulator) third(index int, r sim.Row, f facts, h uint64) sim.Object {
	t := shared(r, f, h)
	t["id"], t["title"], t["unit_info"] = 143+index, []any{"Terceiro", sim.Raw(`"Terceiro \u00e1gua\/sol"`)}[index%2], "Apartamento 101"
	t["address"], t["text_address"] = s.stock.places[f.place].row, s.stock.places[f.place].text
	picture := image(5000+index%100, true)
	t["gallery"] = []any{[]any{picture}, picture}[index%2]
	t["cover"], t["features"] = image(6000+index%100, index%4 == 0), features(index)
	if index%7 == 2 { // not documented, seen in practice
		t["delivery_date"], t["property_tax"], t["administration_fee"], t["virtual_tour"] = nil, "2979.56", "449.00", nil
	}
	return t
}

// count returns a number, or null for a negative one.
func count(n int) any {
	if n < 0 {
		return nil
	}
	return n
}

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
