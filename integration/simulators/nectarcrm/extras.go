package nectarcrm

import (
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// publication returns an entry of the feed. Most are NectarCRM's own, about what somebody edited, and have no comments. The caller holds the lock.
func (s *Simulator) publication(i int, r row) object {
	d := s.forms(s.feed, i, 6)
	comments := s.commentsOf(i)
	contact := s.client(d)
	row := object{
		"id": s.feed.id(i), "assunto": "Editou uma oportunidade v" + strconv.Itoa(int(r.Version)), "descricao": d.note(),
		"automatica": d.flag(!commented(i)), "importante": d.flag(d.Once(9)), "qtdeComentarios": comments, "autor": s.userRef(d),
		"dataCriacao": d.moment(s.spread(d)), "dataAtualizacao": s.feed.changed(i, r),
		"contato": entry(s.contacts.id(contact), s.contactName(contact)),
	}
	switch form := d.N(20); {
	case form == 0:
		row["qtdeComentarios"] = strconv.Itoa(comments)
	case form < 3 && comments == 0:
		delete(row, "qtdeComentarios") // what is empty is left out
	}
	switch o := d.N(s.opportunities.count); d.N(5) {
	case 0:
		row["oportunidade"] = object{
			"id": s.opportunities.id(o), "nome": s.opportunityName(o), "cliente": entry(s.contacts.id(contact), s.contactName(contact)),
			"funilVenda": object{}, "temperatura": "", "valorTotalDescontos": 0, "origem": object{},
		}
	case 1:
		row["tarefa"] = object{"id": s.tasks.id(i % s.tasks.count), "titulo": "Ligar"}
	case 2:
		row["compromisso"] = object{"id": s.appointments.id(i % s.appointments.count), "assunto": "Reunião"}
	case 3:
		row["qualificacao"] = object{}
	}
	file := entry(31+i, "fotoProfile.jpg")
	row["anexos"] = d.of(sim.Absent, list{}, file, list{file, file})
	return row
}

// commented tells whether a publication had comments from the beginning.
func commented(index int) bool { return index%4 == 1 }

// commentsOf returns how many comments a publication has. The caller holds the lock.
func (s *Simulator) commentsOf(index int) int {
	n := len(s.comments[index])
	if commented(index) {
		n += 1 + s.dice(s.feed, index, 2).N(3)
	}
	return n
}

// commentTime returns when a publication's k-th comment was written, in Unix milliseconds; 0 is not known. The caller holds the lock.
func (s *Simulator) commentTime(index, k int) int64 {
	first := s.commentsOf(index) - len(s.comments[index])
	if k >= first {
		return s.comments[index][k-first]
	}
	if index%40 == 5 {
		return 0
	}
	return s.spread(s.forms(s.feed, index, 200+uint64(k)))
}

func commentID(index, k int) int { return 4_000_000 + 64*index + k }

// comment returns a publication's k-th comment. The caller holds the lock.
func (s *Simulator) comment(index, k int) object {
	d := s.forms(s.feed, index, 100+uint64(k))
	at := s.commentTime(index, k)
	return object{
		"id": commentID(index, k), "descricao": d.note(), "autor": s.userRef(d),
		"dataCriacao": when(at != 0, func() any { return clock(at, withMillis) }),
	}
}

// filled returns a form that somebody filled in.
func (s *Simulator) filled(i int, r row) object {
	d := s.forms(s.filledForms, i, 6)
	questions := object{"First question": d.some("true"), "Quantos quartos?": d.some("3"), "a.b": d.some("Versão " + strconv.Itoa(int(r.Version)))}
	return object{
		"id": s.filledForms.id(i), "dataCriacao": d.moment(s.spread(d)), "dataAtualizacao": s.filledForms.changed(i, r),
		"dataPreenchimento": d.of(sim.Absent, d.moment(s.spread(d))), "preenchido": d.flag(true), "autor": s.userRef(d),
		"autorAtualizacao": s.userRef(d), "modeloFormulario": entry(1+i%3, "First form"), "respostas": questions.Present(),
		"respostasObject": list{object{
			"campoPersonalizado":    object{"id": 31_021, "nome": "Pergunta 1", "tipo": 0, "opcoes": list{}, "secao": object{"ativo": true, "id": 2}},
			"obrigatorioFormulario": true, "valor": "787", "id": 698_681 + i,
		}},
	}
}

// queue returns a queue of users. Its fields are in English, as the documents have them.
func (s *Simulator) queue(i int, r row) object {
	d := s.forms(s.queues, i, 6)
	return object{
		"id": s.queues.id(i), "name": "Vendedores " + strconv.Itoa(i), "description": d.note(), "dataCriacao": d.moment(s.spread(d)),
		"dataAtualizacao": s.queues.changed(i, r), "author": s.userRef(d), "updateAuthor": s.userRef(d), "strategy": d.number(int(r.Version % 2)),
		"users": several(1+i%3, func(k int) object { return object{"id": 14 + 3*i + k, "user": s.userMembers(k), "position": k} }),
	}
}

// HookSecret is in the rows of webhooks, as a password and in a token.
const HookSecret = "senha-do-gancho-4711"

// webhook is an address that NectarCRM calls.
func webhook(row object, d *forms, i int) {
	delete(row, "descricao")
	row.Add(object{
		"url": "https://example.com/webhook/" + strconv.Itoa(i), "contador": d.number(12 + i), "eventNumber": 1070 + i, "authType": d.number(i % 3),
		"authUser": d.some("usuario"), "authPassword": HookSecret, "tokenBearer": "Bearer " + HookSecret,
	})
}

// dynamicTable returns a table that the company made.
func (s *Simulator) dynamicTable(i int, _ row) object {
	d := s.forms(s.dynamic, i, 6)
	return object{
		"id": s.dynamic.id(i), "nome": "Tabela " + strconv.Itoa(i), "descricao": d.note(),
		"colunas": list{object{"id": 1, "nome": "Faixa"}, object{"id": 2, "nome": "Percentual"}},
	}
}

// dynamicRows returns how many rows a table has: none, one page, several.
func dynamicRows(table int) int { return [...]int{230, 0, 17}[table%3] }

// dynamicRow returns a row of a table, with the columns that the company gave it: ASCII alone, as in a passage.
func (s *Simulator) dynamicRow(table, k int) object {
	d := s.forms(s.dynamic, table, 100+uint64(k))
	return object{
		"id": 70_000 + 1000*table + k, "Faixa": d.some(strconv.Itoa(100*k) + " mil"), "Percentual": d.amount(50 * k),
		"Observacao": d.some(`so "VIP" <` + strconv.Itoa(2020+k%7) + ">"), "Responsavel": d.of(object{}, object{"login": userLogin(k % 40)}),
	}.Present()
}
