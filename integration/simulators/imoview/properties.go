package imoview

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// facts are the properties of a property by which it can be filtered.
type facts struct {
	kind        entry
	destination int
	branch      entry
	condominium int  // index; -1: none
	launch      bool // a development that is sold off the plan: ranges instead of numbers
	child       bool // a unit of one
	hidden      bool // not on the agency's site
	cents       [sale + 1]int
	included    int64
}

// offered tells for what a property is offered: a fifth of them for both.
func (s *Simulator) offered(index, purpose int) bool {
	d := s.dice(s.properties, index, 8)
	switch n := d.N(10); {
	case n < 4:
		return purpose == rent
	case n < 8:
		return purpose == sale
	}
	return true
}

func (s *Simulator) facts(index int) facts {
	d := s.dice(s.properties, index, 9)
	f := facts{kind: sim.Pick(&d, types()), destination: 1 + d.N(8), branch: sim.Pick(&d, branches()), condominium: -1}
	if d.Once(3) {
		f.condominium = d.N(len(s.condominiums.rows))
	}
	f.launch = d.Once(12) && s.offered(index, sale)
	f.child = !f.launch && d.Once(15)
	f.hidden = d.Once(10)
	version := int(s.properties.rows[index].version)
	f.cents = [...]int{rent: 60_000 + d.N(1_500_000) + version, sale: 15_000_000 + d.N(900_000_000) + version}
	if d.Once(200) {
		f.cents[sale] = 365_000_000_000 // a typing error
	}
	f.included = date(2008) + int64(d.N(15*365*day))
	return f
}

// listProperties are those offered for a purpose.
func (s *Simulator) listProperties(p *params) listing {
	purpose := p.choice("finalidade", sale)
	if purpose == 0 {
		p.refuse("Finalidade não informada!")
	}
	from, to := p.time("dataultimaalteracaoinicio", withSeconds), p.time("dataultimaalteracaofim", withSeconds)
	made, until := p.time("datacadastroinicio", dayOnly), p.time("datacadastrofim", dayOnly)
	destination, branch := p.choice("destinacao", 8), p.number("codigounidade")
	condominium, city := p.number("codigocondominio"), p.number("codigocidade")
	codes, kinds, hoods := p.numbers("codigosimoveis"), p.numbers("codigotipo"), p.numbers("codigosbairros")
	option := p.choice("opcaoimovel", 4)
	whole := !s.with.SiteOnly || p.truth("naoconsiderarmeusite")
	show := shown{
		purpose: purpose, captors: p.truth("exibircaptadores"), files: p.truth("exibiranexos"),
		reduced: p.truth("retornoreduzido") || p.truth("retornomapa") || p.truth("retornomapaapp"),
	}
	p.absent(absent()...)
	less, stable := s.ordering(strings.ToLower(p.text("ordenacao")), purpose)

	fit := func(i int) bool {
		r := s.properties.rows[i]
		if r.ended || !s.offered(i, purpose) || !s.after(propertiesPath, r.time, from) || !s.before(propertiesPath, r.time, to) {
			return false
		}
		f, at := s.facts(i), s.placeOf(s.properties, i)
		return (made == 0 || f.included >= made) && (until == 0 || f.included < until+day) &&
			(destination == 0 || f.destination == destination) && (branch == 0 || f.branch.code == branch) &&
			(condominium == 0 || f.condominium >= 0 && s.condominiums.code(f.condominium) == condominium) &&
			(city == 0 || at.cityCode == city) && (hoods == nil || hoods[at.hoodCode]) && (kinds == nil || kinds[f.kind.code]) &&
			(codes == nil || codes[s.properties.code(i)]) && f.option(option) && (whole || !f.hidden)
	}
	return listing{
		rows:  s.matching(s.properties, p, fit, less),
		loose: !stable,
		write: func(w *writer, i int) { s.property(w, i, show) },
	}
}

// option tells whether opcaoimovel lets a property through: all, single ones, launches, units of launches, single ones and launches.
func (f facts) option(option int) bool {
	return [...]bool{true, !f.launch && !f.child, f.launch, f.child, !f.child}[option]
}

// ordering compares properties as ordenacao says. Without it, or with one that is not known, or known and not applied, the order is that of
// destaque, in which nearly all are equal: another one each time.
func (s *Simulator) ordering(name string, purpose int) (less func(a, b int32) int, stable bool) {
	rows := s.properties.rows
	by := map[string]func(a, b int32) int{
		"codigo":          cmp.Compare[int32],
		"dataatualizacao": func(a, b int32) int { return cmp.Compare(rows[a].time, rows[b].time) },
		"datainclusao":    func(a, b int32) int { return cmp.Compare(s.facts(int(a)).included, s.facts(int(b)).included) },
		"valor": func(a, b int32) int {
			return cmp.Compare(s.facts(int(a)).cents[purpose], s.facts(int(b)).cents[purpose])
		},
	}
	for field, compare := range by {
		switch name {
		case field + "asc":
			return compare, true
		case field + "desc":
			return func(a, b int32) int { return compare(b, a) }, true
		}
	}
	return nil, false
}

// absent are the documented filters that this simulator does not have.
func absent() []string {
	return []string{
		"codigoproprietario", "codigocaptador", "estado", "codigoregiao", "endereco", "edificio", "numeroquartos", "numerovagas",
		"numerobanhos", "numerosuite", "numerovaranda", "numeroelevador", "valorde", "valorate", "areade", "areaate", "areaexternade",
		"areaexternaate", "areaprincipalde", "extras", "ocupado", "alugado", "quartoqtdeexata", "vagaqtdexata", "destaque",
		"somentecomurlpublica", "retornarrange", "situacao", "academia", "aceitafinanciamento", "aceitapermuta", "alarme", "arealazer",
		"areaprivativa", "areaservico", "boxbanheiro", "boxdespejo", "churrasqueira", "circuitotv", "closet", "dce", "exclusivo",
		"interfone", "jardim", "lavabo", "mobiliado", "naplanta", "piscina", "playground", "portaoeletronico", "portaria24h",
		"quadraesportiva", "quadratenis", "salaofestas", "salaojogos", "sauna", "varanda", "wifi",
	}
}

// shown is what of a property is asked for.
type shown struct {
	purpose                 int
	captors, files, reduced bool
}

func (s *Simulator) property(w *writer, index int, show shown) {
	t := s.properties
	f := s.facts(index)
	w.d = s.dice(t, index, 6)
	w.Raw("{")
	s.codigo(w, t, index)
	w.Text("finalidade", purposes()[show.purpose-1].name)
	w.code("codigotipo", f.kind.code)
	w.Text("tipo", f.kind.name)
	s.price(w, f, show.purpose)
	s.updated(w, "datahoraultimaalteracao", t, index)
	if show.reduced {
		w.Raw("}")
		return
	}
	s.development(w, f)
	w.Text("titulo", f.kind.name+" para "+[...]string{rent: "alugar", sale: "comprar"}[show.purpose])
	w.some("metadescription", "")
	w.some("codigoauxiliar", "REF"+strconv.Itoa(index))
	w.code("unidade", f.branch.code)
	w.Text("nomeunidade", f.branch.name)
	w.some("telefoneunidade", "(31) 3333-3333")
	w.some("emaileunidade", "contato@imobiliaria.example")
	w.code("codigofinalidade", show.purpose)
	w.code("codigodestinacao", f.destination)
	w.Text("destinacao", destinations()[f.destination-1].name)
	w.code("codigotipo2", 0)
	w.empty("tipo2")
	w.Text("situacao", [...]string{"Vago/Disponível", "Em desocupação", "Alugado", "Em reforma"}[max(0, w.d.N(10)-6)])
	s.where(w, s.placeOf(t, index))
	w.code("codigobairro2", 0)
	w.some("bloco", "")
	w.some("edificio", "")
	w.some("pontoreferencia", "Próximo à praça")
	w.some("construtora", "Construtora Exemplo")
	w.some("descricao", sim.Pick(&w.d, s.stock.texts))
	w.some("localchave", "Imobiliária")
	w.empty("identificadorchave", "numerochave", "placafaixa", "indiceiptu", "matriculacartorio")
	s.measures(w, f)
	w.flags(uint64(w.d.N(4096)), "exclusivo", "placa", "temproposta", "temreserva", "aceitafinanciamento", "aceitapermuta", "ocupado",
		"alugado", "naplanta", "mobiliado")
	w.Text("destaque", [...]string{"Simples", "Destaque", "Super destaque"}[max(0, w.d.N(20)-17)])
	w.Next()
	w.B = append(w.B, sim.Pick(&w.d, s.stock.amenities)...)
	w.moment("datahoracadastro", f.included)
	w.moment("datahoraultimavalidacao", f.included+100*day)
	w.moment("datahoraultimasituacao", f.included+50*day)
	w.date("datahoravagodesde", f.included)
	s.media(w, index, show)
	w.Raw("}")
}

// price is what a property costs: an amount, a range for a launch, or none that is told.
func (s *Simulator) price(w *writer, f facts, purpose int) {
	cents := f.cents[purpose]
	switch w.d.N(25) {
	case 0:
		w.Text("valor", "Sob consulta")
	case 1:
		w.empty("valor")
	default:
		to := cents
		if f.launch {
			to += cents / 2
		}
		w.monies("valor", cents, to)
	}
	w.money("valoranterior", w.d.N(2)*(cents+100_000))
	w.money("valorm2", 3126)
	w.money("valorcondominio", w.d.N(4)*45_000)
	w.money("valoriptu", w.d.N(3)*12_050)
	w.money("valoriptuanual", 0)
	w.money("valoravaliacao", 0)
	w.money("valorminimo", 0)
	w.money("valormaiscondominiomaisiptu", cents)
	w.Is("taxacomissao", [...]string{`"6,00"`, `"0,00%"`, `""`}[w.d.N(3)])
	w.Is("taxaadm", [...]string{`"10,00%"`, `"0,00"`, `"0"`}[w.d.N(3)])
}

func (s *Simulator) development(w *writer, f facts) {
	w.code("codigomae", 0)
	w.flag("emdesocupacao", w.d.Once(15))
	w.flag("empreendimento", f.launch)
	w.flag("empreendimentofilho", f.child)
	if f.launch {
		w.Text("nomeempreendimento", "Residencial Exemplo")
		w.Text("siteempreendimento", "https://residencial.example/?a=1&b=2")
	} else {
		w.empty("nomeempreendimento", "siteempreendimento")
	}
	if f.condominium >= 0 {
		w.code("codigocondominio", s.condominiums.code(f.condominium))
		w.Text("nomecondominio", "Condomínio Exemplo "+strconv.Itoa(f.condominium))
	} else {
		w.code("codigocondominio", 0)
		w.empty("nomecondominio")
	}
}

// measures are the counts and areas; those of a launch are ranges.
func (s *Simulator) measures(w *writer, f facts) {
	spread := 0
	if f.launch {
		spread = 1
	}
	for _, name := range []string{"numeroquartos", "numerobanhos", "numerovagas", "numerosuites"} {
		n := w.d.N(5)
		w.counts(name, n, n+spread*w.d.N(3))
	}
	for _, name := range []string{"numerosalas", "numerovarandas", "numeroandar", "andar", "numeroelevador"} {
		w.count(name, w.d.N(3))
	}
	w.Is("anoconstrucao", [...]string{`"2010"`, `"0"`, `""`}[w.d.N(3)])
	area := 3000 + w.d.N(60_000)
	if f.kind.name == "Fazenda" {
		area = 10_000_000
	}
	w.area("areaprincipal", area, area+spread*3000)
	w.area("areainterna", area, area)
	w.area("areaexterna", 0, 0)
	lot := w.d.N(2) * 123_456
	w.area("arealote", lot, lot)
	w.Text("tipomedida", map[bool]string{true: "alq.", false: "m²"}[f.kind.name == "Fazenda"])
}

// media are the photos and whatever else hangs on a property.
func (s *Simulator) media(w *writer, index int, show shown) {
	base := "https://cdn.imoview.com.br/exemplo/Imoveis/" + strconv.Itoa(s.properties.code(index)) + "/"
	w.Text("urlfotoprincipal", base+"1.jpg")
	w.Text("urlfotoprincipalp", base+"1p.jpg")
	w.Text("urlfotoprincipalpp", base+"1pp.jpg")
	w.Text("urlfotoprincipalm", base+"1m.jpg")
	w.some("urlpublica", "https://imobiliaria.example/imovel/"+strconv.Itoa(index))
	w.empty("urlvideo")
	w.Name("fotos")
	w.Raw("[")
	for n := range w.d.N(4) {
		number := strconv.Itoa(n + 1)
		w.Next()
		w.Raw("{")
		w.Text("url", base+number+".jpg")
		w.Text("urlm", base+number+"m.jpg")
		w.Text("urlp", base+number+"p.jpg")
		w.Text("urlpp", base+number+"pp.jpg")
		w.Raw(`,"descricao":"","datahoraalteracao":"10/01/2026 09:00:00"}`)
	}
	w.Raw("]")
	w.Is("fotos360", [...]string{"[]", `""`}[w.d.N(2)])
	w.Name("captadores")
	if show.captors {
		w.Raw(`[{"codigo":7,"nome":"Captador Exemplo","percentual":100,"principal":true}]`)
	} else {
		w.Raw("[]")
	}
	w.Is("proprietarios", "[]")
	w.Name("anexos")
	if show.files {
		w.Raw(`[{"nome":"planta.pdf","visibilidade":"Publica","url":"https://cdn.imoview.com.br/exemplo/planta.pdf"}]`)
	} else {
		w.Raw("[]")
	}
	w.number("quantidadeanexos", 1)
	w.Is("extras", "[]")
	w.Is("extras2", [...]string{"[]", `[{"nome":"Piscina","valor":true},{"nome":"Sauna","valor":"true"}]`}[w.d.N(2)])
	w.some("anotacoes", "")
	w.some("observacoes", "")
}
