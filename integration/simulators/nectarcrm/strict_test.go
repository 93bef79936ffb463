package nectarcrm

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

func TestAuth(t *testing.T) {
	s := New(Options{Size: 1})
	for name, test := range map[string]struct {
		query  string
		header http.Header
		status int
	}{
		"header":                  {"", http.Header{"Access-Token": {s.token}}, 200},
		"parameter":               {"?api_token=" + s.token, nil, 200},
		"both":                    {"?api_token=" + s.token, http.Header{"Access-Token": {s.token}}, 200},
		"none":                    {"", nil, 401},
		"wrong":                   {"", http.Header{"Access-Token": {"x"}}, 401},
		"wrong and right":         {"?api_token=x", http.Header{"Access-Token": {s.token}}, 401},
		"bearer":                  {"", http.Header{"Authorization": {"Bearer " + s.token}}, 401},
		"the name that is no one": {"", http.Header{"Api-Token": {s.token}}, 401},
	} {
		for _, path := range []string{"contatos", "contatos/32000002", "proposta/opportunity/1826618", "equipe/"} {
			if w := simtest.Ask(t, s, http.MethodGet, root+path+test.query, test.header, ""); w.Code != test.status {
				t.Errorf("%s: %s: status %d, want %d", name, path, w.Code, test.status)
			}
		}
	}
	if w := get(t, New(Options{Size: 1, HTML401: true}), "contatos", "page", "0"); w.Code != 401 || !strings.Contains(w.Body.String(), "<html") {
		t.Errorf("401 as HTML: %d %s", w.Code, w.Body)
	}
}

func TestTokens(t *testing.T) {
	now := simtest.At("2026-01-15T12:00:00Z")
	for token, test := range map[Token]struct {
		status int
		within time.Duration // of now, when it expires
	}{
		JWT: {200, 100 * 365 * 24 * time.Hour}, Texts: {200, 100 * 365 * 24 * time.Hour}, Expiring: {200, 7 * 24 * time.Hour}, Expired: {401, 0},
		Hex: {200, 0},
	} {
		s := New(Options{Size: 1, Token: token, Now: now})
		if w := get(t, s, "contatos"); w.Code != test.status {
			t.Errorf("%q: status %d", token, w.Code)
		}
		if config := s.Config("http://x", sim.Quota{}); config["api_token"] != s.token || s.Secrets()[0] != s.token {
			t.Errorf("%q: %v", token, config)
		}
		if token == Hex {
			if len(s.token) != 32 || strings.Trim(s.token, "0123456789abcdef") != "" {
				t.Errorf("%q: %s", token, s.token)
			}
			continue
		}
		parts := strings.Split(s.token, ".")
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || len(parts) != 3 {
			t.Fatalf("%q: %v: %s", token, err, s.token)
		}
		claims := map[string]any{}
		if err := json.Unmarshal(payload, &claims); err != nil {
			t.Fatalf("%q: %v: %s", token, err, payload)
		}
		var seconds int64
		switch exp := claims["exp"].(type) {
		case float64:
			seconds = int64(exp)
		case string:
			if seconds, err = strconv.ParseInt(exp, 10, 64); err != nil || token != Texts {
				t.Errorf("%q: exp is %q", token, exp)
			}
		}
		if left := time.Unix(seconds, 0).Sub(now()); left > test.within || (left > 0) != (test.status == 200) {
			t.Errorf("%q expires in %v", token, left)
		}
	}
}

func TestRefusals(t *testing.T) {
	s := New(Options{Size: 10})
	for path, status := range map[string]int{
		"contatos": 200, "contatos/": 200, "contatos/32000002": 200, "contatos/32000002/": 200, "contatos/1": 404, "contatos/9999999999999999999999": 404,
		"produto": 200, "produtos/": 200, "pipeline": 200, "pipelines": 200, "pipeline/1": 200, "usuario": 200, "usuarios/": 200,
		"qualificacao": 200, "qualificacoes": 200, "qualificacoes/400001": 200, "tarefas": 200, "compromissos": 200, "compromissos/610000": 200,
		"compromissos/tipos/": 200, "ligacao/tipos": 200, "equipe": 200, "lista": 200, "origem": 200, "segmento": 200, "categoria": 200,
		"produtoCategoria": 200, "produtoSubCategoria": 200, "campoPersonalizado": 200, "customFields": 200, "tabelaPreco": 200,
		"proposta/opportunity/1826618": 200, "proposta/opportunity/1": 404, "proposta/opportunity/": 404, "proposta/": 404, "propostas": 404,
		"empresas": 404, "Contatos": 404, "oportunidade": 404, "equipes": 404, "contatos/abc": 404, "contatos/32000002/x": 404, "": 404,
		"big-data/opportunity": 403, "table/rows": 403, "table-template": 403, "table": 200, "tabelas/": 200, "table/3": 200, "table/3/rows/": 200,
		"table/4/rows": 404, "table/x/rows": 404, "webhook": 200, "formulario/": 200, "formulario/30001": 200, "queues": 200, "queues/12": 200,
		"publicacao": 200, "publicacao/900000": 200, "publicacao/900002/comentarios?page=1": 200, "publicacao/900002/comentarios?page=0": 401,
		"publicacao/1/comentarios": 404, "publicacao/900002/x": 404, "tabelaPreco?active=false": 200, "tabelaPreco?active=0": 401,
		"big-data/opportunity-history": 401, "big-data/opportunity-history?aggregator=3&initialDate=2025-01-01&endDate=2025-02-01": 200,
		"big-data/opportunity-history?aggregator=6&initialDate=2025-01-01&endDate=2025-02-01":     401,
		"big-data/opportunity-history?aggregator=3&initialDate=2025-02-02&endDate=2025-02-01":     401,
		"big-data/opportunity-history?aggregator=3&initialDate=01%2F01%2F2025&endDate=01/02/2025": 401,
		"contatos?page=1&displayLength=1": 200, "contatos?page=0": 401, "contatos?page=-1": 200, "contatos?page=-2": 401, "contatos?page=a": 401,
		"contatos?page=01": 401, "contatos?page=1&page=2": 401, "contatos?displayLength=0": 401, "contatos?displayLength=100000": 200,
		"contatos?isEmpresa=true&limit=5&tipo=empresa&status=9": 200,
		"contatos?dataInicioAtualizacao=01%2F10%2F2025":         200, "contatos?dataInicioAtualizacao=01/10/2025": 200,
		"contatos?dataInicioAtualizacao=2025-10-01": 401, "contatos?dataFimAtualizacao=1/10/2025": 401, "contatos?dataFimAtualizacao=31/02/2025": 401,
		"oportunidades?dataInicioAtualizacao=x": 401, "qualificacoes?dataFimAtualizacao=": 401, "tarefas?dataInicioAtualizacao=x": 200,
		"oportunidades?status=0": 401, "oportunidades?status=5": 200, "oportunidades?status=6": 401, "oportunidades?status=1,2": 401,
		"qualificacoes?status=4": 200, "qualificacoes?status=5": 401, "qualificacoes?status=6": 401, "qualificacoes?status=7": 401,
		"pipelines?type=0&page=-1": 200, "pipelines?type=2": 401, "proposta/opportunity/1826618?status=4": 200,
		"proposta/opportunity/1826618?status=5": 401, "contatos?%zz": 401,
	} {
		w := simtest.Ask(t, s, http.MethodGet, root+path, http.Header{"Access-Token": {s.token}}, "")
		if w.Code != status {
			t.Errorf("%s: status %d, want %d: %.100s", path, w.Code, status, w.Body)
		}
		html := strings.HasPrefix(w.Header().Get("Content-Type"), "text/html")
		if json.Valid(w.Body.Bytes()) == html {
			t.Errorf("%s: %s: %.100s", path, w.Header().Get("Content-Type"), w.Body)
		}
	}
	for path, html := range map[string]bool{"empresas": true, "contatos/1": false} {
		if w := get(t, s, path); strings.Contains(w.Body.String(), "<html") != html {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodHead} {
		if w := simtest.Ask(t, s, method, root+"contatos", http.Header{"Access-Token": {s.token}}, ""); w.Code != 405 {
			t.Errorf("%s: status %d", method, w.Code)
		}
	}
	if w := simtest.Ask(t, s, http.MethodGet, "/contatos", http.Header{"Access-Token": {s.token}}, ""); w.Code != 404 {
		t.Errorf("outside of the root: %d", w.Code)
	}
	// A 401 for a parameter cannot be told from one for the token.
	bad, wrong := get(t, s, "contatos", "page", "0"), simtest.Ask(t, s, http.MethodGet, root+"contatos", nil, "")
	if bad.Body.String() != wrong.Body.String() || !strings.Contains(bad.Body.String(), `"message"`) {
		t.Errorf("%s, %s", bad.Body, wrong.Body)
	}
}

func TestOff(t *testing.T) {
	s := New(Options{
		Size: 10, BadParameter: 200, Refused: []string{"dataInicioAtualizacao"}, Missing: []string{"origem"}, Gated: []string{"equipe", "tarefas", "table", "webhook"},
	})
	for path, status := range map[string]int{
		"contatos?page=0": 200, "oportunidades?status=9": 200, "contatos?dataInicioAtualizacao=01/10/2025": 401, "origem": 404, "equipe": 403,
		"tarefas/7000003": 403, "segmento": 200, "table/3/rows": 403, "webhook": 403,
	} {
		if w := simtest.Ask(t, s, http.MethodGet, root+path, http.Header{"Access-Token": {s.token}}, ""); w.Code != status {
			t.Errorf("%s: status %d, want %d", path, w.Code, status)
		}
	}
	expect := s.Expect()
	for stream, rows := range map[string]bool{"origens": false, "equipes": false, "tarefas": false, "segmentos": true} {
		if n := len(expect[stream].Full.Must); (n > 0) != rows {
			t.Errorf("%s: %d rows are expected", stream, n)
		}
	}
	if w := get(t, New(Options{Size: 1, BadParameter: 400}), "oportunidades", "status", "9"); w.Code != 400 {
		t.Errorf("status %d", w.Code)
	}
}

func TestPaging(t *testing.T) {
	s := New(Options{Size: 450})
	for _, test := range []struct {
		path  string
		query []string
		rows  int
	}{
		{"contatos", nil, 15}, {"contatos", []string{"displayLength", "50"}, 50}, {"contatos", []string{"displayLength", "200"}, 100},
		{"contatos", []string{"displayLength", "200", "page", "5"}, 50}, {"contatos", []string{"displayLength", "200", "page", "6"}, 0},
		{"contatos", []string{"page", "2147483647"}, 0}, {"contatos", []string{"page", "-1"}, 200},
		{"contatos", []string{"displayLength", "1"}, 1}, {"contatos", []string{"limit", "3"}, 15},
		{"qualificacoes", []string{"displayLength", "200"}, 15}, {"oportunidades", []string{"displayLength", "200"}, 91},
		{"produto", []string{"displayLength", "200"}, 69}, {"pipelines", nil, 13}, {"pipelines", []string{"type", "1"}, 4},
		{"pipelines", []string{"page", "1", "displayLength", "10"}, 10}, {"usuarios", nil, 40}, {"usuario", []string{"page", "3"}, 10},
		{"lista", nil, 15}, {"lista", []string{"page", "3"}, 1}, {"equipe", []string{"page", "7"}, 5},
		{"proposta/opportunity/" + strconv.Itoa(s.opportunities.id(4)), []string{"displayLength", "50"}, 15},
		{"proposta/opportunity/" + strconv.Itoa(s.opportunities.id(4)), []string{"page", "2"}, 3},
		{"proposta/opportunity/" + strconv.Itoa(s.opportunities.id(4)), []string{"page", "3"}, 0},
	} {
		if n := len(rows(t, s, test.path, test.query...)); n != test.rows {
			t.Errorf("%s %v: %d rows, want %d", test.path, test.query, n, test.rows)
		}
	}
	short := New(Options{Size: 450, Short: 7})
	if n := len(rows(t, short, "contatos", "displayLength", "50")); n != 43 {
		t.Errorf("a short page has %d rows", n)
	}
	repeating := New(Options{Size: 450, Repeat: true})
	last := rows(t, repeating, "contatos", "displayLength", "100", "page", "5")
	beyond := rows(t, repeating, "contatos", "displayLength", "100", "page", "77")
	if len(last) != 50 || len(beyond) != 50 || last[0].id() != beyond[0].id() {
		t.Errorf("the last page has %d rows, one beyond it %d", len(last), len(beyond))
	}
	if n := len(rows(t, repeating, "proposta/opportunity/1826618", "status", "4", "page", "9")); n > 15 {
		t.Errorf("%d rows", n)
	}
}

// TestStatuses holds the lists by status against what the records say.
func TestStatuses(t *testing.T) {
	statuses := func(s *Simulator, path string, query ...string) (found []string) {
		all, _ := every(t, s, path, query...)
		for _, r := range all {
			if status := r["status"].(json.Number).String(); !slices.Contains(found, status) {
				found = append(found, status)
			}
		}
		slices.Sort(found)
		return found
	}
	usual, same := Options{Size: 400}, Options{Size: 400, SameScale: true, HighStatus: HighServed}
	for _, test := range []struct {
		with  Options
		path  string
		query []string
		want  []string
	}{
		{usual, "oportunidades", nil, []string{"1"}}, {usual, "oportunidades", []string{"status", "1"}, []string{"1"}},
		{usual, "oportunidades", []string{"status", "4"}, []string{"4"}}, {usual, "oportunidades", []string{"status", "5"}, []string{"5"}},
		{usual, "qualificacoes", nil, []string{"1", "2"}}, {usual, "qualificacoes", []string{"status", "2"}, []string{"3", "5"}},
		{usual, "qualificacoes", []string{"status", "3"}, []string{"6"}}, {usual, "qualificacoes", []string{"status", "4"}, []string{"4"}},
		{same, "qualificacoes", nil, []string{"1"}}, {same, "qualificacoes", []string{"status", "6"}, []string{"6"}},
		{Options{BareAll: true}, "qualificacoes", nil, []string{"1", "2", "3", "4", "5", "6"}},
		{Options{HighStatus: HighEmpty}, "qualificacoes", []string{"status", "5"}, nil},
	} {
		if got := statuses(New(test.with), test.path, test.query...); !slices.Equal(got, test.want) {
			t.Errorf("%s %v of %+v: %v, want %v", test.path, test.query, test.with, got, test.want)
		}
	}
}

// TestEmptyStatus asks for a status that no row has after a list of all rows: the one is not mistaken for the other.
func TestEmptyStatus(t *testing.T) {
	s := New(Options{Size: 10, BareAll: true, HighStatus: HighEmpty})
	if all, none := rows(t, s, "qualificacoes"), rows(t, s, "qualificacoes", "status", "5"); len(all) != 15 || len(none) != 0 {
		t.Errorf("%d rows, then %d", len(all), len(none))
	}
}

// TestDays asks for days of change and looks at the times of what comes.
func TestDays(t *testing.T) {
	zone := time.FixedZone("", -3*60*60)
	for name, test := range map[string]struct {
		with     Options
		zone     *time.Location
		from, to string // of the days that come, inclusive
	}{
		"honoured": {Options{}, zone, "2025-03-10", "2025-03-20"},
		"UTC":      {Options{UTCDays: true}, time.UTC, "2025-03-10", "2025-03-20"},
		"without":  {Options{Exclusive: true}, zone, "2025-03-11", "2025-03-19"},
	} {
		test.with.Size = 1500
		s := New(test.with)
		for _, path := range []string{"contatos", "oportunidades", "qualificacoes"} {
			var want, got []string
			all, _ := every(t, s, path)
			for _, r := range all {
				text, _ := r["dataAtualizacao"].(string)
				if at, err := moment(text); err == nil {
					if day := at.In(test.zone).Format(time.DateOnly); day >= test.from && day <= test.to {
						want = append(want, r.id())
					}
				}
			}
			days, _ := every(t, s, path, "dataInicioAtualizacao", "10/03/2025", "dataFimAtualizacao", "20/03/2025")
			for _, r := range days {
				got = append(got, r.id())
			}
			if !slices.Equal(got, want) || len(want) == 0 && path == "contatos" {
				t.Errorf("%s: %s: %v came, want %v", name, path, got, want)
			}
		}
	}
	s := New(Options{Size: 300, Unfiltered: true})
	if all, _ := every(t, s, "contatos", "dataInicioAtualizacao", "01/01/2099"); len(all) != 300 {
		t.Errorf("%d rows although the filter is ignored", len(all))
	}
	first, last := rows(t, s, "contatos")[0].id(), rows(t, s, "contatos", "dataInicio", "01/01/2099")[0].id()
	if first != strconv.Itoa(s.contacts.id(0)) || last != strconv.Itoa(s.contacts.id(299)) {
		t.Errorf("the first is %s, with a day of creation %s", first, last)
	}
}

func TestAttributes(t *testing.T) {
	for _, r := range rows(t, New(Options{Size: 20}), "contatos", "attribute", "id", "attribute", "nome", "attribute", "nome", "attribute", "x") {
		if len(r) != 2 || r["nome"] == "" {
			t.Errorf("%v", r)
		}
	}
}

func TestMessages(t *testing.T) {
	s := New(Options{Size: 3000, Messages: 0.2})
	messages, again := 0, 0
	for page := 1; page <= 200; page++ {
		ask := func() bool {
			var body struct{ Message string }
			w := get(t, s, "contatos", "page", strconv.Itoa(page))
			return w.Code == 200 && json.Unmarshal(w.Body.Bytes(), &body) == nil && body.Message != ""
		}
		if ask() {
			messages++
			if ask() {
				again++
			}
		}
	}
	if messages < 20 || messages > 60 || again == messages {
		t.Errorf("%d messages among 200 pages, %d again when asked again", messages, again)
	}
}

// TestQuotas reads as fast as it can until it is told that this is too fast.
func TestQuotas(t *testing.T) {
	for name, test := range map[string]struct {
		quota  sim.Quota
		pause  time.Duration
		first  int // the first request that is refused, of 20; 0 is none
		minute any
	}{
		"measured":        {Throttle(), 3 * time.Second, 10, 15},
		"spaced":          {Spacing(1200 * time.Millisecond), time.Second, 2, 50},
		"spaced, careful": {Spacing(1200 * time.Millisecond), 1200 * time.Millisecond, 0, 50},
		"none":            {sim.Quota{}, 0, 0, 1_000_000},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{Size: 10})
			gate := sim.NewGate(s, sim.Behaviour{Quota: test.quota})
			first := 0
			for i := range 20 {
				w := simtest.Ask(t, gate, http.MethodGet, root+"contatos", http.Header{"Access-Token": {s.token}}, "")
				if w.Code == 429 && first == 0 {
					first = i + 1
					if w.Header().Get("Retry-After") != "" {
						t.Errorf("%s: Retry-After %s", name, w.Header().Get("Retry-After"))
					}
				}
				time.Sleep(test.pause)
			}
			if first != test.first {
				t.Errorf("%s: request %d was refused first, want %d", name, first, test.first)
			}
			if got := s.Config("http://x", test.quota)["requests_per_minute"]; got != test.minute {
				t.Errorf("%s: %v requests a minute", name, got)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	set := map[string]string{
		"token": "expiring", "html-401": "true", "bad-parameter": "400", "refused": "a,b", "missing": "origem", "gated": "equipe,lista",
		"caps": "contatos=50,qualificacao=10", "short": "9", "repeat": "true", "messages": "0.5", "unfiltered": "true", "exclusive": "true",
		"utc-days": "true", "same-scale": "true", "high-status": "empty", "bare-all": "true", "twins": "true", "proposals-of": "open",
		"move": "1", "touch": "true", "append": "2", "prepend": "3", "drift-pages": "4",
	}
	opened, err := Open(sim.Options{Size: 7, Set: set})
	if err != nil {
		t.Fatal(err)
	}
	s, ok := opened.(*Simulator)
	if !ok || s.contacts.limit != 50 || s.leads.limit != 10 || s.with.Drift != (Drift{1, true, 2, 3, 4}) || len(s.with.Gated) != 2 ||
		s.Config("http://x", sim.Quota{})["proposals_of"] != "open" {
		t.Errorf("%+v", s.with)
	}
	for _, set := range []map[string]string{
		{"token": "x"}, {"high-status": "x"}, {"bad-parameter": "500"}, {"short": "1"}, {"messages": "2"}, {"move": "-1"}, {"caps": "x=1"},
		{"caps": "contatos=0"}, {"caps": "contatos"}, {"missing": "x"}, {"gated": "x"}, {"speed": "1"},
	} {
		if _, err := Open(sim.Options{Set: set}); err == nil {
			t.Errorf("%v is taken", set)
		}
	}
}
