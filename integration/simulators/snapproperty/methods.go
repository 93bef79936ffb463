package snapproperty

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// The names of fields.
const (
	contractExternal = "snap_brok__Id_externo__c"
	contractReason   = "snap_brok__Motivo_do_cancelamento_op__c"
	contractNote     = "snap_brok__Motivo_cancelamento__c"
	contractRent     = "snap_brok__Valor_aluguel_corrigido__c"
	propertyExternal = "snap_brok__ID_externo__c"
)

// method is one of the contract methods.
type method struct {
	member   string   // of the body
	object   string   // of the answer: where a success has what was changed, and a failure null; "" for none
	fields   []string // that it takes
	required []string
	run      func(in map[string]string) outcome // with the data locked
}

// outcome is what a method did. With a failure it changed nothing.
type outcome struct {
	key     string
	failure string
	message string // of a success; empty means Sucesso
	object  object // what was changed; nil for none
	changed []string
}

func (s *Simulator) methods() map[string]method {
	contract := func(run func(in map[string]string) outcome, optional ...string) method { // the page calls none of them obligatory
		return method{member: "contrato", object: "Contrato", fields: append([]string{contractExternal, "Id"}, optional...), run: run}
	}
	exchanged := []string{"gerente_antigo", "gerente_novo", "id_imovel", "id_proprietario"}
	return map[string]method{
		"cancelar":                       contract(s.cancel, contractReason, contractNote),
		"distratarContratoAdministracao": contract(s.dissolve),
		"desocuparImovel":                contract(s.vacate, contractRent),
		"desocuparImovelComDistratoAdm":  contract(s.vacateAndDissolve, contractRent),
		"desocuparImovelIDExterno": {
			member: "imovel", object: "Imovel", fields: []string{propertyExternal}, required: []string{propertyExternal}, run: s.vacateProperty,
		},
		"trocarGerente": {member: "troca", object: "Imovel", fields: exchanged, required: exchanged, run: s.exchange},
	}
}

// reasons returns those of cancelar.
func reasons() []string {
	return []string{
		"Optou por outro imóvel", "Alteração de contratantes", "Alteração de garantia", "Alteração de condições contratuais",
		"Cadastro duplicado", "Outros",
	}
}

// money returns how amounts are written: the whole number together, and a dot before the cents.
func money(text string) bool { return regexp.MustCompile(`^[0-9]+\.[0-9]{2}$`).MatchString(text) }

// call runs a contract method, unless its body is not as documented or the call is lost before.
func (s *Simulator) call(w http.ResponseWriter, r *http.Request, name string, body []byte) *refusal {
	m := s.methods()[name]
	in, refused := m.input(body)
	if refused != nil {
		return refused
	}
	loss, stall := s.lost()
	if loss != "" && !loss.Ran() {
		s.lose(w, r, loss, stall, nil)
		return nil
	}
	status, out := s.perform(name, m, in)
	if loss != "" {
		s.lose(w, r, loss, stall, out)
		return nil
	}
	answer(w, status, sim.Raw(out))
	return nil
}

// input reads a body: an object of one object of texts.
func (m method) input(body []byte) (map[string]string, *refusal) {
	outer, refused := members(body, m.member)
	if refused != nil {
		return nil, refused
	}
	inner, refused := members(outer[m.member], m.fields...)
	if refused != nil {
		return nil, refused
	}
	in := make(map[string]string, len(inner))
	for name, raw := range inner {
		var value *string
		if json.Unmarshal(raw, &value) != nil || value == nil {
			return nil, malformed("Cannot deserialize instance of string from the value of %s at [line:1, column:2]", name)
		}
		in[name] = *value
	}
	for _, name := range m.required {
		if _, ok := in[name]; !ok {
			return nil, malformed("Missing required field: %s at [line:1, column:2]", name)
		}
	}
	_, byID := in["Id"]
	_, byCode := in[contractExternal]
	if m.member == "contrato" && byID == byCode {
		return nil, malformed("Exactly one of Id and %s is required at [line:1, column:2]", contractExternal)
	}
	if rent, ok := in[contractRent]; ok && !money(rent) {
		return nil, malformed("Cannot deserialize instance of currency from VALUE_STRING value %s or request may be missing a required field", rent)
	}
	return in, nil
}

// perform runs a method and writes down what it did.
func (s *Simulator) perform(name string, m method, in map[string]string) (status int, body []byte) {
	s.data.Lock()
	defer s.data.Unlock()
	o := m.run(in)
	status, failed := http.StatusOK, o.failure != ""
	if failed {
		status, s.refused[Run{name, o.key}] = s.with.FailureStatus, o.failure
	} else {
		s.effects = append(s.effects, Effect{name, o.key, o.changed})
	}
	out := sim.Ordered("Mensagem", cmp.Or(o.failure, o.message, "Sucesso"))
	if failed || o.object != nil { // after a failure null stands for what would have been changed
		out = append(out, sim.Ordered(m.object, o.object)...)
	}
	return status, sim.Encode(append(out, sim.Ordered("Erro", failed && !s.with.QuietFailures)...))
}

// The contract that a body means, or the failure that it is not found, in the words of the method.
func (s *Simulator) wanted(in map[string]string, notFound string) (*contract, outcome) {
	number, ok := s.lookUp(in["Id"], in[contractExternal])
	if !ok {
		return nil, outcome{key: in["Id"] + in[contractExternal], failure: notFound}
	}
	c := s.contract(number)
	return c, outcome{key: c.External}
}

// change notes that an outcome changed a contract.
func (o *outcome) change(s *Simulator, c *contract) {
	s.keep(c)
	o.changed = append(o.changed, c.External)
}

// set changes where a contract's properties stand.
func (o *outcome) set(s *Simulator, properties []int, situation string, rent tristate) {
	for _, i := range properties {
		s.rows[i].situation, s.rows[i].rent = situation, rent
		o.touch(s, i)
	}
}

func (o *outcome) touch(s *Simulator, index int) {
	s.touch(index)
	code := s.property(index).external()
	if code == "" {
		code = propertyID(index)
	}
	o.changed = append(o.changed, code)
}

// end closes a contract.
func (s *Simulator) end(c *contract, situation string) {
	c.Situation, c.Active, c.Billed, c.Ended = situation, false, false, s.today()
}

func (s *Simulator) cancel(in map[string]string) outcome {
	c, o := s.wanted(in, "Contrato não localizado.")
	reason, given := in[contractReason]
	switch {
	case o.failure != "":
		return o
	case given && !slices.Contains(reasons(), reason):
		o.failure = "bad value for restricted picklist field: " + reason
	case c.Cancelled:
		o.failure = "O contrato já consta como cancelado."
	case c.Signed:
		o.failure = "O contrato já consta como assinado."
	}
	if o.failure != "" {
		return o
	}
	s.end(c, "Cancelado")
	c.Cancelled, c.CancelledOn, c.Reason, c.Note = true, c.Ended, reason, in[contractNote]
	c.Along = []string{"captação"}
	if c.Kind == Lease {
		c.Along = []string{"locação", "proposta"}
	}
	o.change(s, c)
	o.object = c.closed("")
	delete(o.object, contractExternal)
	o.object[contractNote], o.object["snap_brok__Cancelado__c"], o.object["snap_brok__Data_cancelamento__c"] = c.Note, true, c.CancelledOn
	if given {
		o.object[contractReason] = c.Reason
	}
	return o
}

// closed returns a contract that was ended, in an answer; rent is its last one, or "".
func (c *contract) closed(rent string) object {
	fields := object{
		contractExternal: c.External, "snap_brok__Ativo__c": false, "snap_brok__Faturar__c": false,
		"snap_brok__Data_encerramento__c": c.Ended, "snap_brok__Situacao__c": c.Situation,
	}
	if rent != "" {
		if rent = strings.TrimLeft(rent, "0"); rent[0] == '.' {
			rent = "0" + rent
		}
		fields[contractRent] = json.Number(rent)
	}
	return sobject("v41.0", "snap_brok__Contrato__c", c.ID, fields)
}

// closing is how a method ends contracts of a kind.
type closing struct {
	kind                string
	notFound, wrongKind string // what the method says of a contract that there is not, and of one of the other kind
	contract, property  string // where the contract and its properties then stand
	rent                tristate
}

// close ends the contract that a body means, and returns it.
func (s *Simulator) close(in map[string]string, by closing) (*contract, outcome) {
	c, o := s.wanted(in, by.notFound)
	if o.failure == "" && c.Kind != by.kind {
		o.failure = by.wrongKind
	}
	if o.failure == "" {
		s.end(c, by.contract)
		o.change(s, c)
		o.set(s, c.properties, by.property, by.rent)
		o.object = c.closed("")
	}
	return c, o
}

func (s *Simulator) dissolve(in map[string]string) outcome {
	_, o := s.close(in, closing{
		Administration, "Contrato não encontrado.", "O Contrato deve ser de Administração.", "Distratado", "Indisponível", no,
	})
	return o
}

func (s *Simulator) vacate(in map[string]string) outcome {
	c, o := s.close(in, closing{Lease, "Contrato não localizado.", "O Contrato deve ser de Locação.", "Encerrado", "Disponivel", yes})
	if o.failure == "" {
		c.Rent = cmp.Or(in[contractRent], c.Rent)
		o.object = c.closed(c.Rent)
	}
	return o
}

func (s *Simulator) vacateAndDissolve(in map[string]string) outcome {
	const notFound = "Contrato não localizado." // only leases are looked for
	c, o := s.close(in, closing{Lease, notFound, notFound, "Encerrado", "Indisponivel", no})
	if o.failure == "" {
		administration := s.contract(c.number - 1)
		administration.Situation = "Distratado"
		o.change(s, administration)
	}
	return o
}

func (s *Simulator) vacateProperty(in map[string]string) outcome {
	code := in[propertyExternal]
	o := outcome{key: code}
	index, ok := s.byCode(code)
	if !ok {
		o.failure = "Imóvel não localizado."
		return o
	}
	var leases []*contract
	for _, number := range s.of(index) {
		if c := s.contract(number); c.Kind == Lease && !c.Cancelled {
			leases = append(leases, c)
		}
	}
	if len(leases) == 0 {
		o.failure = "O Imóvel não possui contrato de Locação."
		return o
	}
	for _, c := range leases {
		s.end(c, "Encerrado")
		o.change(s, c)
	}
	r := &s.rows[index]
	r.elsewhere, r.surveyed = yes, no
	o.set(s, []int{index}, "Aguardando aprovação", no)
	o.object = sobject("v50.0", "snap_brok__Imovel__c", propertyID(index), object{
		"snap_brok__Administrador_outro_sistema__c": true, propertyExternal: code, "snap_brok__Vistoria__c": false,
		"snap_brok__Situacao__c": r.situation, "snap_brok__Disponivel_locacao__c": false,
	})
	return o
}

// exchangeKey returns the four codes of a change of manager.
func exchangeKey(in map[string]string) string {
	return strings.Join([]string{in["gerente_antigo"], in["gerente_novo"], in["id_imovel"], in["id_proprietario"]}, "|")
}

// exchange changes the manager of one property, or of all that have the old one, or of all of an owner.
func (s *Simulator) exchange(in map[string]string) outcome {
	o := outcome{key: exchangeKey(in), message: "Troca de gerência realizada com sucesso"}
	before, after, code, of := in["gerente_antigo"], in["gerente_novo"], in["id_imovel"], in["id_proprietario"]
	switch {
	case !slices.Contains(managers(), after):
		o.failure = "Não encontrado Id do novo gerente"
		return o
	case before+code+of == "":
		o.failure = "Informe ao menos um parâmetro além do novo gerente"
		return o
	}
	var found []int
	for i := range s.rows {
		p := s.property(i)
		if !p.row.gone && (code == "" || p.external() == code) && (before == "" || p.manager() == before) && (of == "" || owner(i) == of) {
			found = append(found, i)
		}
	}
	if len(found) == 0 {
		o.failure = "Imóvel não localizado."
		return o
	}
	for _, i := range found {
		s.rows[i].manager = after
		o.touch(s, i)
		for _, number := range s.of(i) {
			c := s.contract(number)
			c.Manager = after
			if !slices.Contains(o.changed, c.External) {
				o.change(s, c)
			}
		}
	}
	return o
}
