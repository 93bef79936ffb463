package acceptance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/snapproperty"
)

// TestDestinationBinaries runs every scenario of a destination on the binary, TestDestinationImages those that have to do with how it is
// started on the image, TestDestinationPlatform one the platform's own way.
func TestDestinationBinaries(t *testing.T) {
	t.Parallel()
	destinations(t, binary, writing())
}

func TestDestinationImages(t *testing.T) {
	t.Parallel()
	harness.NeedDocker(t)
	destinations(t, func(t *testing.T, c harness.Connector) harness.Runner {
		if err := c.BuildImage(t.Context()); err != nil {
			t.Fatal(err)
		}
		return harness.Image{Ref: c.Image()}
	}, slices.DeleteFunc(writing(), func(s writeScenario) bool { return !s.image }))
}

func TestDestinationPlatform(t *testing.T) {
	t.Parallel()
	harness.NeedDocker(t)
	destinations(t, func(t *testing.T, c harness.Connector) harness.Runner {
		if err := c.BuildImage(t.Context()); err != nil {
			t.Fatal(err)
		}
		return harness.Platform{Ref: c.Image(), ReadOnly: true}
	}, slices.DeleteFunc(writing(), func(s writeScenario) bool { return !s.platform }))
}

// writeScenario is one test of destination-snapproperty.
type writeScenario struct {
	name            string
	run             func(t *testing.T, f writeFixture)
	image, platform bool
}

func writing() []writeScenario {
	return []writeScenario{
		{name: "commands", run: writeCommands, image: harness.Full()},
		{name: "wrong credentials", run: writeRefused, image: harness.Full()},
		{name: "every operation", run: everyOperation, image: true, platform: true},
		{name: "every login", run: everyLogin},
		{name: "every refusal", run: everyRefusal},
		{name: "refusals without an error", run: quietRefusals},
		{name: "records that cannot be sent", run: unsendable, image: harness.Full()},
		{name: "members that no operation knows", run: unknownMembers, platform: true},
		{name: "fields that are not obligatory", run: optionalFields},
		{name: "receipts", run: receipts},
		{name: "dry run", run: dryRun},
		{name: "sessions that run out", run: sessionsRunOut},
		{name: "limits", run: writeLimits},
		{name: "answers that are lost", run: lostAnswers},
		{name: "journals that were damaged", run: damagedJournals},
		{name: "catalogs and inputs that are wrong", run: wrongInputs, platform: true},
		{name: "SIGTERM", run: writeTerminated, image: true},
		{name: "stdout closed", run: writeUnread},
		{name: "a source before it", run: sourceBefore},
		{name: "kill at any moment", run: writeKilled},
	}
}

func destinations(t *testing.T, runner func(*testing.T, harness.Connector) harness.Runner, scenarios []writeScenario) {
	t.Helper()
	connectors, err := harness.Connectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range connectors {
		if !c.Writes() {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			f := writeFixture{connector: c, runner: runner(t, c), schemas: &harness.Schemas{}}
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					s.run(t, f)
				})
			}
		})
	}
}

// writeFixture is the destination ready to be tested.
type writeFixture struct {
	connector harness.Connector
	runner    harness.Runner
	schemas   *harness.Schemas
	sync      int // what the platform says which sync its attempts belong to; 0 for nothing
}

// org is an organisation at work and the configuration for writing to it.
type org struct {
	*sim.Server

	crm    *snapproperty.Simulator
	config map[string]any
}

// api returns what o has of what the tests of every connector run against.
func (o *org) api() *api { return &api{simulator: o.crm, secrets: o.crm.Secrets()} }

// late lets answers leave some time after the work was done, so that a kill falls between.
type late struct {
	*snapproperty.Simulator

	by time.Duration
}

func (l late) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	l.Simulator.ServeHTTP(answer, r)
	time.Sleep(l.by)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func openOrg(t *testing.T, o snapproperty.Options, with sim.Behaviour) *org {
	t.Helper()
	return serveOrg(t, snapproperty.New(o), nil, with)
}

func serveOrg(t *testing.T, crm *snapproperty.Simulator, served sim.Simulator, with sim.Behaviour) *org {
	t.Helper()
	if served == nil {
		served = crm
	}
	server, err := sim.Start(served, "", with)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	config := crm.DestinationConfig(server.URL, with.Quota)
	config["ignore_fields"] = []string{ofTheSource}
	return &org{Server: server, crm: crm, config: config}
}

// ofTheSource is a field that orders have and that no operation knows.
const ofTheSource = "a_field_of_the_source"

// json returns the configuration with some members replaced.
func (o *org) json(t *testing.T, changes map[string]any) []byte {
	t.Helper()
	return (&api{config: o.config}).json(t, changes)
}

// run runs a command and holds it against what is asked of every run.
func (f writeFixture) run(t *testing.T, o *org, c harness.Command, options ...harness.Options) *harness.Result {
	t.Helper()
	res := f.generic().run(t, o.api(), c, options...)
	for _, failure := range res.Failures {
		readable(t, failure.Message)
	}
	return res
}

// check returns the verdict of a check.
func (f writeFixture) check(t *testing.T, o *org, c harness.Command, want string) string {
	t.Helper()
	return f.generic().check(t, o.api(), c, want)
}

// generic returns what f has of what the tests of every connector run with.
func (f writeFixture) generic() fixture {
	return fixture{runner: f.runner, common: common{schemas: f.schemas}}
}

// order is a record for an operation, which is its stream.
type order struct {
	operation string
	record    map[string]any
	run       snapproperty.Run
}

func operations() []string {
	return []string{
		"cancelar", "distratarContratoAdministracao", "desocuparImovel", "desocuparImovelComDistratoAdm", "desocuparImovelIDExterno", "trocarGerente",
	}
}

// orders returns n orders of each operation that can be carried out, all mixed.
func (o *org) orders(n int) (all []order) {
	for _, operation := range operations() {
		for _, one := range o.crm.Orders(operation, n) {
			record := map[string]any{ofTheSource: 7, "_airbyte_extracted_at": "2026-01-01", "_ab_cdc_deleted_at": nil}
			for name, value := range one.Record {
				record[name] = value
			}
			all = append(all, order{operation, record, one.Run})
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func line(t *testing.T, v any) string {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(body) + "\n"
}

func recordLine(t *testing.T, stream string, data any) string {
	t.Helper()
	return line(t, map[string]any{"type": "RECORD", "record": map[string]any{"stream": stream, "data": data, "emitted_at": time.Now().UnixMilli()}})
}

func stateLine(t *testing.T, stream string, done int) string {
	t.Helper()
	return line(t, map[string]any{"type": "STATE", "state": map[string]any{
		"type": "STREAM", "id": done, "sourceStats": map[string]any{"recordCount": json.RawMessage("7.0")},
		"stream": map[string]any{"stream_descriptor": map[string]any{"name": stream}, "stream_state": map[string]any{"done": done}},
	}})
}

// messages returns what a source says that has sent the first orders of each operation already, with a state after every so-manieth.
func messages(t *testing.T, orders []order, sent map[string]int, every int) string {
	t.Helper()
	var b strings.Builder
	seen := map[string]int{}
	for _, o := range orders {
		if seen[o.operation]++; seen[o.operation] <= sent[o.operation] {
			continue
		}
		b.WriteString(recordLine(t, o.operation, o.record))
		if seen[o.operation]%every == 0 {
			b.WriteString(stateLine(t, o.operation, seen[o.operation]))
		}
	}
	for operation, n := range seen {
		if n%every != 0 {
			b.WriteString(stateLine(t, operation, n))
		}
	}
	return b.String()
}

// writeCatalog configures streams, each for the operation of its name, or of the object after "=".
func writeCatalog(t *testing.T, streams ...string) []byte {
	t.Helper()
	if len(streams) == 0 {
		streams = operations()
	}
	var all []any
	for _, s := range streams {
		name, object, _ := strings.Cut(s, "=")
		all = append(all, map[string]any{
			"stream":    map[string]any{"name": name, "json_schema": map[string]any{}, "supported_sync_modes": []string{"full_refresh"}},
			"sync_mode": "full_refresh", "destination_sync_mode": "append", "destination_object_name": object,
		})
	}
	return []byte(line(t, map[string]any{"streams": all}))
}

// write writes messages for all operations.
func (f writeFixture) write(t *testing.T, o *org, changes map[string]any, input string, options ...harness.Options) *harness.Result {
	t.Helper()
	catalog := writeCatalog(t)
	if f.sync != 0 {
		catalog = bytes.ReplaceAll(catalog, []byte(`"sync_mode"`), fmt.Appendf(nil, `"generation_id":1,"minimum_generation_id":0,"sync_id":%d,"sync_mode"`, f.sync))
	}
	return f.run(t, o, harness.Write(o.json(t, changes), catalog, strings.NewReader(input)), options...)
}

// carriedOut holds that each order took effect once, and nothing else did.
func carriedOut(t *testing.T, o *org, orders []order) {
	t.Helper()
	runs := o.crm.Runs()
	for _, one := range orders {
		if runs[one.run] != 1 {
			t.Errorf("%s of %s was carried out %d times", one.run.Method, one.run.Key, runs[one.run])
		}
		delete(runs, one.run)
	}
	if len(runs) > 0 {
		t.Errorf("carried out besides: %v", runs)
	}
}

func writeCommands(t *testing.T, f writeFixture) {
	o := openOrg(t, snapproperty.Options{}, sim.Behaviour{})
	var spec struct {
		Modes []string `json:"supported_destination_sync_modes"`
	}
	if err := json.Unmarshal(f.run(t, o, harness.Spec()).Specs[0], &spec); err != nil || !slices.Equal(spec.Modes, []string{"append", "update"}) {
		t.Errorf("the sync modes are %v, %v", spec.Modes, err)
	}
	f.check(t, o, harness.Check(o.json(t, nil)).With("--debug"), "SUCCEEDED")
	if n := o.Stats().Requests; n < 2 || n > 3 || len(o.crm.Effects())+len(o.crm.Refusals()) > 0 {
		t.Errorf("check made %d requests and ran %v, %v", n, o.crm.Effects(), o.crm.Refusals())
	}
	offers := f.run(t, o, harness.Discover(o.json(t, nil))).Offers
	var names []string
	for _, offer := range offers {
		names = append(names, offer.ObjectName)
		if offer.SyncMode != "update" || len(offer.MatchingKeys) == 0 || !bytes.Contains(offer.JSONSchema, []byte(`"properties"`)) {
			t.Errorf("%s is described as %s, %v, %s", offer.ObjectName, offer.SyncMode, offer.MatchingKeys, offer.JSONSchema)
		}
	}
	if !slices.Equal(names, operations()) {
		t.Errorf("discovered %v", names)
	}
	help := f.run(t, o, harness.Command{Args: []string{"write", "--help"}, Text: true})
	if !bytes.Contains(help.Output, []byte("--catalog")) || help.Code != 0 {
		t.Errorf("help says %s", help.Output)
	}
	if res := f.run(t, o, harness.Command{Args: []string{"read"}}); res.Code != 1 {
		t.Errorf("a destination reads: %s", res)
	}
}

// writeRefused checks and writes where nobody is let in: FAILED that says what to mend, a config error, and nothing carried out.
func writeRefused(t *testing.T, f writeFixture) {
	for name, options := range map[string]snapproperty.Options{
		"approval": {Refuse: snapproperty.RefuseApproval}, "audience": {Refuse: snapproperty.RefuseAudience},
		"expired": {Refuse: snapproperty.RefuseExpired}, "locked": {Refuse: snapproperty.RefuseLocked}, "client": {Refuse: snapproperty.RefuseClient},
		"package": {NoPackage: true}, "access": {NoAccess: true},
	} {
		t.Run(name, func(t *testing.T) {
			o := openOrg(t, options, sim.Behaviour{})
			f.check(t, o, harness.Check(o.json(t, nil)), "FAILED")
			res := f.write(t, o, nil, messages(t, o.orders(1), nil, 1))
			if res.Code != 1 || len(res.States) > 0 || len(o.crm.Effects()) > 0 {
				t.Errorf("%s, carried out: %v", res, o.crm.Effects())
			}
			for _, failure := range res.Failures {
				if failure.Type != "config_error" {
					t.Errorf("the error is no config_error: %s", res)
				}
			}
		})
	}
	o := openOrg(t, snapproperty.Options{}, sim.Behaviour{})
	stopped(t, f.run(t, o, harness.Check(o.json(t, map[string]any{"org_url": "https://host.invalid"}))))
	for field, value := range map[string]any{
		"org_url": "not an address", "credentials": map[string]any{"auth_type": "assertion"}, "on_rejected": "maybe", "journal_path": "here",
		"in_doubt": "ask", "dry_run": "yes", "requests_per_minute": 0, "receipts_path": "there", "ignore_fields": []string{"cidade", "snap_brok__Id-Imóvel__c"},
	} {
		if message := f.check(t, o, harness.Check(o.json(t, map[string]any{field: value})), "FAILED"); !strings.Contains(message, field) {
			t.Errorf("with a wrong %s: %s", field, message)
		}
	}
}

func everyOperation(t *testing.T, f writeFixture) {
	o := openOrg(t, snapproperty.Options{Size: 3000}, sim.Behaviour{Latency: 2 * time.Millisecond})
	orders := o.orders(20)
	res := f.write(t, o, nil, messages(t, orders, nil, 7))
	if res.Code != 0 {
		t.Fatal(res)
	}
	carriedOut(t, o, orders)
	counted := map[string]float64{}
	for _, s := range res.States {
		counted[s.Stream] += s.Count
		if s.Refused != 0 || !bytes.Contains(s.Message, []byte(`"id":`)) || !bytes.Contains(s.Message, []byte(`"recordCount":7.0`)) {
			t.Errorf("the state came back as %s", s.Message)
		}
	}
	for _, operation := range operations() {
		if counted[operation] != 20 {
			t.Errorf("%s: the states count %v records", operation, counted[operation])
		}
	}
	if n := o.Stats().MaxConcurrent; n < 2 {
		t.Errorf("at most %d calls were under way at a time", n)
	}
}

func everyLogin(t *testing.T, f writeFixture) {
	for _, login := range []snapproperty.Login{snapproperty.Assertion, snapproperty.PrivateKey, snapproperty.AccessToken} {
		o := openOrg(t, snapproperty.Options{Login: login}, sim.Behaviour{})
		f.check(t, o, harness.Check(o.json(t, nil)).With("--debug"), "SUCCEEDED")
		orders := o.orders(2)
		if res := f.write(t, o, nil, messages(t, orders, nil, 1)); res.Code != 0 {
			t.Errorf("%s: %s", login, res)
		}
		carriedOut(t, o, orders)
	}
}

// everyRefusal sends orders that the organisation refuses, each for a documented reason, under either status.
func everyRefusal(t *testing.T, f writeFixture) {
	for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
		o := openOrg(t, snapproperty.Options{FailureStatus: status}, sim.Behaviour{})
		var signed, cancelled, administration string
		for _, c := range o.crm.Contracts() {
			switch {
			case c.Cancelled:
				cancelled = c.External
			case c.Signed && c.Kind == snapproperty.Administration:
				administration = c.External
			case c.Signed:
				signed = c.External
			}
		}
		var input strings.Builder
		refused := 0
		for _, one := range []order{
			{operation: "cancelar", record: map[string]any{"id_externo": "no such", "motivo": "Outros"}},
			{operation: "cancelar", record: map[string]any{"id": "a0l000000000000AAA", "motivo": "Outros"}},
			{operation: "cancelar", record: map[string]any{"id_externo": cancelled, "motivo": "Outros"}},
			{operation: "cancelar", record: map[string]any{"id_externo": signed, "motivo": "Outros"}},
			{operation: "distratarContratoAdministracao", record: map[string]any{"id_externo": "no such"}},
			{operation: "desocuparImovel", record: map[string]any{"id_externo": administration, "valor_aluguel_corrigido": 12.5}},
			{operation: "desocuparImovel", record: map[string]any{"id_externo": "no such", "valor_aluguel_corrigido": 12.5}},
			{operation: "desocuparImovelComDistratoAdm", record: map[string]any{"id_externo": "no such", "valor_aluguel_corrigido": "12.50"}},
			{operation: "desocuparImovelIDExterno", record: map[string]any{"id_externo": "no such"}},
			{operation: "trocarGerente", record: map[string]any{"gerente_novo": "0", "gerente_antigo": o.crm.Managers()[0]}},
		} {
			input.WriteString(recordLine(t, one.operation, one.record))
			refused++
		}
		input.WriteString(stateLine(t, "cancelar", 1))
		res := f.write(t, o, nil, input.String())
		if res.Code != 0 || len(res.States) != 1 || res.States[0].Count != 4 || res.States[0].Refused != 4 {
			t.Errorf("%s: %v", res, res.States)
		}
		if n := len(o.crm.Effects()); n > 0 {
			t.Errorf("%d calls took effect", n)
		}
		named := 0
		for _, l := range res.Logs {
			for _, message := range o.crm.Refusals() {
				if l.Level == "WARN" && strings.Contains(l.Message, strings.TrimSuffix(message, ".")) {
					named++
					break
				}
			}
		}
		if named != refused {
			t.Errorf("status %d: %d of %d rejected records are named with the organisation's words: %v", status, named, refused, res.Logs)
		}
		stop := f.write(t, o, map[string]any{"on_rejected": "stop"}, input.String())
		if stop.Code != 1 || len(stop.States) > 0 || stop.Failures[0].Type != "config_error" {
			t.Errorf("with on_rejected stop: %s", stop)
		}
	}
}

// quietRefusals sends orders that the organisation refuses in words alone, as if nothing had failed: none is taken for carried out.
func quietRefusals(t *testing.T, f writeFixture) {
	for _, one := range []struct {
		order

		rejected bool // the sentence is the documented one of a method that had done nothing
	}{
		{order{operation: "cancelar", record: map[string]any{"id_externo": "no such", "motivo": "Outros"}}, true},
		{order{operation: "distratarContratoAdministracao", record: map[string]any{"id_externo": "no such"}}, true},
		{order{operation: "desocuparImovel", record: map[string]any{"id_externo": "no such"}}, true},
		{order{operation: "desocuparImovelComDistratoAdm", record: map[string]any{"id_externo": "no such"}}, true},
		{order{operation: "desocuparImovelIDExterno", record: map[string]any{"id_externo": "no such"}}, false},
		{order{operation: "trocarGerente", record: map[string]any{"gerente_novo": "0", "gerente_antigo": "1"}}, false},
	} {
		o := openOrg(t, snapproperty.Options{QuietFailures: true}, sim.Behaviour{})
		res := f.write(t, o, nil, recordLine(t, one.operation, one.record)+stateLine(t, one.operation, 1))
		switch {
		case one.rejected && (res.Code != 0 || len(res.States) != 1 || res.States[0].Refused != 1):
			t.Errorf("%s is not rejected: %s", one.operation, res)
		case !one.rejected && (res.Code != 1 || len(res.States) > 0 || !strings.Contains(res.Failures[0].Message, "It is not known whether it was carried out")):
			t.Errorf("%s is not in doubt: %s", one.operation, res)
		}
	}
}

func unsendable(t *testing.T, f writeFixture) {
	o := openOrg(t, snapproperty.Options{}, sim.Behaviour{})
	var input strings.Builder
	bad := []order{
		{operation: "cancelar", record: map[string]any{"id_externo": "1", "motivo": nil, "_unparsed": map[string]any{"motivo": 7}}},
		{operation: "cancelar", record: map[string]any{"id_externo": "1", "motivo": "outros"}},
		{operation: "cancelar", record: map[string]any{"id_externo": "1", "snap_brok__Id_externo__c": "1", "motivo": "Outros"}},
		{operation: "distratarContratoAdministracao", record: map[string]any{}},
		{operation: "desocuparImovel", record: map[string]any{"id_externo": "1", "valor_aluguel_corrigido": "1.200,40"}},
		{operation: "desocuparImovelComDistratoAdm", record: map[string]any{"id_externo": "1", "valor_aluguel_corrigido": 1.005}},
		{operation: "desocuparImovelIDExterno", record: map[string]any{"id_externo": nil}},
		{operation: "trocarGerente", record: map[string]any{"gerente_novo": "174918", "id_imovel": ""}},
	}
	for _, one := range bad {
		input.WriteString(recordLine(t, one.operation, one.record))
	}
	res := f.write(t, o, nil, input.String()+stateLine(t, "cancelar", 1))
	warned := 0
	for _, l := range res.Logs {
		if l.Level == "WARN" && strings.Contains(l.Message, "was rejected") {
			warned++
		}
	}
	if res.Code != 0 || warned != len(bad) || res.States[0].Refused != 3 || o.Stats().Requests > 0 {
		t.Errorf("%d of %d were named, %d requests: %s", warned, len(bad), o.Stats().Requests, res)
	}
}

// unknownMembers sends records with members that their operation does not know, in the first record and in later ones: each stops its stream,
// and the others go on.
func unknownMembers(t *testing.T, f writeFixture) {
	o := openOrg(t, snapproperty.Options{}, sim.Behaviour{})
	all := o.orders(3)
	var sound []order
	seen := map[string]int{}
	var input strings.Builder
	strange := map[string]string{"cancelar": "somente_rascunho", "trocarGerente": "idImovel", "desocuparImovelIDExterno": "snap_brok__Id_externo__c"}
	for i, one := range all {
		seen[one.operation]++
		name, ends := strange[one.operation]
		switch at := 1 + len(name)%3; {
		case ends && seen[one.operation] == at:
			one.record[name] = map[bool]any{true: nil, false: "x"}[i%2 == 0]
		case !ends || seen[one.operation] < at:
			sound = append(sound, one)
		}
		input.WriteString(recordLine(t, one.operation, one.record) + stateLine(t, one.operation, seen[one.operation]))
	}
	input.WriteString(line(t, map[string]any{"type": "STATE", "state": map[string]any{"type": "GLOBAL", "global": map[string]any{"stream_states": []any{}}}}))
	res := f.write(t, o, nil, input.String())
	if res.Code != 1 || len(res.Failures) != len(strange) || len(res.States) != len(sound) {
		t.Errorf("%d states for %d sound orders: %s", len(res.States), len(sound), res)
	}
	for _, failure := range res.Failures {
		if name := strange[failure.Stream.Name]; failure.Type != "config_error" || name == "" || !strings.Contains(failure.Message, fmt.Sprintf("%q", name)) {
			t.Errorf("%s: %s %s", failure.Stream.Name, failure.Type, failure.Message)
		}
	}
	carriedOut(t, o, sound)
}

// optionalFields sends orders without the fields that SnapProperty's page does not call obligatory. The simulator refuses an empty one.
func optionalFields(t *testing.T, f writeFixture) {
	o := openOrg(t, snapproperty.Options{}, sim.Behaviour{})
	orders := o.orders(3)
	for i, one := range orders {
		for _, name := range []string{
			"snap_brok__Motivo_do_cancelamento_op__c", "snap_brok__Motivo_cancelamento__c", "snap_brok__Valor_aluguel_corrigido__c",
		} {
			if _, has := one.record[name]; has {
				one.record[name] = []any{nil, "", " "}[i%3]
			}
		}
	}
	if res := f.write(t, o, nil, messages(t, orders, nil, 1)); res.Code != 0 {
		t.Error(res)
	}
	carriedOut(t, o, orders)
}

// receipts holds what is left of each order: a line in the log with its Id and where it stands, and one in the file of receipts with all
// that came back, with a journal and without.
func receipts(t *testing.T, f writeFixture) {
	for _, journal := range []bool{false, true} {
		o := openOrg(t, snapproperty.Options{}, sim.Behaviour{})
		orders := o.orders(3)
		path := filepath.Join(t.TempDir(), "receipts.jsonl")
		changes := map[string]any{"receipts_path": path}
		if journal {
			changes["journal_path"] = filepath.Join(t.TempDir(), "journal")
		}
		input := messages(t, orders, nil, 1) + recordLine(t, "cancelar", map[string]any{"id_externo": "no such"}) + recordLine(t, "cancelar", map[string]any{})
		res := f.write(t, o, changes, input)
		if res.Code != 0 {
			t.Fatal(res)
		}
		o.crm.SetLosses(snapproperty.Losses{Kinds: []snapproperty.Loss{snapproperty.RanRepeated}})
		f.write(t, o, changes, recordLine(t, "trocarGerente", map[string]any{"gerente_novo": "0", "gerente_antigo": "1"}))
		outcomes := map[string]int{}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for text := range strings.Lines(string(content)) {
			var one struct {
				Time                       time.Time
				Operation, Outcome, Stream string
				Order                      map[string]string
				Returned                   struct{ Contrato, Imovel map[string]any }
			}
			if err := json.Unmarshal([]byte(text), &one); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			outcomes[one.Outcome]++
			object := one.Returned.Contrato
			if object == nil {
				object = one.Returned.Imovel
			}
			if one.Outcome != "carried_out" || one.Operation == "trocarGerente" { // which gives nothing back
				continue
			}
			id, _ := object["Id"].(string)
			situation, _ := object["snap_brok__Situacao__c"].(string)
			if one.Time.IsZero() || len(one.Order) == 0 || id == "" || !slices.ContainsFunc(res.Logs, func(l harness.Log) bool {
				return l.Level == "INFO" && strings.Contains(l.Message, one.Operation+" of ") && strings.Contains(l.Message, id) && strings.Contains(l.Message, situation)
			}) {
				t.Errorf("the log has no line for %s", text)
			}
		}
		if want := map[string]int{"carried_out": len(orders), "rejected": 2, "unknown": 1}; !maps.Equal(outcomes, want) {
			t.Errorf("journal %t: receipts for %v, want %v", journal, outcomes, want)
		}
	}
}

// damagedJournals changes a journal in the ways in which files go bad: each is named with its line before anything is sent. What is no
// ordinary file, or an empty one, is refused as well.
func damagedJournals(t *testing.T, f writeFixture) {
	f.sync = 1
	o := openOrg(t, snapproperty.Options{}, sim.Behaviour{})
	path := filepath.Join(t.TempDir(), "journal")
	input := messages(t, o.orders(2), nil, 1)
	if res := f.write(t, o, map[string]any{"journal_path": path}, input); res.Code != 0 {
		t.Fatal(res)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(good, []byte("\n"))
	changed := bytes.Clone(lines[4])
	changed[len(changed)/2] ^= 1
	fifo := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	requests := o.Stats().Requests
	refused := func(what, path, want string) {
		t.Helper()
		res := f.write(t, o, map[string]any{"journal_path": path}, input)
		if res.Code != 1 || o.Stats().Requests != requests || res.Failures[0].Type != "config_error" || !strings.Contains(res.Failures[0].Message, want) {
			t.Errorf("%s: %d requests, %s", what, o.Stats().Requests-requests, res)
		}
	}
	for what, damage := range map[string]struct {
		lines [][]byte
		want  string
	}{
		"changed": {slices.Replace(slices.Clone(lines), 4, 5, changed), "is damaged at line 5"},
		"missing": {slices.Delete(slices.Clone(lines), 6, 7), "is damaged at line 7"},
		"twice":   {slices.Insert(slices.Clone(lines), 3, lines[2]), "is damaged at line 4"},
		"swapped": {slices.Replace(slices.Clone(lines), 2, 4, lines[3], lines[2]), "is damaged at line 3"},
		"empty":   {nil, "is empty"},
	} {
		bad := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(bad, bytes.Join(damage.lines, nil), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(what, bad, damage.want)
	}
	refused("a pipe", fifo, "is a named pipe")
	refused("a device", "/dev/null", "is a device")
	if res := f.write(t, o, map[string]any{"journal_path": path}, input); res.Code != 0 || o.Stats().Requests != requests {
		t.Errorf("the sound one: %d requests, %s", o.Stats().Requests-requests, res)
	}
}

func dryRun(t *testing.T, f writeFixture) {
	o := openOrg(t, snapproperty.Options{}, sim.Behaviour{})
	input := messages(t, o.orders(3), nil, 1) + recordLine(t, "cancelar", map[string]any{})
	res := f.write(t, o, map[string]any{"dry_run": true}, input)
	if res.Code != 0 || len(res.States) > 0 || o.Stats().Requests > 0 {
		t.Errorf("%d requests: %s", o.Stats().Requests, res)
	}
	if !slices.ContainsFunc(res.Logs, func(l harness.Log) bool {
		return strings.Contains(l.Message, "Records that can be carried out: 18, rejected: 1")
	}) {
		t.Errorf("it says %v", res.Logs)
	}
}

// sessionsRunOut writes where a token is good for few calls: each is renewed in the middle, and no order is lost or sent twice.
func sessionsRunOut(t *testing.T, f writeFixture) {
	o := openOrg(t, snapproperty.Options{SessionUses: 5}, sim.Behaviour{Latency: time.Millisecond})
	orders := o.orders(8)
	if res := f.write(t, o, nil, messages(t, orders, nil, 3)); res.Code != 0 {
		t.Error(res)
	}
	carriedOut(t, o, orders)
	if n := len(o.crm.Tokens()); n < 8 {
		t.Errorf("only %d tokens were got", n)
	}
}

func writeLimits(t *testing.T, f writeFixture) {
	for _, status := range []int{429, 403, 503} { // of what is over a limit
		o := openOrg(t, snapproperty.Options{TooMany: status}, sim.Behaviour{Quota: sim.Quota{
			Early: []int{3, 9}, Hold: 1200 * time.Millisecond, RetryAfter: sim.RetryAfterSeconds,
		}})
		orders := o.orders(4)
		if res := f.write(t, o, nil, messages(t, orders, nil, 3)); res.Code != 0 {
			t.Errorf("%d: %s", status, res)
		}
		carriedOut(t, o, orders)
	}
	busy := openOrg(t, snapproperty.Options{BusyEvery: 6}, sim.Behaviour{})
	orders := busy.orders(2)
	if res := f.write(t, busy, nil, messages(t, orders, nil, 3)); res.Code != 0 {
		t.Error(res)
	}
	carriedOut(t, busy, orders)

	daily := openOrg(t, snapproperty.Options{Daily: 100, Used: 95}, sim.Behaviour{})
	res := f.write(t, daily, nil, messages(t, daily.orders(3), nil, 1))
	if res.Code != 1 || res.Failures[0].Type != "transient_error" || !strings.Contains(res.Failures[0].Message, "24 hours") {
		t.Errorf("over the daily limit: %s", res)
	}
	for run, n := range daily.crm.Runs() {
		if n != 1 {
			t.Errorf("%v ran %d times", run, n)
		}
	}
	paced := openOrg(t, snapproperty.Options{}, sim.Behaviour{})
	began := time.Now()
	res = f.write(t, paced, map[string]any{"requests_per_minute": 3}, messages(t, paced.orders(1)[:2], nil, 1))
	if res.Code != 0 || time.Since(began) >= time.Minute { // which it would wait if they were too many
		t.Errorf("a login and two orders within the quota: %s", res)
	}
}

// lostAnswers loses the answer to one order in every way there is, before and after the method ran: nothing is ever carried out twice, and
// the order is named, but where it is certain that nothing is left of the call. Then it goes out again, in this sync or, where the method says
// itself that it met a lock, in the next one.
func lostAnswers(t *testing.T, f writeFixture) {
	for _, loss := range snapproperty.AllLosses() {
		for _, journal := range []bool{false, true} {
			t.Run(fmt.Sprint(loss, journal), func(t *testing.T) {
				t.Parallel()
				losses := snapproperty.Losses{Kinds: []snapproperty.Loss{loss}, Every: 4, Limit: 1, Stall: 300 * time.Millisecond}
				o := openOrg(t, snapproperty.Options{Losses: losses}, sim.Behaviour{Latency: time.Millisecond})
				orders := o.orders(3)
				changes := map[string]any{}
				if journal {
					changes["journal_path"] = filepath.Join(t.TempDir(), "journal")
				}
				res := f.write(t, o, changes, messages(t, orders, nil, 1))
				if loss == snapproperty.Caught {
					if res.Code != 1 || res.Failures[0].Type != "transient_error" || !strings.Contains(res.Failures[0].Message, "UNABLE_TO_LOCK_ROW") {
						t.Error(res)
					}
					if !journal { // what was carried out behind the last state would be sent again
						return
					}
					res = f.write(t, o, changes, messages(t, orders, nil, 1))
				}
				if loss.Undone() || loss == snapproperty.Caught {
					if res.Code != 0 {
						t.Error(res)
					}
					carriedOut(t, o, orders)
					return
				}
				if res.Code != 1 || len(res.Failures) != 1 || res.Failures[0].Type != "config_error" ||
					!strings.Contains(res.Failures[0].Message, "It is not known whether it was carried out") {
					t.Fatal(res)
				}
				for run, n := range o.crm.Runs() {
					if n > 1 {
						t.Errorf("%v ran %d times", run, n)
					}
				}
				if !journal {
					return
				}
				again := f.write(t, o, changes, messages(t, orders, nil, 1))
				named, _, _ := strings.Cut(res.Failures[0].Message, ":")
				if again.Code != 1 || !strings.HasPrefix(again.Failures[0].Message, named+": it is not known") {
					t.Errorf("the journal does not name %s: %s", named, again)
				}
				changes["in_doubt"] = "resend"
				if loss.Ran() {
					changes["in_doubt"] = "skip"
				}
				if last := f.write(t, o, changes, messages(t, orders, nil, 1)); last.Code != 0 {
					t.Error(last)
				}
				carriedOut(t, o, orders)
			})
		}
	}
}

func wrongInputs(t *testing.T, f writeFixture) {
	o := openOrg(t, snapproperty.Options{}, sim.Behaviour{})
	orders := o.orders(1)
	first := messages(t, orders, nil, 1)
	for name, streams := range map[string][]string{"name": {"cancelar", "contratos"}, "object": {"cancelar=cancel"}} {
		res := f.run(t, o, harness.Write(o.json(t, nil), writeCatalog(t, streams...), strings.NewReader(first)))
		if res.Code != 1 || res.Failures[0].Type != "config_error" || o.Stats().Requests > 0 {
			t.Errorf("%s: %d requests, %s", name, o.Stats().Requests, res)
		}
	}
	broken := f.write(t, o, nil, first+"{\"type\": \"RECORD\", \"record\": {\n"+stateLine(t, "cancelar", 2))
	if broken.Code != 1 || len(broken.States) != len(orders) || !strings.Contains(broken.Failures[0].Message, fmt.Sprintf("Line %d", 2*len(orders)+1)) {
		t.Errorf("with a broken line: %s", broken)
	}
	carriedOut(t, o, orders)
	if empty := f.write(t, o, nil, ""); empty.Code != 0 || len(empty.States) > 0 {
		t.Errorf("without input: %s", empty)
	}
}

// writeTerminated stops a write whose input is still open: what is under way comes to its end, its state is given back, and it goes on from
// there.
func writeTerminated(t *testing.T, f writeFixture) {
	crm := snapproperty.New(snapproperty.Options{})
	o := serveOrg(t, crm, late{crm, 500 * time.Millisecond}, sim.Behaviour{})
	orders := o.orders(10)
	input, feed := io.Pipe()
	go func() { _, _ = io.WriteString(feed, messages(t, orders, nil, 1)) }()
	defer feed.Close()
	var told time.Time
	res := f.run(t, o, harness.Write(o.json(t, nil), writeCatalog(t), input), harness.Options{Each: func(m harness.Message, c *harness.Control) {
		if m.Type == "STATE" && told.IsZero() {
			told = time.Now()
			_ = c.Signal(syscall.SIGTERM)
			_ = feed.Close()
		}
	}})
	if took := time.Since(told); res.Code != 1 || took > promptly || res.Failures[0].Type != "transient_error" || strings.Contains(res.Failures[0].Message, "last state") {
		t.Errorf("after %v: %s", took, res)
	}
	done := map[string]int{}
	for _, s := range res.States {
		done[s.Stream] += int(s.Count)
	}
	if n := len(o.crm.Effects()); n != len(res.States) || n == 0 || n > 12 {
		t.Errorf("%d were carried out and %d states given back", n, len(res.States))
	}
	if rest := f.write(t, o, nil, messages(t, orders, done, 1)); rest.Code != 0 {
		t.Error(rest)
	}
	carriedOut(t, o, orders)
}

// writeGrace is after what time a write that was stopped is ended whatever it does.
const writeGrace = 27 * time.Second

// writeUnread closes the output of a write: it sees to what is under way and is gone, and the journal knows all.
func writeUnread(t *testing.T, f writeFixture) {
	crm := snapproperty.New(snapproperty.Options{})
	o := serveOrg(t, crm, late{crm, 300 * time.Millisecond}, sim.Behaviour{})
	orders := o.orders(8)
	journal := map[string]any{"journal_path": filepath.Join(t.TempDir(), "journal")}
	res := f.write(t, o, journal, messages(t, orders, nil, 1), harness.Options{Each: func(m harness.Message, c *harness.Control) {
		if m.Type == "STATE" {
			_ = c.CloseStdout()
		}
	}})
	if res.Code != 1 || res.Wall > writeGrace {
		t.Errorf("it ended after %v: %s", res.Wall, res)
	}
	if rest := f.write(t, o, journal, messages(t, orders, nil, 1)); rest.Code != 0 {
		t.Error(rest)
	}
	carriedOut(t, o, orders)
}

// sourceBefore pipes a source's output into the destination, and hands the state that comes back to the source again.
func sourceBefore(t *testing.T, f writeFixture) {
	connectors, err := harness.Connectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range connectors {
		if c.Writes() {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			pipe(t, f, c)
		})
	}
}

func pipe(t *testing.T, f writeFixture, c harness.Connector) {
	t.Helper()
	reader := fixture{connector: c, common: shared()[simulators.Name(c.Name)], runner: binary(t, c)}
	reader.catalog = reader.discover(t)
	a := reader.start(t, sim.Options{Size: small}, sim.Behaviour{})
	o := openOrg(t, snapproperty.Options{}, sim.Behaviour{})
	crm, same := a.simulator.(*snapproperty.Simulator)
	if same { // what is read of an organisation is carried out in it
		o = &org{Server: a.Server, crm: crm, config: crm.DestinationConfig(a.URL, sim.Quota{})}
	}
	var streams []string
	for _, s := range reader.light() {
		streams = append(streams, s+"=desocuparImovelIDExterno")
	}
	input, feed := io.Pipe()
	read := make(chan *harness.Result, 1)
	go func() {
		res, err := harness.Run(t.Context(), reader.runner,
			harness.Read(a.json(t, nil), reader.catalog.Configure(harness.Incremental, reader.light()...), nil), harness.Options{Tee: &selection{to: feed}})
		_ = feed.CloseWithError(err)
		read <- res
	}()
	written := f.run(t, o, harness.Write(o.json(t, nil), writeCatalog(t, streams...), input))
	res := <-read
	if written.Code != 0 || res.Code != 0 || len(written.States) != len(res.States) {
		t.Fatalf("%s\n%s", res, written)
	}
	count, rejected := 0.0, 0.0
	for i, s := range written.States {
		count, rejected = count+s.Count, rejected+s.Refused
		if before := res.States[i]; s.Stream != before.Stream || !bytes.Equal(s.Blob, before.Blob) || s.Count != before.Count {
			t.Errorf("the state %s came back as %s", before.Message, s.Message)
		}
	}
	if int(count) != len(res.Rows) || int(count-rejected) != len(o.crm.Effects()) {
		t.Errorf("%v records were counted, %v rejected; %d were read and %d carried out", count, rejected, len(res.Rows), len(o.crm.Effects()))
	}
	goOn := func() {
		t.Helper()
		next := reader.succeed(t, a, harness.Read(a.json(t, nil), reader.catalog.Configure(harness.Incremental, reader.light()...), written.State()))
		reader.following(t, a, written.State(), next, reader.light()...)
	}
	if same {
		orders := leased(o.crm)
		carriedOut(t, o, orders)
		if properties := a.simulator.Expect()["imoveis"].Next.Must; len(properties) != len(orders) || len(orders) == 0 {
			t.Errorf("%d properties were vacated, and %d changed", len(orders), len(properties))
		}
		goOn() // with what was carried out
	}
	a.simulator.Change(3, 0)
	goOn()
}

// selection passes messages on with the one column of their records that an order needs, as the platform does where columns are selected.
type selection struct {
	to   io.Writer
	rest []byte // of a line whose end has not come
}

func (s *selection) Write(b []byte) (int, error) {
	s.rest = append(s.rest, b...)
	for {
		text, rest, found := bytes.Cut(s.rest, []byte("\n"))
		if !found {
			return len(b), nil
		}
		s.rest = rest
		var m struct {
			Type   string
			Record map[string]json.RawMessage
		}
		if err := json.Unmarshal(text, &m); err != nil {
			return 0, err
		}
		if m.Type == "RECORD" {
			var data map[string]json.RawMessage
			const column = "snap_brok__ID_externo__c"
			err := json.Unmarshal(m.Record["data"], &data)
			maps.DeleteFunc(data, func(name string, _ json.RawMessage) bool { return name != column })
			selected, err2 := json.Marshal(data)
			m.Record["data"] = selected
			record, err3 := json.Marshal(map[string]any{"type": m.Type, "record": m.Record})
			if err := errors.Join(err, err2, err3); err != nil {
				return 0, err
			}
			text = record
		}
		if _, err := s.to.Write(append(bytes.Clone(text), '\n')); err != nil {
			return 0, err
		}
	}
}

// leased returns orders to vacate each property that has a lease.
func leased(crm *snapproperty.Simulator) (orders []order) {
	for _, c := range crm.Contracts() {
		if c.Kind != snapproperty.Lease || c.Cancelled {
			continue
		}
		for _, code := range c.Properties {
			if code != "" { // otherwise nobody can name it
				const operation = "desocuparImovelIDExterno"
				orders = append(orders, order{operation: operation, run: snapproperty.Run{Method: operation, Key: code}})
			}
		}
	}
	return orders
}

// settle waits until what a killed process sent has come in: nothing new for a while.
func settle(o *org) {
	const while = 8
	for quiet, before := 0, int64(-1); quiet < while; time.Sleep(50 * time.Millisecond) {
		if now := int64(o.Stats().Requests); now != before {
			quiet, before = 0, now
		} else {
			quiet++
		}
	}
}

// writeKilled kills writes at random moments and starts them again from a state that may be older than the last one given back, until one
// ends well: every order is carried out once.
func writeKilled(t *testing.T, f writeFixture) {
	f.sync = 1
	for i := range scaled(100, 40) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(i), 7))
			crm := snapproperty.New(snapproperty.Options{})
			o := serveOrg(t, crm, late{crm, 4 * time.Millisecond}, sim.Behaviour{Latency: 4 * time.Millisecond})
			orders := o.orders(6)
			changes := map[string]any{"journal_path": filepath.Join(t.TempDir(), "journal")}
			sent := map[string]int{}
			for attempt := 0; ; attempt++ {
				if attempt > 12 {
					t.Fatal("it does not come to an end")
				}
				var options harness.Options
				if attempt < 3 { // then it is left alone
					moment := time.Duration(random.IntN(150)) * time.Millisecond
					options.Started = func(c *harness.Control) { time.AfterFunc(moment, func() { _ = c.Signal(os.Kill) }) }
				}
				before := o.Stats().Requests
				res := f.write(t, o, changes, messages(t, orders, sent, 2), options)
				delete(changes, "in_doubt")
				for _, s := range res.States { // each may have been the last one that the platform kept
					if random.IntN(10) == 0 {
						break
					}
					sent[s.Stream] = int(doneOf(t, s))
				}
				if res.Code == 0 {
					break
				}
				if res.Killed {
					settle(o)
					continue
				}
				if o.Stats().Requests != before {
					t.Fatalf("it sent something before it stopped: %s", res)
				}
				changes["in_doubt"] = lookUp(t, o, orders, res)
			}
			carriedOut(t, o, again(t, f, o, orders, changes))
		})
	}
}

// doneOf returns how far a state says that its stream is.
func doneOf(t *testing.T, s harness.State) float64 {
	t.Helper()
	var blob struct{ Done float64 }
	if err := json.Unmarshal(s.Blob, &blob); err != nil {
		t.Fatal(err)
	}
	return blob.Done
}

// lookUp does what the stop asks its reader to do: it looks in the organisation whether the orders that it names were carried out. Where
// some were and some were not, they are taken for carried out, and the others are asked for anew.
func lookUp(t *testing.T, o *org, orders []order, res *harness.Result) (inDoubt string) {
	t.Helper()
	runs, named, ran := o.crm.Runs(), 0, 0
	for _, one := range orders {
		if names(res.Failures[0].Message, one) {
			named++
			ran += runs[one.run]
		}
	}
	if res.Code != 1 || len(res.Failures) != 1 || named == 0 || !strings.Contains(res.Failures[0].Message, "in_doubt") {
		t.Fatalf("it stopped for no good reason: %s", res)
	}
	if ran == 0 {
		return "resend"
	}
	return "skip"
}

// names reports whether a message names an order.
func names(message string, one order) bool {
	key := one.run.Key
	if one.operation == "trocarGerente" {
		key, _ = one.record["id_imovel"].(string)
	}
	return strings.Contains(message, one.operation+" of ") && (strings.Contains(message, " "+key+":") || strings.Contains(message, " "+key+","))
}

// again asks anew for what was in doubt, taken for carried out and not.
func again(t *testing.T, f writeFixture, o *org, orders []order, changes map[string]any) []order {
	t.Helper()
	runs := o.crm.Runs()
	missing := slices.DeleteFunc(slices.Clone(orders), func(one order) bool { return runs[one.run] > 0 })
	if len(missing) > 9 { // of three kills, each with no more than are under way beside one that was carried out
		t.Errorf("%d orders were not carried out", len(missing))
	}
	f.sync++
	if len(missing) > 0 {
		if res := f.write(t, o, changes, messages(t, missing, nil, 1)); res.Code != 0 {
			t.Error(res)
		}
	}
	return orders
}
