package snapproperty

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// kind is what a field holds.
type kind uint8

const (
	text kind = iota
	identity
	number
	truth
	moment
)

// String returns what Salesforce calls a kind in its messages.
func (k kind) String() string { return [...]string{"string", "id", "double", "boolean", "dateTime"}[k] }

// value is a field's of one property, or one that it is compared with. What its kind does not have is zero.
type value struct {
	null   bool
	text   string  // and the first fifteen characters of an identity
	number float64 // the nearest to its decimals as any reader's is; a moment in seconds, and 1 for a truth
	scale  int     // how many decimals a number has
}

func numberOf(n int64, scale int) value {
	return value{number: float64(n) / math.Pow10(scale), scale: scale}
}

func momentOf(seconds int64) value { return value{number: float64(seconds)} }

func truthOf(yes bool) (v value) {
	if yes {
		v.number = 1
	}
	return v
}

// compare compares two values of the field's, neither of which is null. Case makes no difference in texts.
func (f *field) compare(a, b value) int {
	if f.kind == text {
		a.text, b.text = strings.ToLower(a.text), strings.ToLower(b.text)
	}
	return cmp.Or(cmp.Compare(a.text, b.text), cmp.Compare(a.number, b.number))
}

// field is one of the property's.
type field struct {
	name   string // as in the record; X__r.name for an object referred to
	kind   kind
	value  func(p property) value
	object string                 // of an object referred to: its type
	target func(p property) named // of an object referred to; an empty id for none
	hidden bool                   // can be filtered by and is not returned
	number int                    // its place, which seeds how it is written
}

// relation returns the record's name of an object referred to, and whether the field is one.
func (f *field) relation() (string, bool) { return strings.CutSuffix(f.name, ".name") }

// Where the values of fields come from: a salt for the dice each.
const (
	saltName = 10 + iota
	saltArea
	saltRooms
	saltMoney
	saltPlace
	saltKind
	saltRent
	saltSale
	saltMany = 100 // and a field's number
)

// fields returns all of a property, in the order of the record, and those that a filter knows, by lower-case name.
func fields() ([]field, map[string]*field) {
	const pkg = "snap_brok__"
	var all []field
	add := func(name string, kind kind, value func(p property) value) *field {
		all = append(all, field{name: name, kind: kind, value: value, number: len(all)})
		return &all[len(all)-1]
	}
	refer := func(name, object string, target func(p property) named) {
		add(pkg+name+".name", text, func(p property) value { return textOf(target(p).name) })
		all[len(all)-1].object, all[len(all)-1].target = object, target
	}
	// some has no value in one property out of so many.
	some := func(name string, in int, kind kind, of func(p property) value) {
		salt := saltMany + len(all)
		add(pkg+name+"__c", kind, func(p property) value {
			if in > 0 && p.dice(salt).Once(in) {
				return value{null: true}
			}
			return of(p)
		})
	}
	whole := func(name string, in int, of func(p property) int64) {
		some(name, in, number, func(p property) value { return numberOf(of(p), 0) })
	}
	count := func(name string, below int) {
		salt := 2*saltMany + len(all)
		whole(name, 15, func(p property) int64 { return int64(p.dice(salt).N(below)) })
	}
	hundredths := func(name string, in int, of func(p property) int64) {
		some(name, in, number, func(p property) value { return numberOf(of(p), 2) })
	}
	money := func(name string, cents func(p property) int64) { hundredths(name, 15, cents) }
	words := func(name string, in int, of func(p property) string) {
		some(name, in, text, func(p property) value { return textOf(of(p)) })
	}
	flag := func(name string, of func(p property) bool) {
		some(name, 0, truth, func(p property) value { return truthOf(of(p)) })
	}

	add("Id", identity, func(p property) value { return value{text: propertyID(p.index)[:15]} })
	add("Name", text, func(p property) value {
		return textOf(strings.TrimSpace(p.street() + " " + p.house() + "  " + p.complement()))
	})
	add("CreatedDate", moment, func(p property) value { return momentOf(p.row.created) })
	add("LastModifiedDate", moment, func(p property) value { return momentOf(p.row.modified) }).hidden = true
	add("SystemModstamp", moment, func(p property) value { return momentOf(p.row.modified) }).hidden = true
	words("ID_externo", 0, property.external)
	words("codigo", 0, func(p property) string { return fmt.Sprintf("I-%06d", p.index+1) })
	hundredths("area_privativa", 12, property.area)
	hundredths("area_comum", 3, func(p property) int64 { return p.area() / 7 })
	hundredths("area_total", 12, func(p property) int64 { return p.area() + p.area()/7 })
	whole("Banheiros", 15, func(p property) int64 { return 1 + p.rooms()%3 })
	some("Score", 4, number, func(p property) value { return numberOf(int64(p.dice(saltSale).N(1000)), 1) })
	flag("Disponivel_locacao", property.forRent)
	flag("Disponivel_venda", func(p property) bool { return p.dice(saltSale).Once(3) })
	whole("Dormitorios", 15, func(p property) int64 { return 1 + p.rooms()%5 })
	words("Endereco", 20, func(p property) string { return p.street() + ", " + p.house() + " - " + p.hood().name })
	words("Logradouro", 20, property.street)
	words("Numero", 20, property.house)
	words("Complemento", 3, property.complement)
	words("Quadra", 4, func(p property) string { return "Q" + strconv.Itoa(p.index%30) })
	words("Lote", 4, func(p property) string { return strconv.Itoa(p.index % 90) })
	words("Situacao", 0, property.situation)
	whole("Suites", 15, func(p property) int64 { return p.rooms() % 3 })
	add(pkg+"Tipo_uso_3__c", identity, func(p property) value { return value{text: p.use().id[:15]} })
	add(pkg+"Tipo_imovel_2__c", identity, func(p property) value { return value{text: p.sort().id[:15]} })
	whole("Vagas", 15, func(p property) int64 { return p.rooms()%3 + p.rooms()%2 })
	whole("Vagas_cobertas", 8, func(p property) int64 { return p.rooms() % 3 })
	whole("Vagas_descobertas", 8, func(p property) int64 { return p.rooms() % 2 })
	money("Valor_Condominio", property.fee)
	money("Valor_locacao_total", func(p property) int64 { return p.rent() + p.tax() + p.fee() })
	money("Valor_locacao_por_m2", func(p property) int64 { return p.rent() * 100 / p.area() })
	money("Valor_IPTU", property.tax)
	words("descricao", 9, func(p property) string { return sim.Pick(p.dice(saltName), p.s.stock.texts) })
	hundredths("Altura_pe_direito", 3, func(p property) int64 { return 240 + p.rooms()%60 })
	count("Andar", 30)
	money("Valor_total_condominio", property.fee)
	money("Valor_desejado_aluguel", property.rent)
	money("Valor_mensal_IPTU_rateado", property.tax)
	money("Valor_IPTU_total", func(p property) int64 { return 12 * p.tax() })
	money("valor_venda", func(p property) int64 { return 200 * p.rent() })
	money("Valor_desejado_aluguel_antigo", func(p property) int64 { return p.rent() - p.rent()/20 })
	count("Tempo_vacancia", 900)
	flag("Servicos_claro", func(p property) bool { return p.dice(saltKind).Once(9) })
	flag("Possui_tour_virtual", func(p property) bool { return p.index%11 == 0 })
	words("Iframe_tour_virtual", 0, func(p property) string {
		if p.index%11 != 0 {
			return ""
		}
		return "https://tour.example/?imovel=" + strconv.Itoa(p.index) + "&a=1"
	})
	count("Ar_condicionado_parede", 4)
	count("Ar_condicionado_Split", 4)
	count("Armarios_embutidos", 9)
	add(pkg+"Localizacao__Latitude__s", number, func(p property) value { return p.location(-235_671_245) })
	add(pkg+"Localizacao__Longitude__s", number, func(p property) value { return p.location(-466_499_923) })
	refer("Bairro_2__r", "snap_finan__Bairro__c", property.hood)
	refer("Cidade_2__r", "snap_finan__Cidade__c", property.city)
	refer("Cep_2__r", "snap_finan__CEP__c", property.postcode)
	refer("condominio__r", "snap_brok__Condominio__c", property.condominium)
	refer("Tipo_uso_3__r", "snap_brok__Tipo_uso__c", property.use)
	refer("Tipo_imovel_2__r", "snap_brok__Tipo_imovel__c", property.sort)

	known := make(map[string]*field, len(all))
	for i := range all {
		known[strings.ToLower(all[i].name)] = &all[i]
	}
	return all, known
}

func textOf(s string) value { return value{text: s, null: s == ""} }

// external returns the code in the other system; none for some that have no contract.
func (p property) external() string {
	if p.index%34 == 33 {
		return ""
	}
	return externalCode(p.index)
}

func externalCode(index int) string { return "CR" + strconv.Itoa(10_000+index) }

func (p property) street() string { return sim.Pick(p.dice(saltName), p.s.stock.streets) }

func (p property) house() string {
	d := p.dice(saltArea)
	switch d.N(12) {
	case 0:
		return "S/N"
	case 1:
		return "0"
	}
	return strconv.Itoa(1 + d.N(3000))
}

func (p property) complement() string {
	if p.index%3 == 0 {
		return ""
	}
	return "Apto  " + strconv.Itoa(p.index%2500+1)
}

// area returns the private one, in hundredths.
func (p property) area() int64 { return int64(2000 + p.dice(saltArea).N(40_000)) }

// rooms returns a number from which those of the rooms follow.
func (p property) rooms() int64 { return int64(p.dice(saltRooms).N(1 << 20)) }

// rent returns the desired one, in cents; it moves with each change.
func (p property) rent() int64 {
	return int64(60_000+p.dice(saltMoney).N(1_500_000)) + int64(p.row.version)
}

func (p property) tax() int64 { return p.rent() / 11 }
func (p property) fee() int64 { return p.rent() / 5 }

// forRent tells whether the property is available for rent: the first one is.
func (p property) forRent() bool {
	return p.row.rent.or((p.dice(saltRent).N(3) > 0 || p.index == 0) && !p.s.letNow(p.index))
}

// situation returns where the property stands.
func (p property) situation() string {
	if p.row.situation != "" {
		return p.row.situation
	}
	if p.s.letNow(p.index) {
		return "Contrato gerado"
	}
	d := p.dice(saltRent)
	if d.N(3) > 0 {
		return "Disponível"
	}
	return sim.Pick(d, p.s.stock.situations)
}

// location returns a coordinate near another one, with seven decimals; one in nine properties has none.
func (p property) location(near int64) value {
	if !p.located() {
		return value{null: true}
	}
	return numberOf(near+int64(p.dice(saltPlace).N(900_000)), 7)
}

func (p property) located() bool { return !p.dice(saltPlace).Once(9) }

// place returns the index of the neighbourhood.
func (p property) place() int { return p.dice(saltPlace).N(1<<20) % len(p.s.stock.hoods) }

func (p property) hood() named { return p.s.stock.hoods[p.place()].named }

func (p property) city() named { return p.s.stock.cities[p.s.stock.hoods[p.place()].city] }

func (p property) postcode() named {
	d := p.dice(saltPlace)
	d.N(2)
	if d.Once(20) {
		return named{}
	}
	n := d.N(300)
	return named{salesforceID(placePrefix, 200_000+n), fmt.Sprintf("01310-%03d", n)}
}

func (p property) condominium() named {
	d := p.dice(saltKind)
	if d.Once(2) {
		return named{}
	}
	return sim.Pick(d, p.s.stock.condominiums)
}

func (p property) use() named { d := p.dice(saltKind); d.N(2); return sim.Pick(d, p.s.stock.uses) }

func (p property) sort() named {
	d := p.dice(saltKind)
	d.N(2)
	d.N(2)
	return sim.Pick(d, p.s.stock.kinds)
}

// layoutOf is how times are written in filters.
const layoutOf = "2006-01-02T15:04:05Z07:00"

// when returns the moment that a literal stands for, and the end of the day, or days, that it stands for where it is no moment.
func when(literal string, now time.Time, zone *time.Location) (from, to time.Time, ok bool) {
	if t, err := time.Parse(layoutOf, literal); err == nil {
		return t, t, true
	}
	local := now.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
	switch name := strings.ToUpper(literal); {
	case name == "TODAY":
		return midnight, midnight.AddDate(0, 0, 1), true
	case name == "YESTERDAY":
		return midnight.AddDate(0, 0, -1), midnight, true
	case strings.HasPrefix(name, "LAST_N_DAYS:"):
		n, err := strconv.Atoi(name[len("LAST_N_DAYS:"):])
		return midnight.AddDate(0, 0, -n), midnight.AddDate(0, 0, 1), err == nil && n > 0
	}
	return time.Time{}, time.Time{}, false
}
