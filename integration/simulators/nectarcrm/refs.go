package nectarcrm

import (
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// named returns an entry of a small list of the company's.
func named(names []string, index int) string {
	if index < len(names) {
		return names[index]
	}
	return names[index%len(names)] + " " + strconv.Itoa(1+index/len(names))
}

func origins() []string {
	return []string{"Telefone", "Indicação", "Eventos", "Site / Formulário", "Facebook \"Ads\""}
}
func segments() []string {
	return []string{"Advocacia ", "Indústria", "Imobiliária", "Saúde & Bem-estar"}
}
func categories() []string {
	return []string{"Cliente ativo", "Fornecedor", "Parceiro", "Ex-cliente"}
}
func tags() []string  { return []string{"Coffee Break Janeiro/16", "Newsletter", "VIP ⭐", "Frios"} }
func kinds() []string { return []string{"Reunião", "Visita", "Demonstração", "Ligação"} }
func people() []string {
	return []string{"José da Silva", "Maria Antônia", "João Conceição", "Ana Lúcia D'Ávila", "Zoë Müller", "Íris \"Iris\" Souza"}
}

// note returns a text that is absent now and then, of a kind as people write: line ends, HTML, quotes, emoji, tabs, line separators, controls. They
// are JSON, so that tabs are spelled out, which is as good as \t.
func (d *forms) note() any {
	const reason = "Pediu desconto; reavaliar no próximo trimestre com o gerente, depois da reunião de sexta-feira. "
	return d.some(sim.Raw([...]string{
		`"Sem acentos, uma linha."`,
		`"Ligar amanhã às 10h\nFalar com a \"dona\" Cida\n\u0009• proposta\n\u0009• prazo"`,
		`"<p>Cliente <b>quente</b> &amp; interessado<br>R$ 1.490,00</p>"`,
		"\"Vista pro mar 🏖️🌊 — ½ do valor\u2028linha dois\u2029fim\u00a0😀👨‍👩‍👧 العربية\"",
		`"Pasta \\contratos\\2024 e um controle: \u0001."`,
		`"` + reason + reason + reason + reason + reason + `"`,
	}[d.N(6)]))
}

func (s *Simulator) company(contact int) bool { return contact%3 != 1 }

// contactName returns the same wherever the contact is named.
func (s *Simulator) contactName(contact int) string {
	if s.company(contact) {
		return "Empresa " + strconv.Itoa(contact) + " Comércio Ltda"
	}
	return named(people(), contact%6) + " " + strconv.Itoa(contact)
}

// cnpj returns a company's number, formatted.
func cnpj(n int) string { return pattern("99.999.999/0001-99", uint64(n)) }

func email(n int) string { return "contato" + strconv.Itoa(n) + "@exemplo.com.br" }

func phone(n int) string { return pattern("(11) 99999-9999", uint64(n)) }

// pattern returns a text whose nines are digits that belong to n.
func pattern(text string, n uint64) string {
	digits := sim.Mix(n)
	b := []byte(text)
	for i, c := range b {
		if c == '9' {
			b[i] = byte('0' + digits%10)
			digits /= 10
		}
	}
	return string(b)
}

// userRef names a user; empty now and then, or absent.
func (s *Simulator) userRef(d *forms) any {
	u := d.N(s.users.count)
	switch d.N(30) {
	case 0:
		return object{}
	case 1:
		return sim.Absent
	}
	user := s.userMembers(u)
	if d.Once(3) {
		user["foto"] = strconv.Itoa(u) + "-foto.png"
	}
	return user
}

func (s *Simulator) userMembers(u int) object {
	return object{"id": s.users.id(u), "login": userLogin(u), "nome": userName(u)}
}

func userLogin(u int) string { return "usuario" + strconv.Itoa(u) + "@exemplo.com.br" }
func userName(u int) string  { return "Usuário " + named(people(), u) }

// entry returns {id, nome} of a list's row.
func entry(id int, text string) object { return object{"id": id, "nome": text} }

// entry returns one with ativo, where that is known to come.
func (d *forms) entry(id int, text string) object {
	return object{"id": id, "nome": text, "ativo": d.flag(true)}.Present()
}

// clientRef names a contact; empty now and then.
func (s *Simulator) clientRef(d *forms, index int) object {
	if d.Once(40) {
		return object{}
	}
	return s.clientMembers(d, index)
}

func (s *Simulator) clientMembers(d *forms, index int) object {
	row := object{"id": s.contacts.id(index), "codigo": d.some(strconv.Itoa(183_000 + index)), "nome": s.contactName(index)}
	if s.company(index) {
		row["razaoSocial"], row["cnpj"] = d.some(s.contactName(index)+" S/A"), d.some(cnpj(index))
	}
	row.Add(object{
		"telefonePrincipal": d.some(phone(index)), "telefone": d.some(phone(index)), "emailPrincipal": d.some(email(index)),
		"email": d.some(email(index)), "empresa": d.flag(s.company(index)),
		"isEmpresa": d.flag(s.company(index) || index%10 == 4), // may be true for people
		"ativo":     d.flag(index%17 != 5), "diasSemInteracao": d.number(d.N(400)), "origem": d.once(3, object{}),
	})
	return row.Present()
}

// client returns the contact that a row of another table belongs to.
func (s *Simulator) client(d *forms) int { return d.N(max(1, s.with.Size)) }

// custom sets the fields that the tenant made, under the tenant's own labels: some differ by their case only, some are not labels that
// anybody would choose.
func (d *forms) custom(row object) {
	values := [...]string{"Azul", "31/12/2024", "true", "1.234,56", "", "São \"João\""}
	labels := [...]string{
		"Cor Favorita", "cor favorita", "COR FAVORITA", "Data X", "Nº de vagas", "Renda (R$)", "a.b_c", "Observação\n2", "campanha", "", "id",
	}
	from, n := d.N(len(labels)), d.N(7)
	fields, objects := object{}, object{}
	for k := range n {
		label := labels[(from+k)%len(labels)]
		objects[label] = object{"idRelacionado": nil, "valor": values[k%len(values)], "id": 55 + k}
		switch d.N(8) {
		case 0:
			fields[label] = true
		case 1:
			fields[label] = 12
		default:
			fields[label] = values[d.N(len(values))]
		}
	}
	row["camposPersonalizados"] = fields
	if !d.Once(4) {
		row["camposPersonalizadosObject"] = objects
	}
}

// pipelineRef sets the funnel: its name, the funnel itself, which is empty now and then, and the stage.
func (s *Simulator) pipelineRef(row object, d *forms, index int) {
	row["pipeline"], row["funilVenda"] = d.some(pipelineName(index)), object{}
	if !d.Once(12) {
		row["funilVenda"] = object{
			"id": s.pipelines.id(index), "nome": pipelineName(index), "tipo": pipelineKind(index), "padrao": d.flag(index == 0),
			"cascataCicloVida": d.number(index % 3),
		}.Present()
	}
	k := d.N(stages(index))
	row["etapa"] = d.number(k + 1) // the place of the stage in its funnel, not its id
	if !d.Once(15) {
		row["etapaAtual"] = d.stage(index, k)
	}
}

// stage returns a funnel's stage.
func (d *forms) stage(pipeline, k int) object {
	return object{
		"id": stageID(pipeline, k), "nome": stageName(k), "sequencia": k + 1, "prazo": d.number(3 + k), "gerarProposta": d.flag(k == 2),
		"produtoObrigatorio": d.flag(k > 1),
	}.Present()
}

func stageName(k int) string {
	return [...]string{"Gerar Interesse", "Processo de Cadência", "Proposta", "Negociação", "Fechamento", "Pós-venda"}[k]
}

func pipelineName(index int) string {
	if pipelineKind(index) == 1 {
		return "Qualificação " + strconv.Itoa(index)
	}
	return "Funil de venda " + strconv.Itoa(index)
}

// pipelineKind returns 0 for sales and 1 for qualification.
func pipelineKind(index int) int { return index % 3 / 2 }

// spread returns a time that belongs to a row, some years before the newest.
func (s *Simulator) spread(d *forms) int64 {
	return s.with.Newest.UnixMilli() - int64(d.N(5*365*24*60*60))*1000 - int64(d.N(1000))
}

// created returns when a record was made: in imported bases years like 0028 are common.
func (s *Simulator) created(d *forms, index int) string {
	if index%23 == 6 {
		return "002" + strconv.Itoa(4+d.N(5)) + "-05-01T03:00:00.000Z"
	}
	return d.moment(s.spread(d))
}
