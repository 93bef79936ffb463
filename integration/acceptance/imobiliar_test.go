package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/imobiliar"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// imobiliarAt returns a server of a company with own settings.
func imobiliarAt(t *testing.T, f fixture, set map[string]string, with sim.Behaviour) (*api, *imobiliar.Simulator) {
	t.Helper()
	with.LogBodies = true
	a := f.start(t, sim.Options{Size: 45, Set: set}, with)
	s, ok := a.simulator.(*imobiliar.Simulator)
	if !ok {
		t.Fatalf("the simulator is a %T", a.simulator)
	}
	return a, s
}

// loggedOut tells that no session is open and no listing was left for another action.
func loggedOut(t *testing.T, s *imobiliar.Simulator) {
	t.Helper()
	if open, logins, interrupted := s.Sessions(); open > 0 || logins == 0 || interrupted > 0 {
		t.Errorf("%d of %d sessions are open, and %d listings were left for another action", open, logins, interrupted)
	}
}

// asked returns the values of a member of the bodies in which an action was asked for.
func asked(a *api, action, member string) (values []string) {
	for _, r := range a.Log() {
		var q struct {
			Header struct{ Action string }
			Body   map[string]any
		}
		if json.Unmarshal(r.Body, &q) == nil && q.Header.Action == action && q.Body[member] != nil {
			values = append(values, fmt.Sprint(q.Body[member]))
		}
	}
	return values
}

// days returns values as the service writes days, the earliest first.
func days(t *testing.T, values []string) (all []time.Time) {
	t.Helper()
	for _, value := range values {
		day, err := time.Parse("02/01/2006", value)
		if err != nil {
			t.Error(err)
		}
		all = append(all, day)
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// TestImobiliarAnswers reads whatever form the service gives its answers: every row comes once, and each session is ended.
func TestImobiliarAnswers(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for _, set := range []map[string]string{
		{"past": "absent"}, {"past": "fails"}, {"past": "begins"}, {"cap": "3"}, {"numeric-cpf": "true", "errors-object": "true"},
		{"refused": "DataAlteracaoInicial"}, {"most": "2"},
		{"refused": "DataAlteracaoInicial", "error-status": "400", "past": "fails"}, {"error-status": "500", "past": "fails", "cap": "4"},
	} {
		t.Run(fmt.Sprint(set), func(t *testing.T) {
			t.Parallel()
			a, s := imobiliarAt(t, f, set, sim.Behaviour{})
			first := f.succeed(t, a, f.read(t, a, nil))
			compare(t, full(a), first)
			once(t, first)
			loggedOut(t, s)
		})
	}
}

// TestImobiliarNothing has lists without rows be told by an error, in words: they are empty, no condominium has gone, and changes are asked for.
func TestImobiliarNothing(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for _, words := range []string{"Nenhum registro encontrado", "Não foram encontrados registros.", "Nenhum documento pendente"} {
		t.Run(words, func(t *testing.T) {
			t.Parallel()
			a, _ := imobiliarAt(t, f, map[string]string{"nothing": words}, sim.Behaviour{})
			first := f.succeed(t, a, f.read(t, a, nil))
			compare(t, full(a), first)
			a.simulator.Change(2, 0)
			second := f.succeed(t, a, f.read(t, a, first.State()))
			compare(t, next(a), second)
			for _, l := range slices.Concat(first.Logs, second.Logs) {
				if l.Level == "WARN" && (strings.Contains(l.Message, "gone") || strings.Contains(l.Message, "filter")) {
					t.Error(l.Message)
				}
			}
		})
	}
}

// TestImobiliarSessions reads with several sessions: no more are opened than the service allows, and all are ended.
func TestImobiliarSessions(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for most, want := range map[string]int{"5": 4, "2": 2, "1": 1} {
		t.Run("of "+most, func(t *testing.T) {
			t.Parallel()
			a, s := imobiliarAt(t, f, map[string]string{"sessions": most}, sim.Behaviour{})
			a.config["sessions"] = 4
			res := f.succeed(t, a, f.read(t, a, nil))
			compare(t, full(a), res)
			once(t, res)
			loggedOut(t, s)
			if _, logins, _ := s.Sessions(); logins > want {
				t.Errorf("%d sessions were opened, and %d may be", logins, want)
			}
		})
	}
}

// TestImobiliarSessionExpires reads from a server that ends sessions after some requests, in the middle of listings too: those begin anew, and no row
// comes twice.
func TestImobiliarSessionExpires(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for lifetime, status := range map[string]string{"3": "200", "9": "468", "40": "401"} {
		t.Run("after "+lifetime, func(t *testing.T) {
			t.Parallel()
			a, s := imobiliarAt(t, f, map[string]string{"lifetime": lifetime, "expired-status": status}, sim.Behaviour{})
			res := f.succeed(t, a, f.read(t, a, nil))
			compare(t, full(a), res)
			once(t, res)
			loggedOut(t, s)
			if _, logins, _ := s.Sessions(); logins < 2 {
				t.Errorf("%d sessions were opened: nothing was tried", logins)
			}
		})
	}
}

// TestImobiliarSessionLimit reads while the only session that the user may have was left open by a process that is gone: that passes.
func TestImobiliarSessionLimit(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	a, s := imobiliarAt(t, f, map[string]string{"sessions": "1"}, sim.Behaviour{})
	first, _ := f.ended(t, a, func(c *harness.Control) error { return c.Signal(os.Kill) }, some(5), 0)
	second := f.succeed(t, a, f.read(t, a, first.State()))
	compare(t, full(a), first, second)
	loggedOut(t, s)
}

// TestImobiliarKill ends reads with kill -9, at several moments: the session stays open, and the next read is complete all the same.
func TestImobiliarKill(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for _, moment := range []int{1, 20, 100, 200} {
		t.Run(fmt.Sprint("after record ", moment), func(t *testing.T) {
			t.Parallel()
			a, s := imobiliarAt(t, f, nil, sim.Behaviour{Latency: 5 * time.Millisecond})
			first, _ := f.ended(t, a, func(c *harness.Control) error { return c.Signal(os.Kill) }, some(moment), 0)
			if open, _, _ := s.Sessions(); open != 1 {
				t.Errorf("%d sessions are open", open)
			}
			second := f.succeed(t, a, f.read(t, a, first.State()))
			compare(t, full(a), first, second)
			once(t, second)
			if open, _, _ := s.Sessions(); open != 1 {
				t.Errorf("%d sessions are open", open)
			}
		})
	}
}

// TestImobiliarTerminated ends reads and checks with SIGTERM, also while they log in: the session is ended before the process is. A process that is
// stopped has two seconds, which may not be enough on a machine that has other things to do, and so has another attempt.
func TestImobiliarTerminated(t *testing.T) {
	t.Parallel()
	const attempts = 5
	f := one(t, "source-imobiliar")
	for _, moment := range []int{1, 50, 250} {
		t.Run(fmt.Sprint("after record ", moment), func(t *testing.T) {
			t.Parallel()
			for attempt := 1; ; attempt++ {
				a, s := imobiliarAt(t, f, nil, sim.Behaviour{Latency: 5 * time.Millisecond})
				res, _ := f.ended(t, a, sigterm, some(moment), 0)
				if res.Code != 1 {
					t.Errorf("the exit code is not 1: %s", res)
				}
				if open, _, _ := s.Sessions(); open == 0 || attempt == attempts {
					loggedOut(t, s)
					return
				}
			}
		})
	}
	t.Run("while it logs in", func(t *testing.T) {
		t.Parallel()
		for attempt := 1; ; attempt++ {
			a, s := imobiliarAt(t, f, nil, sim.Behaviour{Latency: 200 * time.Millisecond})
			stopped := make(chan struct{})
			res := f.run(t, a, harness.Check(a.json(t, nil)), harness.Options{Started: func(c *harness.Control) {
				go func() {
					defer close(stopped)
					for a.Stats().Requests == 0 {
						time.Sleep(time.Millisecond)
					}
					_ = sigterm(c) // it may have ended by itself
				}()
			}})
			<-stopped
			if open, _, _ := s.Sessions(); open == 0 {
				return
			} else if attempt == attempts {
				t.Fatalf("%d sessions are open after %s", open, res)
			}
		}
	})
}

// TestImobiliarFaults reads while answers go wrong, those of segments too, of which none may be asked for twice.
func TestImobiliarFaults(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for _, fault := range []sim.Fault{sim.ServerError, sim.BadGateway, sim.CutBody, sim.Reset, sim.HTMLPage, sim.Slow, sim.BrokenUTF8} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			a, _ := imobiliarAt(t, f, nil, sim.Behaviour{Faults: sim.Faults{Every: 7, Kinds: []sim.Fault{fault}}})
			streams := []string{"people", "branches", "fees", "payables", "overdue_bills"}
			res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, streams...), nil))
			compare(t, full(a, streams...), res)
			once(t, res)
			if a.Stats().Faults[fault] == 0 {
				t.Error("no answer went wrong")
			}
		})
	}
}

// TestImobiliarLoginRefused tells that a login is not tried again that is refused, under whatever status: that might lock the account.
func TestImobiliarLoginRefused(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for _, status := range []string{"200", "401", "500"} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			a, s := imobiliarAt(t, f, map[string]string{"error-status": status}, sim.Behaviour{})
			a.config["password"] = "another one"
			a.secrets = append(a.secrets, "another one")
			f.refusedAll(t, a, f.read(t, a, nil))
			if n := s.Actions()["LOGIN"]; n != 1 || len(s.Actions()) > 1 {
				t.Errorf("%d logins were tried, among %v", n, s.Actions())
			}
		})
	}
}

// TestImobiliarRights tells an action that the server does not know, whose stream is empty with a warning, from one that this user may not
// call, whose stream fails.
func TestImobiliarRights(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for action, stream := range map[string]string{
		"CADASTRO_LOJA_PESQUISAR": "shops", "LOCACAO_IMOVEL_CONSULTAR": "properties", "CONDOM_LISTA_ECONOMIAS": "condominium_units",
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			a, _ := imobiliarAt(t, f, map[string]string{"unknown": action}, sim.Behaviour{})
			res := f.succeed(t, a, f.read(t, a, nil))
			warned := slices.ContainsFunc(res.Logs, func(l harness.Log) bool { return l.Level == "WARN" && strings.HasPrefix(l.Message, stream+": ") })
			if len(res.Of(stream)) > 0 || res.Last(stream) != "COMPLETE" || !warned {
				t.Errorf("%d rows of %s came: %s", len(res.Of(stream)), stream, res)
			}
			a, s := imobiliarAt(t, f, map[string]string{"denied": action}, sim.Behaviour{})
			res = f.run(t, a, f.read(t, a, nil))
			if res.Code != 1 || res.Last(stream) != "INCOMPLETE" || res.Last("branches") != "COMPLETE" || len(res.Failures) == 0 ||
				res.Failures[0].Type != "config_error" || !strings.Contains(res.Failures[0].Message, action) {
				t.Errorf("without the right to it: %s", res)
			}
			loggedOut(t, s)
		})
	}
}

// TestImobiliarActions tells that a read of everything sends none but actions that read.
func TestImobiliarActions(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	a, s := imobiliarAt(t, f, nil, sim.Behaviour{})
	a.config["code_tables"] = []string{}
	f.succeed(t, a, f.read(t, a, nil))
	reads := regexp.MustCompile(`^(LOGIN|LOGOUT|CONDOM_LISTA_(ECONOMIAS|INADIMPLENCIAS)|[A-Z_]+_(CONSULTAR|PESQUISAR|PESQUISAR_INADIMPLENCIAS))$`)
	for action := range s.Actions() {
		if !reads.MatchString(action) || strings.Contains(action, "DADOSCONEXAO") {
			t.Errorf("%s was sent", action)
		}
	}
	if n := len(s.Actions()); n != 24 {
		t.Errorf("%d actions were sent: %v", n, s.Actions())
	}
}

// TestImobiliarDetailsCostOneRequest holds the requests for people and their addresses against those for people alone.
func TestImobiliarDetailsCostOneRequest(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	requests := func(streams ...string) int {
		a, s := imobiliarAt(t, f, nil, sim.Behaviour{})
		f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh, streams...), nil))
		return s.Actions()["CADASTRO_PESSOA_CONSULTAR"]
	}
	if alone, together := requests("people"), requests("people", "people_addresses"); alone != together || alone == 0 {
		t.Errorf("the people take %d requests, and %d with their addresses", alone, together)
	}
}

// TestImobiliarInactive reads without what is not active any more: the service is not asked for it.
func TestImobiliarInactive(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	came := map[bool]int{}
	for _, inactive := range []bool{true, false} {
		a, _ := imobiliarAt(t, f, nil, sim.Behaviour{})
		a.config["include_inactive"] = inactive
		res := f.succeed(t, a, f.read(t, a, nil))
		for _, stream := range []string{"people", "lease_contracts", "administration_contracts", "properties", "condominiums"} {
			came[inactive] += len(res.Of(stream))
		}
		for action, member := range map[string]string{
			"CADASTRO_PESSOA_PESQUISAR": "Ativo", "LOCACAO_CONTRATO_ADM_PESQUISAR": "Ativo", "LOCACAO_CONTRATO_IMOVEL_PESQUISAR": "Ativos",
		} {
			if values := asked(a, action, member); slices.Contains(values, "N") != inactive || !slices.Contains(values, "S") {
				t.Errorf("%s was asked for with %s %v", action, member, values)
			}
		}
		want := map[bool]string{true: "S", false: "N"}[inactive]
		if values := asked(a, "CONDOM_CONDOMINIO_PESQUISAR", "IncluiInativos"); len(values) == 0 || slices.ContainsFunc(values, func(v string) bool { return v != want }) {
			t.Errorf("condominiums were asked for with %v, want %s", values, want)
		}
	}
	if came[false] == 0 || came[false] >= came[true] {
		t.Errorf("%d rows came with what is inactive, and %d without", came[true], came[false])
	}
}

// TestImobiliarChanges reads twice: the second time the service is asked for what changed since some days before the first one, and for what
// falls due from some months before it on, of which competencias_back says how many.
func TestImobiliarChanges(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for _, back := range []int{0, 3, 12} {
		t.Run(fmt.Sprintf("%d months back", back), func(t *testing.T) {
			t.Parallel()
			a, _ := imobiliarAt(t, f, nil, sim.Behaviour{})
			a.config["competencias_back"] = back
			began := time.Now()
			first := f.succeed(t, a, f.read(t, a, nil))
			if since := days(t, asked(a, "CADASTRO_PESSOA_PESQUISAR", "DataAlteracaoInicial")); len(since) == 0 || since[0].Year() != 2014 {
				t.Errorf("with a start date, what changed since %v was asked for", since)
			}
			a.simulator.Change(4, 0)
			b := f.serve(t, a.simulator, sim.Behaviour{LogBodies: true})
			b.config["competencias_back"] = back
			second := f.succeed(t, b, f.read(t, b, first.State()))
			compare(t, next(b), second)
			for _, action := range []string{"CADASTRO_PESSOA_PESQUISAR", "CADASTRO_FORNECEDOR_PESQUISAR", "CONDOM_LISTA_ECONOMIAS"} {
				for _, day := range days(t, asked(b, action, "DataAlteracaoInicial")) {
					if day.After(began.AddDate(0, 0, -2)) || day.Before(began.AddDate(0, 0, -5)) {
						t.Errorf("%s asked for what changed since %v", action, day)
					}
				}
			}
			latest := began.AddDate(0, 0, 1-begun(began)) // the month that runs, and so many whole ones before it
			for _, action := range []string{"CTAPAG_LANCAMENTO_PESQUISAR", "CTAREC_BOLETO_PESQUISAR_INADIMPLENCIAS"} {
				from, until := days(t, asked(b, action, "DataInicial")), days(t, asked(b, action, "DataFinal"))
				if len(from) == 0 || from[0].After(latest.AddDate(0, -back, 0)) || from[0].Before(latest.AddDate(0, -back-3, 0)) {
					t.Errorf("%s asked for what falls due from %v on", action, from)
				}
				if ahead := until[len(until)-1].Sub(began) > 300*24*time.Hour; ahead != (action == "CTAPAG_LANCAMENTO_PESQUISAR") {
					t.Errorf("%s asked for what falls due until %v", action, until[len(until)-1])
				}
			}
		})
	}
}

// TestImobiliarEndsOfWindows reads from a service that leaves out days which it is told, or not: every payable and bill comes, once, those that are
// due on such a day too, and entries of one bill are counted once.
func TestImobiliarEndsOfWindows(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for _, ends := range []string{"first", "last", "both"} {
		t.Run(ends, func(t *testing.T) {
			t.Parallel()
			a, _ := imobiliarAt(t, f, map[string]string{"ends": ends}, sim.Behaviour{})
			streams := []string{"payables", "overdue_bills"}
			res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, streams...), nil))
			compare(t, full(a, streams...), res)
			once(t, res)
		})
	}
}

// TestImobiliarDueWhenever reads payables without a due date, and with one long ago or far ahead: they come where the service lists them, and where it
// does not answer without days that is told.
func TestImobiliarDueWhenever(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for _, undated := range []string{"listed", "none", "refused"} {
		t.Run(undated, func(t *testing.T) {
			t.Parallel()
			a, _ := imobiliarAt(t, f, map[string]string{"undated": undated}, sim.Behaviour{})
			delete(a.config, "start_date")
			res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, "payables"), nil))
			compare(t, full(a, "payables"), res)
			once(t, res)
			warned := slices.ContainsFunc(res.Logs, func(l harness.Log) bool { return l.Level == "WARN" && strings.HasPrefix(l.Message, "payables: ") })
			if warned != (undated == "refused") {
				t.Errorf("without days the service answers %s, and a warning is %t", undated, warned)
			}
			b := f.serve(t, a.simulator, sim.Behaviour{LogBodies: true})
			delete(b.config, "start_date")
			f.succeed(t, b, harness.Read(b.json(t, nil), f.catalog.Configure(harness.Incremental, "payables"), res.State()))
			if told, all := len(asked(b, "CTAPAG_LANCAMENTO_PESQUISAR", "DataInicial")), len(asked(b, "CTAPAG_LANCAMENTO_PESQUISAR", "TipoPesquisa")); told != all {
				t.Errorf("the next sync asked %d times, and %d times without days", all, all-told)
			}
		})
	}
}

// TestImobiliarRelet reads the leases of properties that were let before: one of each comes, and that there are others is told with their number.
func TestImobiliarRelet(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for _, tt := range []struct{ relet, inactive bool }{{true, true}, {false, true}, {true, false}} {
		a, _ := imobiliarAt(t, f, map[string]string{"relet": fmt.Sprint(tt.relet)}, sim.Behaviour{})
		a.config["include_inactive"] = tt.inactive
		res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh, "lease_contracts"), nil))
		once(t, res)
		if tt.inactive {
			compare(t, full(a, "lease_contracts"), res)
		}
		warned := slices.ContainsFunc(res.Logs, func(l harness.Log) bool {
			return l.Level == "WARN" && strings.HasPrefix(l.Message, "lease_contracts: Imobiliar answers with one lease") && strings.HasSuffix(l.Message, ": 4")
		})
		if warned != (tt.relet && tt.inactive) {
			t.Errorf("%+v, and a warning: %t", tt, warned)
		}
	}
}

// begun returns how many days of a month have begun.
func begun(t time.Time) int { return t.Day() }

// TestImobiliarForms tells the forms of what leaves: days, flags, and numbers with the zeros in front of them, as text or as numbers they came.
func TestImobiliarForms(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	forms := map[string]*regexp.Regexp{
		"CEP": regexp.MustCompile(`^"\d{8}"$`), "CNPJ": regexp.MustCompile(`^"\d{14}"$`), "CPFSindico": regexp.MustCompile(`^"00000000191"$`),
		"F": regexp.MustCompile(`^"\d{11}"$`), "J": regexp.MustCompile(`^"\d{14}"$`),
		"DataVigInicial": regexp.MustCompile(`^"\d{4}-\d\d-\d\d"$`), "DataNascimento": regexp.MustCompile(`^"\d{4}-\d\d-\d\d"$`),
		"DataVencimento": regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"$`), "DataAlteracao": regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"$`),
		"Ativo": regexp.MustCompile(`^(true|false)$`), "Pago": regexp.MustCompile(`^(true|false)$`), "ValorLiquido": regexp.MustCompile(`^\d+(\.\d+)?$`),
	}
	for _, numeric := range []string{"false", "true"} {
		met := map[string]bool{}
		a, _ := imobiliarAt(t, f, map[string]string{"numeric-cpf": numeric}, sim.Behaviour{})
		f.succeed(t, a, f.read(t, a, nil), harness.Options{Each: func(m harness.Message, _ *harness.Control) {
			var line struct {
				Record struct{ Data map[string]json.RawMessage }
			}
			if m.Type != "RECORD" || json.Unmarshal(m.Line, &line) != nil {
				return
			}
			data := line.Record.Data
			if kind := strings.Trim(string(data["TipoPessoa"]), `"`); kind != "" {
				data[kind] = data["CpfCnpj"]
			}
			for name, form := range forms {
				if value := data[name]; value != nil && string(value) != "null" {
					if met[name] = true; !form.Match(value) {
						t.Errorf("%s of %s is %s", name, m.Stream, value)
					}
				}
			}
			if len(data["_undeclared"]) > 4 && !slices.Contains([]string{"condominium_overdue", "interested_people", "code_tables", "notifications"}, m.Stream) {
				t.Errorf("%s has no column for %s", m.Stream, data["_undeclared"])
			}
		}})
		for name := range forms {
			if !met[name] {
				t.Errorf("no row has %s", name)
			}
		}
	}
}

// TestImobiliarSecrets tells that no output shows the password, its digest, a session or what is a password in a row: in records, with --debug,
// where the service repeats in an error what it was sent, and where an answer does not come whole.
func TestImobiliarSecrets(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	inRows := []string{"0123456789abcdef0123456789abcdef", "login:sindico"}
	var halves atomic.Int32
	for name, with := range map[string]sim.Behaviour{
		"records": {},
		"errors":  {Faults: sim.Faults{Every: 5, Kinds: []sim.Fault{sim.Echo, sim.EchoRefused}}},
		"half answers": {Alter: func(a *sim.Answer) {
			if strings.Contains(string(a.Body), "SenhaInternetMD5") {
				at, status := strings.Index(string(a.Body), "SenhaInternetMD5"), 200
				if halves.Add(1) > 3 { // it is asked for again a few times, and then no more
					status = 400
				}
				a.Replace(status, string(a.Body[max(0, at-20):at+80]))
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, s := imobiliarAt(t, f, nil, with)
			a.secrets = append(a.secrets, inRows...)
			streams := []string{"people", "properties", "branches"}
			res := f.run(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh, streams...), nil).With("--debug"))
			if whole := res.Code == 0; whole != (name == "records") {
				t.Errorf("it ended with %d: %s", res.Code, res)
			}
			if n := len(s.Learnt()); n < 2 {
				t.Errorf("%d secrets were learnt", n)
			}
		})
	}
}
