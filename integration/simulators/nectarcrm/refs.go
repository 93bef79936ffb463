package nectarcrm

import (
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// named is an entry of a small list of the company's.
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

// note is a text that is absent now and then, of a kind as people write: line ends, HTML, quotes, emoji, tabs, line separators, controls. They
// are JSON, so that tabs are spelled out, which is as good as \t.
func (w *writer) note(name string) {
	const reason = "Pediu desconto; reavaliar no próximo trimestre com o gerente, depois da reunião de sexta-feira. "
	text := [...]string{
		`"Sem acentos, uma linha."`,
		`"Ligar amanhã às 10h\nFalar com a \"dona\" Cida\n\u0009• proposta\n\u0009• prazo"`,
		`"<p>Cliente <b>quente</b> &amp; interessado<br>R$ 1.490,00</p>"`,
		"\"Vista pro mar 🏖️🌊 — ½ do valor\u2028linha dois\u2029fim\u00a0😀👨‍👩‍👧 العربية\"",
		`"Pasta \\contratos\\2024 e um controle: \u0001."`,
		`"` + reason + reason + reason + reason + reason + `"`,
	}[w.d.N(6)]
	if w.there(name) {
		w.Is(name, text)
	}
}

func (s *Simulator) company(contact int) bool { return contact%3 != 1 }

// contactName is the same wherever the contact is named.
func (s *Simulator) contactName(contact int) string {
	if s.company(contact) {
		return "Empresa " + strconv.Itoa(contact) + " Comércio Ltda"
	}
	return named(people(), contact%6) + " " + strconv.Itoa(contact)
}

// cnpj is a company's number, formatted.
func cnpj(n int) string { return pattern("99.999.999/0001-99", uint64(n)) }

func email(n int) string { return "contato" + strconv.Itoa(n) + "@exemplo.com.br" }

func phone(n int) string { return pattern("(11) 99999-9999", uint64(n)) }

// pattern is a text whose nines are digits that belong to n.
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

// userRef is a member that names a user; empty now and then.
func (s *Simulator) userRef(w *writer, name string) {
	u := w.d.N(s.users.count)
	switch w.d.N(30) {
	case 0:
		w.Is(name, "{}")
	case 1:
	default:
		w.object(name, func() {
			s.userMembers(w, u)
			if w.d.Once(3) {
				w.Text("foto", strconv.Itoa(u)+"-foto.png")
			}
		})
	}
}

func (s *Simulator) userMembers(w *writer, u int) {
	w.Int("id", s.users.id(u))
	w.Text("login", userLogin(u))
	w.Text("nome", userName(u))
}

func userLogin(u int) string { return "usuario" + strconv.Itoa(u) + "@exemplo.com.br" }
func userName(u int) string  { return "Usuário " + named(people(), u) }

// entry writes {id, nome} of a list's row, with ativo where that is known to come.
func (w *writer) entry(name string, id int, text string, active bool) {
	w.object(name, func() {
		w.Int("id", id)
		w.Text("nome", text)
		if active {
			w.flag("ativo", true)
		}
	})
}

// either writes an entry of a list as its name; one in 25 as the object that it is elsewhere.
func (w *writer) either(name string, id int, text string) {
	if w.d.Once(25) {
		w.entry(name, id, text, true)
		return
	}
	w.Text(name, text)
}

// clientRef names a contact; empty now and then.
func (s *Simulator) clientRef(w *writer, index int) {
	if w.d.Once(40) {
		w.Is("cliente", "{}")
		return
	}
	w.object("cliente", func() {
		w.Int("id", s.contacts.id(index))
		s.clientMembers(w, index)
	})
}

func (s *Simulator) clientMembers(w *writer, index int) {
	w.some("codigo", strconv.Itoa(183_000+index))
	w.Text("nome", s.contactName(index))
	if s.company(index) {
		w.some("razaoSocial", s.contactName(index)+" S/A")
		w.some("cnpj", cnpj(index))
	}
	w.some("telefonePrincipal", phone(index))
	w.some("telefone", phone(index))
	w.some("emailPrincipal", email(index))
	w.some("email", email(index))
	w.flag("empresa", s.company(index))
	w.flag("isEmpresa", s.company(index) || index%10 == 4) // may be true for people
	w.flag("ativo", index%17 != 5)
	w.number("diasSemInteracao", w.d.N(400))
	if w.d.Once(3) {
		w.Is("origem", "{}")
	}
}

// client is the contact that a row of another table belongs to.
func (s *Simulator) client(d *sim.Dice) int { return d.N(max(1, s.with.Size)) }

// custom writes the fields that the tenant made, under the tenant's own labels: some differ by their case only, some are not labels that
// anybody would choose.
func (w *writer) custom() {
	values := [...]string{"Azul", "31/12/2024", "true", "1.234,56", "", "São \"João\""}
	labels := [...]string{
		"Cor Favorita", "cor favorita", "COR FAVORITA", "Data X", "Nº de vagas", "Renda (R$)", "a.b_c", "Observação\n2", "campanha", "", "id",
	}
	from, n := w.d.N(len(labels)), w.d.N(7)
	w.object("camposPersonalizados", func() {
		for k := range n {
			w.Next()
			w.Quote(labels[(from+k)%len(labels)])
			w.Raw(":")
			switch w.d.N(8) {
			case 0:
				w.Raw("true")
			case 1:
				w.Raw("12")
			default:
				w.Quote(values[w.d.N(len(values))])
			}
		}
	})
	if w.d.Once(4) {
		return
	}
	w.object("camposPersonalizadosObject", func() {
		for k := range n {
			w.Next()
			w.Quote(labels[(from+k)%len(labels)])
			w.Raw(`:{"idRelacionado":null`)
			w.Text("valor", values[k%len(values)])
			w.Int("id", 55+k)
			w.Raw("}")
		}
	})
}

// pipelineRef writes the funnel: its name, the funnel itself, which is empty now and then, and the stage.
func (s *Simulator) pipelineRef(w *writer, index int) {
	w.some("pipeline", pipelineName(index))
	if w.d.Once(12) {
		w.Is("funilVenda", "{}")
	} else {
		w.object("funilVenda", func() {
			w.Int("id", s.pipelines.id(index))
			w.Text("nome", pipelineName(index))
			w.Int("tipo", pipelineKind(index))
			w.flag("padrao", index == 0)
			w.number("cascataCicloVida", index%3)
		})
	}
	k := w.d.N(stages(index))
	w.number("etapa", k+1) // the place of the stage in its funnel, not its id
	if w.d.Once(15) {
		return
	}
	w.object("etapaAtual", func() { stage(w, index, k) })
}

// stage writes the members of a funnel's stage.
func stage(w *writer, pipeline, k int) {
	w.Int("id", stageID(pipeline, k))
	w.Text("nome", stageName(k))
	w.Int("sequencia", k+1)
	w.number("prazo", 3+k)
	w.flag("gerarProposta", k == 2)
	w.flag("produtoObrigatorio", k > 1)
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

// pipelineKind is 0 for sales and 1 for qualification.
func pipelineKind(index int) int { return index % 3 / 2 }

// spread is a time that belongs to a row, some years before the newest.
func (s *Simulator) spread(w *writer) int64 {
	return s.with.Newest.UnixMilli() - int64(w.d.N(5*365*24*60*60))*1000 - int64(w.d.N(1000))
}

// created writes when a record was made: in imported bases years like 0028 are common.
func (s *Simulator) created(w *writer, index int) {
	if index%23 == 6 {
		w.Text("dataCriacao", "002"+strconv.Itoa(4+w.d.N(5))+"-05-01T03:00:00.000Z")
		return
	}
	w.moment("dataCriacao", s.spread(w))
}
