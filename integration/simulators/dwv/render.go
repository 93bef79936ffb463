package dwv

import (
	"bytes"
	"strconv"
	"time"
)

// Property is one property as the list shows it, or as its detail does; false when there is none (any more) of that id.
func (s *Simulator) Property(id int, detail bool) ([]byte, bool) {
	s.mu.Lock()
	index, ok := s.indexOf(id)
	var r row
	if ok {
		r = s.rows[index]
	}
	s.mu.Unlock()
	if !ok || r.gone {
		return nil, false
	}
	var w writer
	s.property(&w, index, r, detail)
	return w.b, true
}

// property writes a property. What is absent, null or of another type than the schema says depends on the index.
func (s *Simulator) property(w *writer, index int, r row, detail bool) {
	f := s.facts(index)
	h := s.dice(index, 3)
	w.raw(`{"id":`)
	w.int(propertyID(index))
	w.raw(`,"title":`)
	s.writeTitle(w, index, f)
	w.raw(`,"description":`)
	description := []byte("null")
	if index%29 != 3 {
		description = s.stock.descriptions[h%uint64(len(s.stock.descriptions))]
	}
	w.bytes(description)
	if index%3 == 0 { // deprecated
		w.raw(`,"advertisement_title":`)
		s.writeTitle(w, index, f)
		w.raw(`,"advertisement_description":null`)
	}
	if index%9 == 4 { // not documented, seen in practice
		w.raw(`,"inserted_at":"2023-05-01 08:00:00","description_text":"Imóvel novo","selected_photos":null`)
	}
	w.raw(`,"status":"`)
	w.raw(f.status)
	w.raw(`"`)
	s.writeStage(w, index, f)
	switch index % 4 {
	case 0, 1:
		w.raw(`,"rent":`)
		w.b = strconv.AppendBool(w.b, f.rent)
	case 2:
		w.raw(`,"rent":"`)
		w.b = strconv.AppendBool(w.b, f.rent)
		w.raw(`"`)
	}
	w.raw(`,"deleted":`)
	w.b = strconv.AppendBool(w.b, r.deleted)
	w.raw([]string{`,"address_display_type":"full_address"`, `,"address_display_type":"normal"`, `,"address_display_type":null`}[h>>8%3])
	if f.third {
		w.raw(`,"unit":null,"building":null,"third_party_property":`)
		s.third(w, index, r, f, h)
	} else {
		w.raw(`,"unit":`)
		s.unit(w, index, r, f, h)
		w.raw(`,"building":`)
		if detail {
			w.bytes(s.stock.building(f.building, true))
		} else {
			w.bytes(s.stock.buildings[f.building].json)
		}
		w.raw(`,"third_party_property":null`)
	}
	w.raw(`,"construction_company":`)
	if f.third && index%5 == 2 {
		w.raw("null")
	} else {
		w.bytes(s.stock.companies[f.company].json)
	}
	w.raw(`,"last_updated_at":`)
	switch {
	case r.updated == 0:
		w.raw("null")
	case index%13 == 5: // seen in practice
		w.b = time.Unix(r.updated, 0).In(s.stock.zone).AppendFormat(w.b, `"`+time.RFC3339+`"`)
	default:
		w.b = time.Unix(r.updated, 0).In(s.stock.zone).AppendFormat(w.b, `"`+time.DateTime+`"`)
	}
	w.raw("}")
}

// title appends the advertisement title of a property, nothing when it has none.
func (s *Simulator) title(dst []byte, index int, f facts) []byte {
	if index%401 == 7 {
		return dst
	}
	dst = append(dst, f.kind.Name...)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, int64(index), 10)
	if !f.third {
		dst = append(append(dst, " no "...), s.stock.buildings[f.building].title...)
	}
	switch index % 17 {
	case 3:
		dst = append(dst, " 🌊 vista pro mar"...)
	case 9:
		dst = append(dst, ` "frente" <mar> & cia`...)
	}
	return dst
}

func (s *Simulator) writeTitle(w *writer, index int, f facts) {
	start := len(w.b)
	w.raw(`"`)
	w.b = s.title(w.b, index, f)
	title := w.b[start+1:]
	switch {
	case len(title) == 0:
		w.b = append(w.b[:start], "null"...)
	case index%19 == 4:
		text := string(title)
		w.b = w.b[:start]
		w.escaped(text)
	case bytes.ContainsAny(title, `"\`):
		text := string(title)
		w.b = w.b[:start]
		w.text(text)
	default:
		w.raw(`"`)
	}
}

// writeStage writes the stage of the works: the raw name in 1.0.1, label and raw name in 1.0.2. Names come with a space as in the schema
// or with an underscore as in the sample, and may be null or empty.
func (s *Simulator) writeStage(w *writer, index int, f facts) {
	raw := f.stage.raw
	if raw == "under construction" && (s.with.Version == Version101 || index%2 == 0) {
		raw = "under_construction"
	}
	label := `"` + f.stage.label + `"`
	if s.with.Version == Version101 {
		label = `"` + raw + `"`
	}
	w.raw(`,"construction_stage":`)
	if index%37 == 9 {
		label = "null"
	}
	w.raw(label)
	if s.with.Version == Version101 {
		return
	}
	switch {
	case index%41 == 8:
		w.raw(`,"construction_stage_raw":null`)
	case index%43 == 8:
		w.raw(`,"construction_stage_raw":""`)
	default:
		w.raw(`,"construction_stage_raw":"` + raw + `"`)
	}
}

// price is in hundredths of reais; it changes with each version.
func price(h uint64, r row) int {
	return 10_000_000 + int(h>>16%900_000_000) + int(r.version)
}

// writeHome writes what units and third parties' homes share.
func writeHome(w *writer, r row, f facts, h uint64) {
	w.raw(`,"price":`)
	w.decimal(price(h, r))
	w.raw(`,"dorms":`)
	w.count(f.dorms)
	w.raw(`,"suites":`)
	w.count(f.suites)
	w.raw(`,"bathroom":`)
	w.count(f.bathrooms)
	w.raw(`,"parking_spaces":`)
	w.count(f.parking)
	w.raw(`,"private_area":`)
	w.decimal(int(2500 + h>>20%30_000))
	w.raw([]string{
		`,"util_area":"0.00","total_area":"0.0"`, `,"util_area":"25.2","total_area":null`, `,"util_area":"125.16","total_area":"240.92"`,
	}[h>>4%3])
	w.raw(`,"rent":`)
	w.b = strconv.AppendBool(w.b, f.rent)
	w.raw([]string{
		`,"payment_conditions":[]`,
		`,"payment_conditions":[{"title":"Entrada 20%","operator":{"title":"Percentual","type":"percentage"},"value":"20007.75"},` +
			`{"title":"Saldo 84x","operator":{"title":"Parcelas","type":"installments"},"value":null}]`,
	}[h>>6%2])
}

func (s *Simulator) unit(w *writer, index int, r row, f facts, h uint64) {
	w.raw(`{"id":`)
	if index%31 == 7 { // beyond what a float64 holds
		w.int(9_007_199_254_740_993 + 2*index)
	} else {
		w.int(254 + index)
	}
	w.raw(`,"title":"`)
	w.int(101 + index%1900)
	w.raw(`","type":`)
	w.text(f.kind.Name)
	w.raw(`,"floor_plan":{"category":{"title":`)
	w.text(f.kind.Name)
	w.raw(`,"tag":"` + f.kind.Tag + `"}}`)
	w.raw([]string{`,"section":{"name":"Bloco 1"}`, `,"section":{"name":"Torre Água"}`, `,"section":null`}[index%3])
	writeHome(w, r, f, h)
	if index%2 == 0 {
		w.raw(`,"construction_stage":"new"`)
	}
	w.raw(`,"cover":`)
	switch index % 3 {
	case 0:
		w.raw(`"https://dwvimages.sfo2.cdn.digitaloceanspaces.com/upload/2018/07/fachada-greencoast-208x300.jpg"`)
	case 1:
		w.raw(`{"url":"https://dwvimagesv1.b-cdn.net/upload/capa.jpg","sizes":{"small":"https://dwvimagesv1.b-cdn.net/upload/capa-small.jpg"}}`)
	case 2:
		w.raw("null")
	}
	switch index % 5 {
	case 0:
		w.raw(`,"additional_galleries":null`)
	case 1:
		w.raw(`,"additional_galleries":[]`)
	case 2:
		w.raw(`,"additional_galleries":[{"title":"Decoração","files":[{"url":"https://dwvimagesv1.b-cdn.net/upload/a.jpg",` +
			`"sizes":{"small":"https://dwvimagesv1.b-cdn.net/upload/a-small.jpg"}}]}]`)
	}
	w.raw("}")
}

func (s *Simulator) third(w *writer, index int, r row, f facts, h uint64) {
	w.raw(`{"id":`)
	w.int(143 + index)
	w.raw(`,"title":"Terceiro`)
	w.raw([]string{`"`, ` \u00e1gua\/sol"`}[index%2])
	w.raw(`,"type":`)
	w.text(f.kind.Name)
	w.raw(`,"unit_info":"Apartamento 101"`)
	writeHome(w, r, f, h)
	w.raw(`,"address":`)
	w.bytes(s.stock.places[f.place].json)
	w.raw(`,"text_address":`)
	w.text(s.stock.places[f.place].text)
	w.raw(`,"gallery":`)
	if index%2 == 0 {
		w.raw("[")
		image(w, 5000+index%100, true)
		w.raw("]")
	} else {
		image(w, 5000+index%100, true)
	}
	w.raw(`,"cover":`)
	image(w, 6000+index%100, index%4 == 0)
	w.raw(`,"features":`)
	features(w, index)
	if index%7 == 2 { // not documented, seen in practice
		w.raw(`,"delivery_date":null,"property_tax":"2979.56","administration_fee":"449.00","virtual_tour":null`)
	}
	w.raw("}")
}
