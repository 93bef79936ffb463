package imobiliar

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// row is a row with what the service knows of it besides.
type row struct {
	object
	active  bool
	changed time.Time
	origin  string // of a payable
	due     time.Time
	place   int  // among all rows of the table
	of      int  // the code of what it belongs to; of an administration contract, the property
	former  bool // a lease that is over of a property that was let again: it is found by its own code alone, which no listing has
}

// data is the tables of the company. Rows come and go by being replaced: a row that was answered stays as it was.
type data struct {
	tables map[string][]*row
	must   map[string]bool // what changed since then, as "table code"
	seed   uint64
	today  time.Time
	fields map[string][]field

	ends    Ends
	undated Undated
}

// day returns a day as the service writes it.
func day(t time.Time) string { return t.Format("02/01/2006") }

func newData(o Options) *data {
	d := &data{
		tables: map[string][]*row{}, must: map[string]bool{}, seed: o.Seed, today: midnight(o.Now()), fields: parsed(), ends: o.Ends, undated: o.Undated,
	}
	m := maker{d, sim.Dice(o.Seed)}
	people := min(o.Size, 600)
	for i := range people {
		m.person(i)
	}
	for i := range max(6, people/4) {
		m.property(i, o.Relet)
	}
	m.payables(max(18, o.Size)) // the largest table
	m.bills(max(6, o.Size/4))
	for i := range max(3, people/30) {
		m.condominium(60 + i)
	}
	for i := range 3 {
		m.add("branches", 0, object{"CodFilial": i + 1, "FilialNome": fmt.Sprintf("FILIAL %d", i+1)})
		m.add("shops", 0, object{"IdLoja": i + 10, "LojaNome": fmt.Sprintf("LOJA %d", i), "CodFilial": 1})
		m.add("fees", 0, object{"CodTaxa": i + 1, "Descricao": "ALUGUEL", "Categoria": "A", "Operacao": "C"})
		m.add("codes", 0, object{"Codigo": i, "Descricao": "ITEM"})
		m.add("notifications", 0, object{"Numero": i, "Texto": "AVISO"})
	}
	return d
}

// maker makes the rows that there are at first. What varies of them follows from the order in which they are made.
type maker struct {
	*data
	dice sim.Dice
}

// add makes a row that belongs to a code, 0 for none.
func (m *maker) add(table string, of int, o object) *row {
	r := &row{object: o, due: date(o["DataVencimento"]), active: m.dice.N(5) > 0, changed: m.old(), of: of, place: len(m.tables[table])}
	m.tables[table] = append(m.tables[table], r)
	return r
}

// old returns a day of the last years, but not of the last month.
func (m *maker) old() time.Time { return m.today.AddDate(0, 0, -30-m.dice.N(1500)) }

// ago returns the day so many days ago, within ten years.
func (m *maker) ago(days int) string { return day(m.today.AddDate(0, 0, -days%3500)) }

func (m *maker) person(i int) {
	code, kind, cpf := 1000+i, "F", fmt.Sprintf("%011d", 191+i*7919)
	if i%6 == 5 {
		kind, cpf = "J", fmt.Sprintf("%014d", 191+i*104729)
	}
	m.add("people", 0, object{
		"CodPessoa": code, "Nome": fmt.Sprintf("PESSOA %d", code), "TipoPessoa": kind, "CpfCnpj": cpf, "Ativo": "S", "Locatario": "N",
		"DataAlteracao": day(m.old()), "SenhaInternetMD5": "0123456789abcdef0123456789abcdef",
		"Enderecos": []object{{"TipoEnder": "R", "CEP": 1310100 + i, "Numero": i}, {"TipoEnder": "C", "CEP": 90010150, "Cidade": "Porto Alegre"}},
	})
}

// property makes one with its contracts, and a supplier and a person who is interested.
func (m *maker) property(i int, relet bool) {
	property := 3000 + i
	m.add("suppliers", 0, object{
		"CodFornecedor": 200 + i, "Nome": fmt.Sprintf("FORNECEDOR %d", i), "TipoPessoa": "J", "CpfCnpj": "00000000000191", "MEI": "N",
	})
	m.add("administration", property, object{
		"CodContratoAdm": 500 + i, "DataVigInicial": "01/02/2024", "Prazo": 30,
		"Proprietarios": []object{{"CodPessoa": 1000 + i, "CalcIR": "S"}}, "Imoveis": []object{{"CodImovel": property}},
		"Participacoes": []object{{"CodImovel": property, "CodPessoa": 1000 + i, "PercRenda": 100.0}},
	})
	if i%3 > 0 {
		lease := m.add("leases", 0, object{
			"CodImovel": property, "CodContratoLoc": 7000 + i, "NomeLocat": "LOCATARIO", "DataVigFinal": "31/07/2027", "ValorAluguel": 1500.5,
			"ContratoLoc_Ativo": "S", "Locatarios": []object{{"CodPessoa": 1001}, {"CodPessoa": 1002}}, "Fiadores": []object{{"CodPessoa": 1003}},
		})
		lease.active = lease.active || relet && i%3 == 1
	}
	if relet && i%3 == 1 {
		former := object{"CodImovel": property, "CodContratoLoc": 1, "NomeLocat": "LOCATARIO ANTERIOR", "ContratoLoc_Ativo": "N"}
		over := m.add("leases", 0, former)
		over.active, over.former = false, true
	}
	m.add("properties", 0, object{
		"CodImovel": property, "TipoImovel": "R", "CEP": "01310100", "Locacao": "S", "LoginAdmCondom": "login:sindico", "AreaTotal": 70.25,
		"Caracteristicas": []object{{"CodCaract": 1, "Descricao": "Churrasqueira"}, {"CodCaract": 2, "Quantidade": 2}},
	})
	m.add("interested", 0, object{"CodInteressado": 40 + i, "Nome": "INTERESSADO", "Faixa": i})
}

// payables makes n, and some of which the options tell.
func (m *maker) payables(n int) {
	add := func(origin string, o object) { m.add("payables", 0, o).origin = origin }
	for i := range n {
		add("CIA"[i%3:i%3+1], object{"NumeroLancto": 9000 + i, "DataVencimento": m.ago(i*7 - 15), "ValorLiquido": 10.5, "Pago": "N"})
	}
	if m.undated != AllDays {
		for i, when := range []any{nil, "", "15/06/1905", "15/06/1985", day(m.today.AddDate(3, 0, 0)), day(m.today.AddDate(40, 0, 0))} {
			add("I", object{"NumeroLancto": 5000 + i, "DataVencimento": when})
		}
	}
	if m.ends != Included {
		for i, when := range atEnds(m.today) {
			add("I", object{"NumeroLancto": 6000 + i, "DataVencimento": day(when)})
			for range 2 { // entries with one fee
				m.add("bills", 0, object{"DocCapaId": 6000 + i, "CodTaxa": 3, "DataVencimento": day(when)})
			}
		}
	}
}

// bills makes n, of which some are one fee of a bill.
func (m *maker) bills(n int) {
	for i := range n {
		bill := object{"DocCapaId": 8000 + i, "DataVencimento": m.ago(1 + i*9), "VlrDocumento": 99.9, "CodPessoa": 1000 + i}
		if i%3 == 0 {
			bill["CodTaxa"] = 1 + i%2
		}
		m.add("bills", 0, bill)
		if i == 3 { // which has two entries with that fee
			twice := maps.Clone(bill)
			twice["VlrLancamento"] = 12.5
			m.add("bills", 0, twice)
		}
	}
}

// condominium makes one with its units, of which one is overdue.
func (m *maker) condominium(code int) {
	m.add("condominiums", 0, object{
		"CodCondominio": code, "NomeCondominio": fmt.Sprintf("EDIFICIO %d", code), "BloqueioPagamento": "N",
		"Blocos": []object{{"CodBloco": "A", "CEP": 1310100}, {"CodBloco": "B", "BlocoAtivo": "S"}},
	})
	for k := range 4 {
		m.add("units", code, object{"IdEconomia": code*100 + k, "CodEconomia": strconv.Itoa(k), "Nome": "CONDOMINO", "Fracao": 0.25})
	}
	m.add("overdue", code, object{"IdEconomia": code * 100, "Valor": 350.1, "CEP": 1310100})
}

// atEnds returns days of the last years at which some window of time may end: the first and the last one of each month, and today.
func atEnds(today time.Time) (all []time.Time) {
	all = []time.Time{today}
	for month := range 40 {
		first := time.Date(today.Year(), today.Month()-time.Month(month), 1, 0, 0, 0, 0, time.UTC)
		if all = append(all, first.AddDate(0, 0, -1)); first != today {
			all = append(all, first)
		}
	}
	return all
}

// units returns the units of a condominium, block by block, those alone that changed on a day or since.
func (d *data) units(code int, since time.Time) (rows []object, found bool) {
	blocks := []object{{"CodBloco": "A", "NomeSindico": "SINDICO", "CPFSindico": 191, "CEP": 1310100}, {"CodBloco": "B"}}
	units := [2][]object{}
	for _, r := range d.tables["units"] {
		if r.of == code && !r.changed.Before(since) {
			block := r.place % 2
			units[block] = append(units[block], d.full("units", r))
		}
		found = found || r.of == code
	}
	for i := range blocks {
		blocks[i]["Economias"] = units[i]
	}
	return []object{{"CodCondominio": code, "NomeCondominio": "EDIFICIO", "TotaldeBlocos": 2, "Blocos": blocks}}, found
}

// Change changes people, suppliers, units, payables and bills; deleted people are in no listing any more.
func (s *Simulator) Change(changed, deleted int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.data
	d.must = map[string]bool{}
	for table, code := range coded() {
		rows := d.tables[table]
		for i := range min(changed, len(rows)) {
			at := (i + 3) % len(rows)
			next := *rows[at]
			next.object, next.changed = maps.Clone(next.object), s.now()
			if table == "people" {
				next.object["DataAlteracao"] = day(midnight(s.now()))
			}
			if _, due := next.object["DataVencimento"]; due {
				next.due = midnight(s.now()).AddDate(0, 0, -3) // overdue for one whose clock is a day behind, too
				next.object["DataVencimento"] = day(next.due)
			}
			rows[at] = &next
			d.must[table+" "+fmt.Sprint(next.object[code])] = true
		}
	}
	for range min(deleted, len(d.tables["people"])/4) {
		people := d.tables["people"]
		for i, r := range people {
			if !d.must["people "+fmt.Sprint(r.object["CodPessoa"])] {
				d.tables["people"] = append(people[:i:i], people[i+1:]...)
				break
			}
		}
	}
}

// coded returns the tables whose rows change, with the name of their codes.
func coded() map[string]string {
	return map[string]string{
		"people": "CodPessoa", "suppliers": "CodFornecedor", "units": "IdEconomia", "payables": "NumeroLancto", "bills": "DocCapaId",
	}
}

// table is what a stream is made of.
type table struct{ stream, name, key, array, part string }

// tables returns those of the streams: the key's fields, and those of the rows in an array, # for the place in it. Rows that are not
// documented are known by the hash of their bytes; again is how often what stands before it in the key came before.
func tables() []table {
	const lease = "CodImovel,CodContratoLoc"
	return []table{
		{"people", "people", "CodPessoa", "", ""}, {"people_addresses", "people", "CodPessoa", "Enderecos", "#"},
		{"suppliers", "suppliers", "CodFornecedor", "", ""}, {"administration_contracts", "administration", "CodContratoAdm", "", ""},
		{"administration_contract_owners", "administration", "CodContratoAdm", "Proprietarios", "CodPessoa"},
		{"administration_contract_properties", "administration", "CodContratoAdm", "Imoveis", "CodImovel"},
		{"administration_contract_shares", "administration", "CodContratoAdm", "Participacoes", "CodImovel,CodPessoa"},
		{"lease_contracts", "leases", lease, "", ""}, {"lease_contract_tenants", "leases", lease, "Locatarios", "CodPessoa"},
		{"lease_contract_guarantors", "leases", lease, "Fiadores", "CodPessoa"},
		{"properties", "properties", "CodImovel", "", ""}, {"property_features", "properties", "CodImovel", "Caracteristicas", "#"},
		{"condominiums", "condominiums", "CodCondominio", "", ""}, {"condominium_blocks", "condominiums", "CodCondominio", "Blocos", "CodBloco"},
		{"condominium_units", "units", "IdEconomia", "", ""}, {"branches", "branches", "CodFilial", "", ""}, {"shops", "shops", "IdLoja", "", ""},
		{"fees", "fees", "TipoTaxa,CodTaxa", "", ""}, {"payables", "payables", "NumeroLancto", "", ""},
		{"overdue_bills", "bills", "DocCapaId,CodTaxa,again", "", ""}, {"interested_people", "interested", "CodInteressado", "", ""},
		{"condominium_overdue", "overdue", "of,bytes", "", ""}, {"code_tables", "codes", "bytes", "", ""},
		{"notifications", "notifications", "bytes", "", ""},
	}
}

// values returns the values of some fields; a bill that is not one fee of a bill has the fee 0, and all fees are of the type L.
func values(o object, names string, place int) (all []string) {
	for name := range strings.SplitSeq(names, ",") {
		value := o[name]
		switch {
		case name == "#":
			value = place
		case name == "TipoTaxa":
			value = "L"
		case value == nil:
			value = 0
		}
		all = append(all, fmt.Sprint(value))
	}
	return all
}

// keys returns the keys of the rows that a row brings to the table's stream.
func (t table) keys(o object) (keys []string) {
	own := values(o, t.key, 0)
	if t.array == "" {
		return []string{strings.Join(own, ",")}
	}
	parts, _ := o[t.array].([]object)
	for i, part := range parts {
		keys = append(keys, strings.Join(append(slices.Clip(own), values(part, t.part, i)...), ","))
	}
	return keys
}

// Expect says what a read must bring.
func (s *Simulator) Expect() map[string]sim.Expectation {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]sim.Expectation{}
	for _, t := range tables() {
		e := sim.Whole()
		e.Next.May = sim.Set()
		_, e.Incremental = coded()[t.name]
		times := map[string]int{}
		for _, r := range s.data.tables[t.name] {
			_, due := r.object["DataVencimento"]
			if r.former || due && r.due.IsZero() && (s.with.Undated == Unlisted || s.with.Undated == Missing) {
				continue // no question finds it
			}
			o := maps.Clone(r.object)
			text, _ := json.Marshal(r.object)
			o["of"], o["bytes"] = r.of, fmt.Sprintf("%x", sha256.Sum256(text))[:32]
			if one, repeats := strings.CutSuffix(t.key, ",again"); repeats {
				one = strings.Join(values(o, one, 0), ",")
				o["again"], times[one] = times[one], times[one]+1
			}
			for _, key := range t.keys(o) {
				e.Full.Must[key] = true
				switch {
				case !e.Incremental || s.data.must[t.name+" "+fmt.Sprint(r.object[coded()[t.name]])]:
					e.Next.Must[key] = true
				case due, r.changed.After(s.now().Add(-72 * time.Hour)): // what falls due within some months, or changed on the days asked for
					e.Next.May[key] = true
				}
			}
		}
		all[t.stream] = e
	}
	return all
}
