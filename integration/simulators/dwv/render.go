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
	return w.B, true
}

// property writes a property. What is absent, null or of another type than the schema says depends on the index.
func (s *Simulator) property(w *writer, index int, r row, detail bool) {
	f := s.facts(index)
	h := s.dice(index, 3)
	w.Raw(`{"id":`)
	w.Whole(propertyID(index))
	w.Raw(`,"title":`)
	s.writeTitle(w, index, f)
	w.Raw(`,"description":`)
	description := []byte("null")
	if index%29 != 3 {
		description = s.stock.descriptions[h%uint64(len(s.stock.descriptions))]
	}
	w.bytes(description)
	if index%3 == 0 { // deprecated
		w.Raw(`,"advertisement_title":`)
		s.writeTitle(w, index, f)
		w.Raw(`,"advertisement_description":null`)
	}
	if index%9 == 4 { // not documented, seen in practice
		w.Raw(`,"inserted_at":"2023-05-01 08:00:00","description_text":"Imóvel novo","selected_photos":null`)
	}
	w.Raw(`,"status":"`)
	w.Raw(f.status)
	w.Raw(`"`)
	s.writeStage(w, index, f)
	switch index % 4 {
	case 0, 1:
		w.Raw(`,"rent":`)
		w.B = strconv.AppendBool(w.B, f.rent)
	case 2:
		w.Raw(`,"rent":"`)
		w.B = strconv.AppendBool(w.B, f.rent)
		w.Raw(`"`)
	}
	w.Raw(`,"deleted":`)
	w.B = strconv.AppendBool(w.B, r.deleted)
	w.Raw([]string{`,"address_display_type":"full_address"`, `,"address_display_type":"normal"`, `,"address_display_type":null`}[h>>8%3])
	if f.third {
		w.Raw(`,"unit":null,"building":null,"third_party_property":`)
		s.third(w, index, r, f, h)
	} else {
		w.Raw(`,"unit":`)
		s.unit(w, index, r, f, h)
		w.Raw(`,"building":`)
		if detail {
			w.bytes(s.stock.building(f.building, true))
		} else {
			w.bytes(s.stock.buildings[f.building].json)
		}
		w.Raw(`,"third_party_property":null`)
	}
	w.Raw(`,"construction_company":`)
	if f.third && index%5 == 2 {
		w.Raw("null")
	} else {
		w.bytes(s.stock.companies[f.company].json)
	}
	w.Raw(`,"last_updated_at":`)
	switch {
	case r.updated == 0:
		w.Raw("null")
	case index%13 == 5: // seen in practice
		w.B = time.Unix(r.updated, 0).In(s.stock.zone).AppendFormat(w.B, `"`+time.RFC3339+`"`)
	default:
		w.B = time.Unix(r.updated, 0).In(s.stock.zone).AppendFormat(w.B, `"`+time.DateTime+`"`)
	}
	w.Raw("}")
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
	start := len(w.B)
	w.Raw(`"`)
	w.B = s.title(w.B, index, f)
	title := w.B[start+1:]
	switch {
	case len(title) == 0:
		w.B = append(w.B[:start], "null"...)
	case index%19 == 4:
		text := string(title)
		w.B = w.B[:start]
		w.escaped(text)
	case bytes.ContainsAny(title, `"\`):
		text := string(title)
		w.B = w.B[:start]
		w.Quote(text)
	default:
		w.Raw(`"`)
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
	w.Raw(`,"construction_stage":`)
	if index%37 == 9 {
		label = "null"
	}
	w.Raw(label)
	if s.with.Version == Version101 {
		return
	}
	switch {
	case index%41 == 8:
		w.Raw(`,"construction_stage_raw":null`)
	case index%43 == 8:
		w.Raw(`,"construction_stage_raw":""`)
	default:
		w.Raw(`,"construction_stage_raw":"` + raw + `"`)
	}
}

// price is in hundredths of reais; it changes with each version.
func price(h uint64, r row) int {
	return 10_000_000 + int(h>>16%900_000_000) + int(r.version)
}

// writeHome writes what units and third parties' homes share.
func writeHome(w *writer, r row, f facts, h uint64) {
	w.Raw(`,"price":`)
	w.decimal(price(h, r))
	w.Raw(`,"dorms":`)
	w.count(f.dorms)
	w.Raw(`,"suites":`)
	w.count(f.suites)
	w.Raw(`,"bathroom":`)
	w.count(f.bathrooms)
	w.Raw(`,"parking_spaces":`)
	w.count(f.parking)
	w.Raw(`,"private_area":`)
	w.decimal(int(2500 + h>>20%30_000))
	w.Raw([]string{
		`,"util_area":"0.00","total_area":"0.0"`, `,"util_area":"25.2","total_area":null`, `,"util_area":"125.16","total_area":"240.92"`,
	}[h>>4%3])
	w.Raw(`,"rent":`)
	w.B = strconv.AppendBool(w.B, f.rent)
	w.Raw([]string{
		`,"payment_conditions":[]`,
		`,"payment_conditions":[{"title":"Entrada 20%","operator":{"title":"Percentual","type":"percentage"},"value":"20007.75"},` +
			`{"title":"Saldo 84x","operator":{"title":"Parcelas","type":"installments"},"value":null}]`,
	}[h>>6%2])
}

func (s *Simulator) unit(w *writer, index int, r row, f facts, h uint64) {
	w.Raw(`{"id":`)
	if index%31 == 7 { // beyond what a float64 holds
		w.Whole(9_007_199_254_740_993 + 2*index)
	} else {
		w.Whole(254 + index)
	}
	w.Raw(`,"title":"`)
	w.Whole(101 + index%1900)
	w.Raw(`","type":`)
	w.Quote(f.kind.Name)
	w.Raw(`,"floor_plan":{"category":{"title":`)
	w.Quote(f.kind.Name)
	w.Raw(`,"tag":"` + f.kind.Tag + `"}}`)
	w.Raw([]string{`,"section":{"name":"Bloco 1"}`, `,"section":{"name":"Torre Água"}`, `,"section":null`}[index%3])
	writeHome(w, r, f, h)
	if index%2 == 0 {
		w.Raw(`,"construction_stage":"new"`)
	}
	w.Raw(`,"cover":`)
	switch index % 3 {
	case 0:
		w.Raw(`"https://dwvimages.sfo2.cdn.digitaloceanspaces.com/upload/2018/07/fachada-greencoast-208x300.jpg"`)
	case 1:
		w.Raw(`{"url":"https://dwvimagesv1.b-cdn.net/upload/capa.jpg","sizes":{"small":"https://dwvimagesv1.b-cdn.net/upload/capa-small.jpg"}}`)
	case 2:
		w.Raw("null")
	}
	switch index % 5 {
	case 0:
		w.Raw(`,"additional_galleries":null`)
	case 1:
		w.Raw(`,"additional_galleries":[]`)
	case 2:
		w.Raw(`,"additional_galleries":[{"title":"Decoração","files":[{"url":"https://dwvimagesv1.b-cdn.net/upload/a.jpg",` +
			`"sizes":{"small":"https://dwvimagesv1.b-cdn.net/upload/a-small.jpg"}}]}]`)
	}
	w.Raw("}")
}

func (s *Simulator) third(w *writer, index int, r row, f facts, h uint64) {
	w.Raw(`{"id":`)
	w.Whole(143 + index)
	w.Raw(`,"title":"Terceiro`)
	w.Raw([]string{`"`, ` \u00e1gua\/sol"`}[index%2])
	w.Raw(`,"type":`)
	w.Quote(f.kind.Name)
	w.Raw(`,"unit_info":"Apartamento 101"`)
	writeHome(w, r, f, h)
	w.Raw(`,"address":`)
	w.bytes(s.stock.places[f.place].json)
	w.Raw(`,"text_address":`)
	w.Quote(s.stock.places[f.place].text)
	w.Raw(`,"gallery":`)
	if index%2 == 0 {
		w.Raw("[")
		image(w, 5000+index%100, true)
		w.Raw("]")
	} else {
		image(w, 5000+index%100, true)
	}
	w.Raw(`,"cover":`)
	image(w, 6000+index%100, index%4 == 0)
	w.Raw(`,"features":`)
	features(w, index)
	if index%7 == 2 { // not documented, seen in practice
		w.Raw(`,"delivery_date":null,"property_tax":"2979.56","administration_fee":"449.00","virtual_tour":null`)
	}
	w.Raw("}")
}
