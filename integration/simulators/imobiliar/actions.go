package imobiliar

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// object is a JSON object.
type object = sim.Object

// field is one that a request or a row may have.
type field struct {
	name string
	kind byte
}

// fields returns those of a text, written as name:kind.
func fields(text string) (all []field) {
	for one := range strings.FieldsSeq(text) {
		name, kind, _ := strings.Cut(one, ":")
		all = append(all, field{name, kind[0]})
	}
	return all
}

// action is one that the service knows. The kinds of its fields are those of forms.
type action struct {
	required, optional []field
	list               string // the member of the answer that has the rows; "": the answer is one row
	rows               func(d *data, body object) (rows []object, found bool)
}

// forms returns those that the JSON of a request's field has, by its kind: a whole number, a text, a day, a flag, a flag or T, an amount, the
// origin of a payable, the kind of a period.
func forms() map[byte]*regexp.Regexp {
	all := map[byte]*regexp.Regexp{}
	for kind, form := range map[byte]string{
		'i': `\d+`, 's': `".*"`, 'd': `"\d\d/\d\d/\d{4}"`, 'f': `"[SN]"`, 't': `"[SNT]"`, 'n': `\d+\.\d\d`, 'o': `"[CIA]"`, 'p': `"[VC]"`,
	} {
		all[kind] = regexp.MustCompile("^" + form + "$")
	}
	return all
}

// check returns what is wrong with the body of a request, nil where nothing is.
func (s *Simulator) check(a action, body object) *problem {
	known := slices.Concat(a.required, a.optional)
	for name, value := range body {
		i := slices.IndexFunc(known, func(f field) bool { return f.name == name })
		raw, _ := json.Marshal(value)
		if i < 0 || slices.Contains(s.with.Refused, name) || !s.forms[known[i].kind].Match(raw) {
			return &problem{name, "Campo inválido"}
		}
	}
	for _, f := range a.required {
		if body[f.name] == nil {
			return &problem{f.name, "Campo obrigatório"}
		}
	}
	return nil
}

// whole returns a whole number of a request, 0 where there is none.
func whole(v any) int {
	n, _ := v.(json.Number)
	i, _ := strconv.Atoi(string(n))
	return i
}

// date returns a day of a request.
func date(v any) (t time.Time) {
	text, _ := v.(string)
	t, _ = time.Parse("02/01/2006", text)
	return t
}

// search returns an action that lists the active rows of a table or the others, and those alone that changed on a day or since.
func search(list, table, active string, columns ...string) action {
	optional := "Texto:s OrdenarPor:s PesquisarPor:s TipoPessoa:s QtdeLinhas:i ProximasLinhas:f DataAlteracaoInicial:d"
	if active != "" {
		optional += " " + active + ":t"
	}
	return action{optional: fields(optional), list: list, rows: func(d *data, body object) (rows []object, found bool) {
		since := date(body["DataAlteracaoInicial"])
		for _, row := range d.tables[table] {
			wanted, _ := body[active].(string)
			some := active != "" && wanted != "T" && row.active != (wanted != "N")
			if active == "IncluiInativos" {
				some = !row.active && wanted != "S"
			}
			if some || row.changed.Before(since) {
				continue
			}
			rows = append(rows, d.only(table, row, columns))
		}
		return rows, true
	}}
}

// only returns a row with some of its members, CodImovel of a contract among them; none: all.
func (d *data) only(table string, r *row, names []string) object {
	if len(names) == 0 {
		return d.full(table, r)
	}
	some := object{}
	for _, name := range names {
		if some[name] = r.object[name]; some[name] == nil && name == "CodImovel" {
			some[name] = r.of
		}
	}
	return some
}

// one returns an action that answers with the row which has a code.
func one(table, code, kind, optional string) action {
	return action{required: fields(code + ":" + kind), optional: fields(optional), rows: func(d *data, body object) ([]object, bool) {
		wanted := fmt.Sprint(body[code])
		for _, row := range d.tables[table] {
			lease := body["CodContratoLoc"]
			if fmt.Sprint(row.object[code]) == wanted && (lease == nil && !row.former || lease != nil && whole(lease) == row.object["CodContratoLoc"]) {
				return []object{d.full(table, row)}, true
			}
		}
		return nil, false
	}}
}

// due returns an action that lists what falls due within days, or whenever where none are told, of the origin that is asked for where rows have one.
func due(list, table, required, optional string) action {
	return action{
		required: fields(required), optional: fields(optional + " QtdeLinhas:i ProximasLinhas:f"), list: list,
		rows: func(d *data, body object) (rows []object, found bool) {
			for _, row := range d.tables[table] {
				if d.within(row.due, body) && (row.origin == "" || row.origin == body["TipoPesquisa"]) {
					rows = append(rows, d.full(table, row))
				}
			}
			return rows, true
		},
	}
}

// within reports whether a due date, or none, is asked for.
func (d *data) within(due time.Time, body object) bool {
	if body["DataInicial"] == nil && body["DataFinal"] == nil {
		return d.undated != Unlisted
	}
	first, last := date(body["DataInicial"]), date(body["DataFinal"])
	if d.ends == NotFirst || d.ends == Neither {
		first = first.AddDate(0, 0, 1)
	}
	if d.ends == NotLast || d.ends == Neither {
		last = last.AddDate(0, 0, -1)
	}
	return !due.IsZero() && !due.Before(first) && !due.After(last)
}

// all returns an action that lists a table, or what of it belongs to the code in the one field that is required.
func all(list, table, required string) action {
	by := fields(required)
	return action{required: by, list: list, rows: func(d *data, body object) (rows []object, found bool) {
		for _, row := range d.tables[table] {
			if len(by) == 0 || row.of == whole(body[by[0].name]) {
				rows = append(rows, row.object)
			}
		}
		return rows, true
	}}
}

// actions returns those that the connector may use, by name.
func actions() map[string]action {
	condominiums := search("Condominios", "condominiums", "IncluiInativos", "CodCondominio", "NomeCondominio")
	condominiums.required = fields("IncluiInativos:f")
	units := one("units", "CodCondominio", "i", "CodBloco:s DataAlteracaoInicial:d")
	units.rows = func(d *data, body object) ([]object, bool) {
		return d.units(whole(body["CodCondominio"]), date(body["DataAlteracaoInicial"]))
	}
	fees := search("Taxas", "fees", "Ativo")
	listed := fees.rows
	fees.required, fees.rows = fields("TipoTaxa:s"), func(d *data, body object) ([]object, bool) {
		if body["TipoTaxa"] != "L" {
			return nil, true // a type without fees
		}
		return listed(d, body)
	}
	return map[string]action{
		"CADASTRO_PESSOA_PESQUISAR":         search("Pessoas", "people", "Ativo", "CodPessoa", "Nome", "CpfCnpj"),
		"CADASTRO_PESSOA_CONSULTAR":         one("people", "CodPessoa", "i", ""),
		"CADASTRO_FORNECEDOR_PESQUISAR":     search("Fornecedores", "suppliers", "Ativo", "CodFornecedor", "Nome"),
		"CADASTRO_FORNECEDOR_CONSULTAR":     one("suppliers", "CodFornecedor", "s", "CpfCnpj:s"),
		"LOCACAO_CONTRATO_ADM_PESQUISAR":    search("Contratos", "administration", "Ativo", "CodContratoAdm", "CodImovel"),
		"LOCACAO_CONTRATO_ADM_CONSULTAR":    one("administration", "CodContratoAdm", "i", ""),
		"LOCACAO_CONTRATO_IMOVEL_PESQUISAR": search("Contratos", "leases", "Ativos", "CodImovel", "NomeLocat"),
		"LOCACAO_CONTRATO_IMOVEL_CONSULTAR": one("leases", "CodImovel", "i", "CodContratoLoc:i"),
		"LOCACAO_IMOVEL_CONSULTAR":          one("properties", "CodImovel", "i", ""),
		"CONDOM_CONDOMINIO_PESQUISAR":       condominiums,
		"CONDOM_CONDOMINIO_CONSULTAR":       one("condominiums", "CodCondominio", "i", ""),
		"CONDOM_LISTA_ECONOMIAS":            units,
		"CONDOM_LISTA_INADIMPLENCIAS":       all("Inadimplentes", "overdue", "CodCondominio:i"),
		"CADASTRO_FILIAL_PESQUISAR":         search("Filiais", "branches", ""),
		"CADASTRO_LOJA_PESQUISAR":           search("Agencias", "shops", ""),
		"CADASTRO_TAXA_PESQUISAR":           fees,
		"COMERC_INTERESSADO_PESQUISAR":      all("Interessados", "interested", ""),
		"COMERC_INTERESSADO_CONSULTAR":      one("interested", "CodInteressado", "i", ""),
		"TABELA_CONSULTAR":                  all("Itens", "codes", ""),
		"NOTIFICACAO_CONSULTAR":             all("Notificacoes", "notifications", ""),
		"CTAPAG_LANCAMENTO_PESQUISAR":       due("Lancamentos", "payables", "TipoPesquisa:o", "TipoPeriodo:p DataInicial:d DataFinal:d"),
		"CTAREC_BOLETO_PESQUISAR_INADIMPLENCIAS": due(
			"Pendentes", "bills", "DataInicial:d DataFinal:d PercentualHonorarios:n", ""),
	}
}
