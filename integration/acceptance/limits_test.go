package acceptance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// large answers with a text of so many bytes between two others.
func large(w http.ResponseWriter, before string, size int, after string) bool {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(before)+size+len(after)))
	_, _ = io.WriteString(w, before) // a reader that went away is its own affair
	text := []byte(strings.Repeat("x", 1<<20))
	for ; size > 0; size -= len(text) {
		if _, err := w.Write(text[:min(size, len(text))]); err != nil {
			break
		}
	}
	_, _ = io.WriteString(w, after)
	return true
}

// TestWideAnswers reads answers of 60 MiB each, of which many could be asked for at a time, in 256 MiB of memory.
func TestWideAnswers(t *testing.T) {
	t.Parallel()
	const rows, size, most = 6, 60 << 20, 256 << 20
	number := func(r *http.Request, name string) int {
		n, _ := strconv.Atoi(r.URL.Query().Get(name)) // 0 where there is none
		return n
	}
	text := func(n int) int { // the first page is small
		if n == 1 {
			return 1
		}
		return size
	}
	imoview := map[string]bool{"/Usuario/RetornarTipo3": true, "/ContratoAluguel/RetornarContratos": true, "/Movimento/RetornarMovimentos": true}
	for _, test := range []struct {
		connector, streams string
		answers            func(w http.ResponseWriter, r *http.Request) bool
	}{
		{"source-dwv", "properties", func(w http.ResponseWriter, r *http.Request) bool {
			n := number(r, "page")
			return r.URL.Query().Get("deleted") == "false" && large(w, fmt.Sprintf(`{"total":%d,"perPage":1,"page":%d,"lastPage":%d,`+
				`"data":[{"id":%d,"last_updated_at":"2024-05-01 10:00:00","title":"`, rows, n, rows, n), text(n), `"}]}`)
		}},
		{"source-imoview", "users", func(w http.ResponseWriter, r *http.Request) bool {
			n := number(r, "numeroPagina")
			return r.URL.Path == "/Usuario/RetornarTipo3" && n <= rows && large(w, fmt.Sprintf(`{"quantidade":%d,"lista":[{"codigo":%d,`+
				`"dataultimaalteracao":"01/05/2024 10:00:00","nome":"`, rows, n), text(n), `"}]}`)
		}},
		{"source-imoview", "users lease_contracts movements", func(w http.ResponseWriter, r *http.Request) bool { // full pages
			n, most := number(r, "numeroPagina"), number(r, "numeroRegistros")
			if !imoview[r.URL.Path] || n > rows/3 {
				return false
			}
			const changed = `"dataultimaalteracao":"01/05/2024 10:00:00","datahoraultimaalteracao":"01/05/2024 10:00:00"`
			body := fmt.Sprintf(`{"quantidade":%d,"lista":[`, most*rows/3)
			for i := range most - 1 {
				body += fmt.Sprintf(`{"codigo":%d,%s},`, n*most+i, changed)
			}
			return large(w, body+fmt.Sprintf(`{"codigo":%d,%s,"nome":"`, (n+1)*most-1, changed), size, `"}]}`)
		}},
		{"source-dwv", "property_details", func(w http.ResponseWriter, r *http.Request) bool {
			id := strings.TrimPrefix(r.URL.Path, "/integration/properties/")
			_, err := strconv.Atoi(id)
			return err == nil && large(w, `{"data":{"id":`+id+`,"last_updated_at":"2024-05-01 10:00:00","title":"`, size, `"}}`)
		}},
	} {
		t.Run(test.connector+" "+test.streams, func(t *testing.T) { // one after the other, for the machine's sake
			f := one(t, test.connector)
			a := f.behind(t, test.answers, sim.Options{Size: rows}, sim.Behaviour{})
			exit, said := unread(t, f, harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh, strings.Fields(test.streams)...), nil))
			if exit.Code != 0 || exit.MaxRSS > most {
				t.Errorf("exit %d, a peak of %d MiB: %s", exit.Code, exit.MaxRSS>>20, said)
			}
			if n := a.Stats().Bytes; n < (rows-1)*size {
				t.Errorf("only %d MiB were read: %s", n>>20, said)
			}
			t.Logf("%d MiB in %v, a peak of %d MiB", a.Stats().Bytes>>20, exit.Wall, exit.MaxRSS>>20)
		})
	}
}

// unread runs a command whose output nobody looks into, and gives the last lines of it.
func unread(t *testing.T, f fixture, c harness.Command) (exit harness.Exit, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	p, err := f.runner.Start(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	last := &tail{}
	_, readErr := io.Copy(last, p.Stdout())
	exit, err = p.Wait()
	if err != nil || readErr != nil {
		t.Fatal(err, readErr)
	}
	return exit, string(last.text)
}

// tail keeps the end of what is written.
type tail struct{ text []byte }

func (w *tail) Write(p []byte) (int, error) {
	const most = 1500
	w.text = append(w.text, p[max(0, len(p)-most):]...)
	w.text = w.text[max(0, len(w.text)-most):]
	return len(p), nil
}

// TestQuotaOnTheWire reads for a while from an API that counts more requests than a careless reader makes: hops of redirects, and what is sent
// again after a broken connection. The quota refuses none.
func TestQuotaOnTheWire(t *testing.T) {
	t.Parallel()
	const hops, long = 3, 10 * time.Second
	redirects := func(w http.ResponseWriter, r *http.Request) bool {
		query := r.URL.Query()
		hop, _ := strconv.Atoi(query.Get("hop")) // 0 where there is none
		if query.Del("hop"); hop == hops {
			r.URL.RawQuery = query.Encode()
			return false
		}
		query.Set("hop", strconv.Itoa(hop+1))
		http.Redirect(w, r, r.URL.Path+"?"+query.Encode(), http.StatusTemporaryRedirect)
		return true
	}
	none := func(http.ResponseWriter, *http.Request) bool { return false }
	for name, test := range map[string]struct {
		answers func(w http.ResponseWriter, r *http.Request) bool
		faults  sim.Faults
	}{
		"redirects":          {redirects, sim.Faults{}},
		"broken connections": {none, sim.Faults{Every: 2, Kinds: []sim.Fault{sim.Reset}}},
	} {
		for _, connector := range []string{"source-dwv", sourceSnap} {
			t.Run(connector+" "+name, func(t *testing.T) {
				t.Parallel()
				f := one(t, connector)
				quota := sim.Quota{Requests: 30, Window: time.Minute}
				a := f.behind(t, test.answers, sim.Options{Size: 6000}, sim.Behaviour{Faults: test.faults, Quota: quota})
				options, late := within(long)
				res := f.run(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, f.light()...), nil), options)
				_ = late() // it may have refused the redirects
				if stats := a.Stats(); stats.Throttled > 0 || stats.Requests < 2 {
					t.Errorf("%d of %d requests were more than the quota: %s", stats.Throttled, stats.Requests, res)
				}
			})
		}
	}
}

// TestHostileInputs hands in files that have no end, and a state of few characters that names ten million keys: little memory has to do.
func TestHostileInputs(t *testing.T) {
	t.Parallel()
	const most = 160 << 20
	f := one(t, "source-dwv")
	a := f.start(t, sim.Options{Size: 30}, sim.Behaviour{})
	read := harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, "properties"), []byte("[]"))
	state := func(document string) []byte {
		return []byte(`[{"type":"STREAM","stream":{"stream_descriptor":{"name":"properties"},"stream_state":` + document + `}}]`)
	}
	endless := func(file string) harness.Command {
		c := read.With()
		for i, arg := range c.Args {
			if arg == "{"+file+"}" {
				c.Args[i] = "/dev/zero"
			}
		}
		return c
	}
	for name, test := range map[string]struct {
		command harness.Command
		fails   bool
	}{
		"config without end":  {endless(harness.ConfigFile), true},
		"catalog without end": {endless(harness.CatalogFile), true},
		"state without end":   {endless(harness.StateFile), true},
		"ten million keys": {harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, "properties"),
			state(`{"last_updated_at":"2024-05-01T00:00:00-03:00","removed":"1-9999999"}`)), false},
	} {
		t.Run(f.connector.Name+" "+name, func(t *testing.T) {
			t.Parallel()
			options, late := within(patience)
			g := f
			g.runner = harness.Binary{Path: "/bin/sh"}
			test.command.Args = append([]string{"-c", `ulimit -v 3000000; exec "$0" "$@"`, f.path(t)}, test.command.Args...) // KiB: the others' memory
			res := g.run(t, a, test.command, options)
			if late() {
				t.Fatalf("it did not end in %v: %s", patience, res)
			}
			if test.fails && res.Code != 1 {
				t.Errorf("exit 1 was due: %s", res)
			}
			for _, failure := range res.Failures {
				readable(t, failure.Message)
			}
			if res.MaxRSS > most {
				t.Errorf("it took %d MiB", res.MaxRSS>>20)
			}
		})
	}
}

// TestStdoutClosed starts every source with its standard output closed: nothing can be delivered, so it is no success.
func TestStdoutClosed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"source-dwv", "source-imoview", "source-nectarcrm", sourceSnap} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := one(t, name)
			a := f.start(t, sim.Options{Size: 30}, sim.Behaviour{})
			c := f.read(t, a, nil)
			c.Args = append([]string{"-c", `exec "$0" "$@" >&-`, f.path(t)}, c.Args...)
			f.runner = harness.Binary{Path: "/bin/sh"}
			if exit, _ := unread(t, f, c); exit.Code != 1 {
				t.Errorf("exit %d, not 1", exit.Code)
			}
		})
	}
}

// path returns where the connector's binary is.
func (f fixture) path(t *testing.T) string {
	t.Helper()
	b, ok := f.runner.(harness.Binary)
	if !ok {
		t.Fatalf("the runner is a %T", f.runner)
	}
	return b.Path
}
