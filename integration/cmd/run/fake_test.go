package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// What the test binary is when it is started with this in its environment: run itself, or a connector.
const (
	role       = "RUN_TEST_ROLE"
	roleRun    = "run"
	roleSource = "source"
	roleTarget = "target"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // simulators, runs and connectors make garbage of every row, on two processors
	switch os.Getenv(role) {
	case roleRun:
		main()
	case roleSource:
		fakeSource(os.Args[1:])
	case roleTarget:
		fakeTarget(os.Args[1:])
	default:
		os.Exit(m.Run())
	}
}

// fake is the configuration of a connector that exists in this test alone.
type fake struct {
	Streams []fakeStream
	Message string // of the failure
	Log     string // a file that gets each command, with the state that came with it
	Die     int    // a destination: after so many records, without a word
	Refuse  bool   // the configuration, when it is checked
}

// fakeStream is a stream of such a source, with the rows 1 to Rows, of which each page of ten ends with a state.
type fakeStream struct {
	Name        string
	Incremental bool
	Global      bool // its states are of all streams
	Rows        int
	Fail        int // the source fails before this row; 0: it does not
	Incomplete  bool
}

// as returns a connector that plays a role.
func as(t *testing.T, name, role string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	script := fmt.Sprintf("#!/bin/sh\nRUN_TEST_ROLE=%s exec '%s' \"$@\"\n", role, self)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// open reads the files that a command names.
func (f *fake) open(args []string) (files map[string]string) {
	files = map[string]string{}
	for i := 1; i+1 < len(args); i += 2 {
		text, err := os.ReadFile(args[i+1])
		if err != nil {
			panic(err)
		}
		files[args[i]] = string(text)
	}
	if err := json.Unmarshal([]byte(files["--config"]), f); err != nil && args[0] != "spec" {
		panic(err)
	}
	if f.Log != "" {
		log, err := os.OpenFile(f.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(log, args[0], strings.Join(strings.Fields(files["--state"]), " "))
		log.Close()
	}
	return files
}

func (f *fake) check() {
	status := map[bool]string{true: "FAILED", false: "SUCCEEDED"}[f.Refuse]
	fmt.Printf(`{"type":"CONNECTION_STATUS","connectionStatus":{"status":%q,"message":%q}}`+"\n", status, f.Message)
}

func (f *fake) fail() {
	if f.Message != "" {
		fmt.Printf(`{"type":"TRACE","trace":{"type":"ERROR","emitted_at":1,"error":{"message":%q,"failure_type":"transient_error"}}}`+"\n", f.Message)
	}
	os.Exit(1)
}

func fakeSource(args []string) {
	var f fake
	files := f.open(args)
	switch args[0] {
	case "check":
		f.check()
	case "discover":
		var streams []string
		for _, s := range f.Streams {
			modes := `"full_refresh"`
			if s.Incremental {
				modes += `,"incremental"`
			}
			streams = append(streams, fmt.Sprintf(`{"name":%q,"json_schema":{"type":"object","properties":{"id":{"type":"integer"}}},`+
				`"supported_sync_modes":[%s],"source_defined_primary_key":[["id"]]}`, s.Name, modes))
		}
		fmt.Printf(`{"type":"CATALOG","catalog":{"streams":[%s]}}`+"\n", strings.Join(streams, ","))
	case "read":
		var names []string
		for _, c := range gjson.Get(files["--catalog"], "streams.#.stream.name").Array() {
			names = append(names, c.Str)
		}
		for _, s := range f.Streams {
			if slices.Contains(names, s.Name) {
				f.read(s, files["--state"])
			}
		}
	}
}

// read sends the rows of a stream behind those that its state speaks for.
func (f *fake) read(s fakeStream, states string) {
	status := func(status string) {
		fmt.Printf(`{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1,"stream_status":{"stream_descriptor":{"name":%q},"status":%q}}}`+"\n",
			s.Name, status)
	}
	done := 0
	for _, m := range gjson.Parse(states).Array() {
		if m.Get("stream.stream_descriptor.name").Str == s.Name {
			done = int(m.Get("stream.stream_state.done").Int())
		}
		if m.Get("global").Exists() {
			done = int(m.Get("global.shared_state.done").Int())
		}
	}
	status("STARTED")
	for i := done + 1; i <= s.Rows; i++ {
		if i == s.Fail {
			status("INCOMPLETE")
			f.fail()
		}
		fmt.Printf(`{"type":"RECORD","record":{"stream":%q,"data":{"id":%d,"text":"é <b> %s"},"emitted_at":1}}`+"\n", s.Name, i, strings.Repeat("x", i%50))
		switch {
		case (i%10 == 0 || i == s.Rows) && s.Global:
			fmt.Printf(`{"type":"STATE","state":{"type":"GLOBAL","global":{"shared_state":{"done":%d},"stream_states":[]}}}`+"\n", i)
		case i%10 == 0 || i == s.Rows:
			fmt.Printf(`{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":%q},"stream_state":{"done":%d}}}}`+"\n", s.Name, i)
		}
	}
	if s.Incomplete {
		status("INCOMPLETE")
		return
	}
	status("COMPLETE")
}

// fakeTarget is a destination that appends what it is given to a file "taken" beside its log, and gives states back once that is written.
func fakeTarget(args []string) {
	var f fake
	f.open(args)
	switch args[0] {
	case "spec":
		fmt.Println(`{"type":"SPEC","spec":{"supported_destination_sync_modes":["append","overwrite"],"connectionSpecification":{}}}`)
	case "check":
		f.check()
	case "write":
		taken, err := os.OpenFile(f.Log+".taken", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			panic(err)
		}
		records := 0
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			line := lines.Text()
			if kind := gjson.Get(line, "type").Str; kind == "STATE" {
				fmt.Println(line)
				continue
			} else if kind == "RECORD" {
				if records++; records == f.Die {
					os.Exit(3)
				}
			}
			fmt.Fprintln(taken, line)
		}
	}
}

// ids returns the ids of a file of rows, and how often each is there.
func ids(t *testing.T, path string) map[int]int {
	t.Helper()
	all := map[int]int{}
	for _, line := range lines(t, path) {
		if !gjson.Valid(line) {
			t.Fatalf("%s has the line %q", path, line)
		}
		all[int(gjson.Get(line, "id").Int())]++
	}
	return all
}

// lines returns those of a file, which may be missing.
func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := local{}.read(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// wantRows holds that a file has each of the rows 1 to n once.
func wantRows(t *testing.T, path string, n int) {
	t.Helper()
	got := ids(t, path)
	for i := 1; i <= n; i++ {
		if got[i] != 1 {
			t.Errorf("%s has row %d %d times", path, i, got[i])
			return
		}
	}
	if len(got) != n {
		t.Errorf("%s has %s rows, want %d", path, strconv.Itoa(len(got)), n)
	}
}
