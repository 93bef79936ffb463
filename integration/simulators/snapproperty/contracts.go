package snapproperty

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// The kinds of contracts, as the organisation calls its record types.
const (
	Lease          = "Locação"
	Administration = "Administração"
)

// Contract is one as it stands.
type Contract struct {
	ID, External      string
	Kind              string   // Lease or Administration
	Situation         string   // Situacao
	Active, Billed    bool     // Ativo, Faturar
	Signed, Cancelled bool     // Assinado, Cancelado
	Ended             string   // Data_encerramento, a date; "" for none
	CancelledOn       string   // Data_cancelamento
	Reason, Note      string   // Motivo_do_cancelamento_op, Motivo_cancelamento
	Rent              string   // Valor_aluguel_corrigido
	Manager, Owner    string   // codes
	Properties        []string // their external codes
	Along             []string // what was cancelled with it: locação and proposta of a lease, captação of an administration
}

// contract is one that was touched, with the indices of its properties.
type contract struct {
	Contract
	number     int
	properties []int
}

// Property is one as the contract methods see it.
type Property struct {
	ID, External   string
	Situation      string
	ForRent        bool // Disponivel_locacao
	Elsewhere      bool // Administrador_outro_sistema
	Surveyed       bool // Vistoria
	Manager, Owner string
}

// Every second property has a contract of administration, every fourth a lease besides; each twentieth's cover the property after it
// as well. The contracts of property i have the numbers 2*i and 2*i+1. Of the leases one in eight is not signed yet and one is
// cancelled; of the administrations without a lease one in four is not signed yet and one is cancelled.
const (
	contractedEvery = 2
	leasedEvery     = 4
	pairedEvery     = 20
)

func isLease(number int) bool { return number%2 == 1 }

// exists tells whether there is a contract with a number.
func (s *Simulator) exists(number int) bool {
	index, every := number/2, contractedEvery
	if isLease(number) {
		every = leasedEvery
	}
	return number >= 0 && index < s.with.Size && index%every == 0
}

// standing returns how a contract stood at first.
func standing(number int) (signed, cancelled bool) {
	index := number / 2
	switch {
	case isLease(number):
		turn := index / leasedEvery % 8
		return turn < 5 || turn == 7, turn == 6
	case index%leasedEvery == 0: // it has a lease, so it was signed
		return true, false
	}
	turn := index / leasedEvery % 4
	return turn > 1, turn == 1
}

// covering returns the index of the property whose contracts cover one: itself, but for the second of a pair.
func covering(index int) int {
	if index%pairedEvery == 1 {
		return index - 1
	}
	return index
}

// letNow tells whether a property was let at first.
func (s *Simulator) letNow(index int) bool {
	index = covering(index)
	if index%leasedEvery != 0 || index >= s.with.Size {
		return false
	}
	signed, _ := standing(2*index + 1)
	return signed
}

// contracted tells whether a property has contracts, or had.
func (s *Simulator) contracted(index int) bool { return len(s.of(index)) > 0 }

// of returns the numbers of a property's contracts.
func (s *Simulator) of(index int) (numbers []int) {
	index = covering(index)
	for _, number := range []int{2 * index, 2*index + 1} {
		if s.exists(number) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// contract returns the one with a number, which there is. The caller holds data, and marks what it changes with keep.
func (s *Simulator) contract(number int) *contract {
	if c := s.contracts[number]; c != nil {
		return c
	}
	index := number / 2
	c := &contract{number: number, properties: []int{index}}
	if index%pairedEvery == 0 && index+1 < s.with.Size {
		c.properties = append(c.properties, index+1)
	}
	signed, cancelled := standing(number)
	c.Contract = Contract{
		ID: contractID(number), External: externalContract(number), Kind: Administration, Situation: "Ativo", Active: true, Billed: true,
		Signed: signed, Cancelled: cancelled, Manager: manager(index), Owner: owner(index),
	}
	if isLease(number) {
		c.Kind = Lease
	}
	switch {
	case cancelled:
		c.Situation, c.Active, c.Billed, c.CancelledOn, c.Ended = "Cancelado", false, false, "2025-02-28", "2025-02-28"
	case !signed:
		c.Situation, c.Active, c.Billed = "Aguardando assinatura", false, false
	}
	for _, i := range c.properties {
		c.Properties = append(c.Properties, s.property(i).external())
	}
	return c
}

// keep marks a contract as changed.
func (s *Simulator) keep(c *contract) { s.contracts[c.number] = c }

// externalContract returns the code in the other system: a number, or for a lease the property's code twice and which lease of it this is.
func externalContract(number int) string {
	if !isLease(number) {
		return strconv.Itoa(2_200_000 + number)
	}
	code := externalCode(number / 2)
	return code + "|" + code + "|1"
}

// lookUp finds a contract by its Id or its external code.
func (s *Simulator) lookUp(id, external string) (number int, ok bool) {
	switch code, lease, _ := strings.Cut(external, "|"); {
	case id != "":
		number, ok = find(2*s.with.Size, contractID, id)
	case lease != "":
		var index int
		index, ok = s.byCode(code)
		number = 2*index + 1
	default:
		n, err := strconv.Atoi(code)
		number, ok = n-2_200_000, err == nil
	}
	return number, ok && s.exists(number) && (id != "" || externalContract(number) == external)
}

// byCode returns the index of the property with an external code.
func (s *Simulator) byCode(code string) (index int, ok bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(code, "CR"))
	index = n - 10_000
	return index, err == nil && index >= 0 && index < len(s.rows) && !s.rows[index].gone && s.property(index).external() == code
}

// managers returns the codes of the people who look after properties.
func managers() []string {
	return []string{"174918", "3182739", "3182740", "3182751", "3182802", "3182899", "3183000"}
}

func manager(index int) string { return managers()[covering(index)%len(managers())] }

func owner(index int) string { return strconv.Itoa(320_000 + covering(index)/3) }

func (p property) manager() string {
	if p.row.manager != "" {
		return p.row.manager
	}
	return manager(p.index)
}

// Managers returns the codes of all managers.
func (s *Simulator) Managers() []string { return managers() }

// Contract returns the contract with an Id or an external code, as it stands; false when there is none.
func (s *Simulator) Contract(code string) (Contract, bool) {
	s.data.RLock()
	defer s.data.RUnlock()
	number, ok := s.lookUp("", code)
	if !ok {
		number, ok = s.lookUp(code, "")
	}
	if !ok {
		return Contract{}, false
	}
	return s.contract(number).copy(), true
}

func (c *contract) copy() Contract {
	one := c.Contract
	one.Properties, one.Along = slices.Clone(one.Properties), slices.Clone(one.Along)
	return one
}

// Contracts returns all contracts as they stand, in a fixed order.
func (s *Simulator) Contracts() (all []Contract) {
	s.data.RLock()
	defer s.data.RUnlock()
	for number := range 2 * s.with.Size {
		if s.exists(number) {
			all = append(all, s.contract(number).copy())
		}
	}
	return all
}

// Property returns the property with an external code, as it stands; false when there is none.
func (s *Simulator) Property(external string) (Property, bool) {
	s.data.RLock()
	defer s.data.RUnlock()
	index, ok := s.byCode(external)
	if !ok {
		return Property{}, false
	}
	p := s.property(index)
	return Property{
		ID: propertyID(index), External: external, Situation: p.situation(), ForRent: p.forRent(), Elsewhere: p.row.elsewhere.or(false),
		Surveyed: p.row.surveyed.or(true), Manager: p.manager(), Owner: owner(index),
	}, true
}

// Effect is a run of a contract method that changed something.
type Effect struct {
	Method  string
	Key     string   // the external code of the contract or property, or the four codes of a change of manager, joined by "|"
	Changed []string // the external codes (Ids where there is none) of all contracts and properties that were changed
}

// Effects returns all runs of contract methods that changed something, in their order.
func (s *Simulator) Effects() []Effect { return sim.Copied(s.data.RLocker(), &s.effects) }

// Run is a call of a method for one record.
type Run struct{ Method, Key string }

// Runs counts how often each call took effect.
func (s *Simulator) Runs() map[Run]int {
	runs := map[Run]int{}
	for _, e := range s.Effects() {
		runs[Run{e.Method, e.Key}]++
	}
	return runs
}

// Refusals returns the calls that ran and refused, with the message of the last one.
func (s *Simulator) Refusals() map[Run]string {
	s.data.RLock()
	defer s.data.RUnlock()
	return maps.Clone(s.refused)
}

// Order is a record for a contract method.
type Order struct {
	Run
	Record map[string]string // under the API's names; what stands within contrato, imovel or troca
}

// Orders returns up to n records that a method would carry out now, in a fixed order. No two of any methods' concern the same contract or
// property, so all can be carried out in any order, each once.
func (s *Simulator) Orders(method string, n int) (orders []Order) {
	s.data.RLock()
	defer s.data.RUnlock()
	for index := 0; index < s.with.Size && len(orders) < n; index++ {
		if o, ok := s.order(method, index); ok {
			o.Method = method
			orders = append(orders, o)
		}
	}
	return orders
}

// order returns a record of a method for a property's contracts, where they are for this method.
func (s *Simulator) order(method string, index int) (Order, bool) {
	number := 2 * index
	if index%leasedEvery == 0 {
		number++
	}
	signed, cancelled := standing(number)
	untouched := s.contracts[2*index] == nil && s.contracts[2*index+1] == nil && s.rows[index].manager == "" && !s.rows[index].gone
	if !untouched || cancelled {
		return Order{}, false
	}
	const dissolve, exchange = "distratarContratoAdministracao", "trocarGerente"
	kind := [12]string{
		0: "desocuparImovel", 4: "desocuparImovelComDistratoAdm", 8: "desocuparImovelIDExterno", 2: dissolve, 6: dissolve, 10: dissolve,
		3: exchange, 5: exchange, 7: exchange, 11: exchange,
	}[index%12]
	if index%2 == 0 && !signed {
		kind = "cancelar"
	}
	o := Order{Run{Key: externalContract(number)}, map[string]string{contractExternal: externalContract(number)}}
	switch kind {
	case "cancelar":
		o.Record[contractReason], o.Record[contractNote] = "Outros", ""
	case "desocuparImovel", "desocuparImovelComDistratoAdm":
		o.Record[contractRent] = fmt.Sprintf("%d.%02d", 900+index, index%100)
	case "desocuparImovelIDExterno":
		o = Order{Run{Key: externalCode(index)}, map[string]string{propertyExternal: externalCode(index)}}
	case exchange:
		if index%pairedEvery == 1 || s.property(index).external() == "" {
			return Order{}, false
		}
		o.Record = map[string]string{
			"gerente_antigo": "", "gerente_novo": managers()[(index+1)%len(managers())], "id_imovel": externalCode(index), "id_proprietario": "",
		}
		o.Key = exchangeKey(o.Record)
	}
	return o, kind == method
}
