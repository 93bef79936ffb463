package simulators_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

// page is a request for a page of a listing.
type page struct {
	method, target, body string
	rows                 int // of all pages, at the least
}

// pages returns pages of the listings of simulators that do not try this themselves: the first, one behind it, and one past the end.
func pages() map[string][]page {
	all := map[string][]page{}
	for _, n := range []string{"1", "2", "9000"} {
		all["dwv"] = append(all["dwv"], page{http.MethodGet, "/integration/properties?deleted=false&limit=50&page=" + n, "", 150})
		all["imoview"] = append(all["imoview"],
			page{http.MethodGet, "/Usuario/RetornarTipo3?numeroRegistros=70&numeroPagina=" + n, "", 200},
			page{http.MethodPost, "/Imovel/RetornarCondominiosDisponiveis", `{"numeropagina":` + n + `,"numeroRegistros":3}`, 6})
		all["nectarcrm"] = append(all["nectarcrm"], page{http.MethodGet, "/crm/api/1/tarefas/?displayLength=25&page=" + n, "", 50},
			page{http.MethodGet, "/crm/api/1/contatos?displayLength=200&page=" + n, "", 200})
	}
	search := func(filters string) page {
		return page{http.MethodPost, "/services/apexrest/snap_brok/imovel/pesquisar",
			`{"Offset":0,"RegistrosPagina":60,"Ordenacao":"Id ASC","Filtros":[` + filters + `]}`, 200}
	}
	all["snapproperty"] = []page{search(""), search(`"AND Id > 'a050B0000000050QAA'"`), search(`"AND Id > 'a05zz0000000000AAA'"`)}
	return all
}

// Every simulator's pages are the same after they were taken apart, and all rows are known from any of them.
func TestEveryListing(t *testing.T) {
	requests := pages()
	for name := range simulators.All() {
		for _, p := range requests[name] {
			t.Run(name+" "+p.target+" "+p.body, func(t *testing.T) {
				s := open(t, name, sim.Options{Size: 200, Seed: 1})
				gate := sim.NewGate(s, sim.Behaviour{Alter: sim.InPages("")})
				right, altered := p.send(t, s, s), p.send(t, s, gate)
				if !reflect.DeepEqual(right, altered) {
					t.Errorf("the answer is\n%.400v\n%.400v", right, altered)
				}
				if n := len(gate.Listed("").Must); n < p.rows {
					t.Errorf("%d rows are known, of %d", n, p.rows)
				}
			})
		}
	}
}

// send sends the request with the simulator's credentials and gives the answer, which has to be 200.
func (p page) send(t *testing.T, s sim.Simulator, to http.Handler) (answer any) {
	t.Helper()
	config := s.Config("http://127.0.0.1:1", sim.Quota{})
	text := func(name string) string { value, _ := config[name].(string); return value }
	credentials, _ := config["credentials"].(map[string]any)
	token, _ := credentials["access_token"].(string)
	w := simtest.Ask(t, to, p.method, p.target, http.Header{
		"Content-Type": {"application/json"}, "Token": {text("token")}, "Chave": {text("api_key")}, "Access-Token": {text("api_token")},
		"Authorization": {"Bearer " + text("token") + token},
	}, p.body)
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("the answer is %s: %.200s", strconv.Itoa(w.Code), w.Body)
	}
	return answer
}
