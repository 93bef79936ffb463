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
	condominium entry // none: its code is 0
	launch      bool  // a development that is sold off the plan: ranges instead of numbers
	child       bool  // a unit of one
	hidden      bool  // not on the agency's site
	cents       [sale + 1]int
	included    int64
}

// offered tells for what a property is offered: a fifth of them for both.
func (s *Simulator) offered(index, purpose int) bool {
	n := s.dice(s.properties, index, 8).N(10)
	return n >= 8 || (n < 4) == (purpose == rent)
}

// available tells whether a property is listed for a purpose.
func (s *Simulator) available(index, purpose int) bool {
	return s.properties.Rows[index].State != ended && s.offered(index, purpose)
}

func (s *Simulator) facts(index int) facts {
	d := s.dice(s.properties, index, 9)
	f := facts{kind: sim.Pick(d, types()), destination: 1 + d.N(8), branch: sim.Pick(d, branches())}
	if d.Once(3) {
		i := d.N(len(s.condominiums.Rows))
		f.condominium = entry{s.condominiums.code(i), condominiumName(i)}
	}
	f.launch = d.Once(12) && s.offered(index, sale)
	f.child = !f.launch && d.Once(15)
	f.hidden = d.Once(10)
	version := int(s.properties.Rows[index].Version)
	f.cents = [...]int{rent: 60_000 + d.N(1_500_000) + version, sale: 15_000_000 + d.N(900_000_000) + version}
	if d.Once(200) {
		f.cents[sale] = 365_000_000_000 // a typing error
	}
	f.included = date(2008) + int64(d.N(15*365*day))
	return f
}

// listProperties returns those offered for a purpose.
func (s *Simulator) listProperties(p *params) listing {
	p.absent("situacao")
	return s.offers(propertiesPath, p, func(i int) bool { return s.properties.Rows[i].State != ended })
}

// offers returns the properties offered for a purpose that a path lists, of those that it has.
func (s *Simulator) offers(path string, p *params, has func(index int) bool) listing {
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
	whole := p.truth("naoconsiderarmeusite") || path == propertiesPath && !s.with.SiteOnly
	show := shown{
		purpose: purpose, captors: p.truth("exibircaptadores"), files: p.truth("exibiranexos"),
		reduced: p.truth("retornoreduzido") || p.truth("retornomapa") || p.truth("retornomapaapp"),
	}
	p.absent(absent()...)
	less, stable := s.ordering(strings.ToLower(p.text("ordenacao")), purpose)

	fit := func(i int) bool {
		r := s.properties.Rows[i]
		if !has(i) || !s.offered(i, purpose) || !s.changedWithin(path, r.Time, from, to) {
			return false
		}
		f, at := s.facts(i), s.placeOf(s.properties, i)
		return onDays(f.included, made, until) && fits(destination, f.destination) && fits(branch, f.branch.code) &&
			fits(condominium, f.condominium.code) && fits(city, at.cityCode) && among(hoods, at.hoodCode) && among(kinds, f.kind.code) &&
			among(codes, s.properties.code(i)) && f.option(option) && (whole || !f.hidden)
	}
	rows := s.matching(s.properties, path, p, fit, less)
	return listing{rows: rows, loose: !stable, table: s.properties, show: show, row: func(i int) any { return s.property(i, show) }}
}

// option tells whether opcaoimovel lets a property through: all, single ones, launches, units of launches, single ones and launches.
func (f facts) option(option int) bool {
	return [...]bool{true, !f.launch && !f.child, f.launch, f.child, !f.child}[option]
}

// ordering compares properties as ordenacao says. Without it, or with one that is not known, or known and not applied, the order is that of
// destaque, in which nearly all are equal: another one each time.
func (s *Simulator) ordering(name string, purpose int) (less func(a, b int) int, stable bool) {
	rows := s.properties.Rows
	by := map[string]func(a, b int) int{
		"codigo":          cmp.Compare[int],
		"dataatualizacao": func(a, b int) int { return cmp.Compare(rows[a].Time, rows[b].Time) },
		"datainclusao":    func(a, b int) int { return cmp.Compare(s.facts(a).included, s.facts(b).included) },
		"valor":           func(a, b int) int { return cmp.Compare(s.facts(a).cents[purpose], s.facts(b).cents[purpose]) },
	}
	for field, compare := range by {
		switch name {
		case field + "asc":
			return compare, true
		case field + "desc":
			return func(a, b int) int { return compare(b, a) }, true
		}
	}
	return nil, false
}

// absent returns the documented filters that this simulator does not have.
func absent() []string {
	return []string{
		"codigoproprietario", "codigocaptador", "estado", "codigoregiao", "endereco", "edificio", "numeroquartos", "numerovagas",
		"numerobanhos", "numerosuite", "numerovaranda", "numeroelevador", "valorde", "valorate", "areade", "areaate", "areaexternade",
		"areaexternaate", "areaprincipalde", "extras", "ocupado", "alugado", "quartoqtdeexata", "vagaqtdexata", "destaque",
		"somentecomurlpublica", "retornarrange", "academia", "aceitafinanciamento", "aceitapermuta", "alarme", "arealazer",
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

func (s *Simulator) property(index int, show shown) object {
	t, f, d := s.properties, s.facts(index), s.forms(s.properties, index)
	row := object{
		"codigo": s.codigo(t, index), "finalidade": purposes()[show.purpose-1].name, "codigotipo": d.code(f.kind.code), "tipo": f.kind.name,
		"datahoraultimaalteracao": s.updated(t, index),
	}
	price(row, d, f, show.purpose)
	if show.reduced {
		return row
	}
	development(row, d, f)
	row.Add(object{
		"titulo": f.kind.name + " para " + [...]string{rent: "alugar", sale: "comprar"}[show.purpose], "metadescription": d.some(""),
		"codigoauxiliar": d.some("REF" + strconv.Itoa(index)), "unidade": d.code(f.branch.code), "nomeunidade": f.branch.name,
		"telefoneunidade": d.some("(31) 3333-3333"), "emaileunidade": d.some("contato@imobiliaria.example"),
		"codigofinalidade": d.code(show.purpose), "codigodestinacao": d.code(f.destination), "destinacao": destinations()[f.destination-1].name,
		"codigotipo2": d.code(0),
		"situacao":    s.situation(index),
	})
	row.Add(s.where(d, s.placeOf(t, index)))
	row.Add(object{
		"codigobairro2": d.code(0), "bloco": d.some(""), "edificio": d.some(""), "pontoreferencia": d.some("Próximo à praça"),
		"construtora": d.some("Construtora Exemplo"), "descricao": d.some(sim.Pick(&d.Dice, s.stock.texts)), "localchave": d.some("Imobiliária"),
	})
	row.Put("", "tipo2", "identificadorchave", "numerochave", "placafaixa", "indiceiptu", "matriculacartorio", "urlvideo")
	measures(row, d, f)
	row.Add(d.flags(uint64(d.N(4096)), "exclusivo", "placa", "temproposta", "temreserva", "aceitafinanciamento", "aceitapermuta",
		"ocupado", "alugado", "naplanta", "mobiliado"))
	row["destaque"] = [...]string{"Simples", "Destaque", "Super destaque"}[max(0, d.N(20)-17)]
	row.Add(sim.Pick(&d.Dice, s.stock.amenities))
	row.Add(object{
		"datahoracadastro": d.moment(f.included), "datahoraultimavalidacao": d.moment(f.included + 100*day),
		"datahoraultimasituacao": d.moment(f.included + 50*day), "datahoravagodesde": d.date(f.included),
	})
	s.media(row, d, index, show)
	return row
}

// price is what a property costs: an amount, a range for a launch, or none that is told.
func price(row object, d *forms, f facts, purpose int) {
	cents := f.cents[purpose]
	switch n := d.N(25); {
	case n < 2:
		row["valor"] = [...]string{"Sob consulta", ""}[n]
	case f.launch:
		row["valor"] = d.monies(cents, cents+cents/2)
	default:
		row["valor"] = d.money(cents)
	}
	row.Add(object{
		"valoranterior": d.money(d.N(2) * (cents + 100_000)), "valorm2": d.money(3126), "valorcondominio": d.money(d.N(4) * 45_000),
		"valoriptu": d.money(d.N(3) * 12_050), "valoriptuanual": d.money(0), "valoravaliacao": d.money(0), "valorminimo": d.money(0),
		"valormaiscondominiomaisiptu": d.money(cents), "taxacomissao": d.of("6,00", "0,00%", ""), "taxaadm": d.of("10,00%", "0,00", "0"),
	})
}

func development(row object, d *forms, f facts) {
	row.Add(object{
		"codigomae": d.code(0), "emdesocupacao": d.flag(d.Once(15)), "empreendimento": d.flag(f.launch), "empreendimentofilho": d.flag(f.child),
	})
	row.Put("", "nomeempreendimento", "siteempreendimento")
	if f.launch {
		row["nomeempreendimento"], row["siteempreendimento"] = "Residencial Exemplo", "https://residencial.example/?a=1&b=2"
	}
	row["codigocondominio"], row["nomecondominio"] = d.code(f.condominium.code), f.condominium.name
}

// measures are the counts and areas; those of a launch are ranges.
func measures(row object, d *forms, f facts) {
	spread, unit := 0, "m²"
	if f.launch {
		spread = 1
	}
	for _, name := range []string{"numeroquartos", "numerobanhos", "numerovagas", "numerosuites"} {
		n := d.N(5)
		row[name] = d.counts(n, n+spread*d.N(3))
	}
	for _, name := range []string{"numerosalas", "numerovarandas", "numeroandar", "andar", "numeroelevador"} {
		row[name] = d.count(d.N(3))
	}
	row["anoconstrucao"] = d.of("2010", "0", "")
	area := 3000 + d.N(60_000)
	if f.kind.name == "Fazenda" {
		area, unit = 10_000_000, "alq."
	}
	row.Add(object{
		"areaprincipal": d.area(area, area+spread*3000), "areainterna": d.area(area, area), "areaexterna": d.area(0, 0),
		"arealote": decimal(d.N(2) * 123_456), "tipomedida": unit,
	})
}

// media are the photos and whatever else hangs on a property.
func (s *Simulator) media(row object, d *forms, index int, show shown) {
	base := "https://cdn.imoview.com.br/exemplo/Imoveis/" + s.properties.key(index) + "/"
	row["urlpublica"] = d.some("https://imobiliaria.example/imovel/" + strconv.Itoa(index))
	photos, captors, files := list{}, list{}, list{}
	for n := range d.N(4) {
		photo := object{"descricao": "", "datahoraalteracao": "10/01/2026 09:00:00"}
		for _, size := range []string{"", "m", "p", "pp"} {
			photo["url"+size] = base + strconv.Itoa(n+1) + size + ".jpg"
		}
		photos = append(photos, photo)
	}
	if show.captors {
		captors = append(captors, object{"codigo": 7, "nome": "Captador Exemplo", "percentual": 100, "principal": true})
	}
	if show.files {
		files = append(files, object{"nome": "planta.pdf", "visibilidade": "Publica", "url": "https://cdn.imoview.com.br/exemplo/planta.pdf"})
	}
	row.Add(object{
		"urlfotoprincipal": base + "1.jpg", "urlfotoprincipalp": base + "1p.jpg", "urlfotoprincipalpp": base + "1pp.jpg",
		"urlfotoprincipalm": base + "1m.jpg", "fotos": photos, "fotos360": d.of(list{}, ""), "captadores": captors, "proprietarios": list{},
		"anexos": files, "quantidadeanexos": d.number(1), "extras": list{}, "extras2": d.extras(), "anotacoes": d.some(""),
		"observacoes": d.some(""),
	})
}
