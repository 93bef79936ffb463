package destination

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/internal/memnet"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
)

const testSpec = `{"supported_destination_sync_modes":["append","update"],"connectionSpecification":{"type":"object","required":["token"],"properties":{
	"token":{"type":"string","airbyte_secret":true},"on_rejected":{"type":"string","enum":["continue","stop"]},
	"journal_path":{"type":"string"},"in_doubt":{"type":"string","enum":["stop","resend","skip"]},"dry_run":{"type":"boolean"},
	"ignore_fields":{"type":"array","items":{"type":"string"}},"receipts_path":{"type":"string"}}}}`

// doors is an API that opens and closes doors. It carries out every order, unless answer says otherwise.
type doors struct {
	*memnet.Network

	token string
	limit *ratelimit.Limiter
	gives string // the member in which close gives back what was changed
	// answer gets the order, "close door=1 …" with its fields sorted, after it was recorded. It returns true if it has answered.
	answer func(w http.ResponseWriter, asked string) bool

	mu    sync.Mutex
	asked []string
	now   map[string]int // calls in flight for each door
	most  map[string]int // the most at a time; "" stands for all doors together
}

func openDoors(t *testing.T) *doors {
	t.Helper()
	d := &doors{
		Network: memnet.New(), token: "s3cr3t", now: map[string]int{}, most: map[string]int{},
	}
	server := &http.Server{Handler: d}
	go func() { _ = server.Serve(d.Network) }()
	t.Cleanup(func() { _ = server.Close() })
	return d
}

func (d *doors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body map[string]map[string]string
	if r.Method == http.MethodPost && json.NewDecoder(r.Body).Decode(&body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.Header.Get("Authorization") != "OAuth "+d.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var fields []string
	for _, inner := range body {
		for name, value := range inner {
			fields = append(fields, name+"="+value)
		}
	}
	slices.Sort(fields)
	asked := strings.TrimPrefix(r.URL.Path, "/") + " " + strings.Join(fields, " ")
	door := body["door"]["door"]
	d.count(asked, door, 1)
	defer d.count("", door, -1)
	if d.answer == nil || !d.answer(w, asked) {
		_, _ = io.WriteString(w, `{"ok":true}`)
	}
}

func (d *doors) count(asked, door string, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if asked != "" {
		d.asked = append(d.asked, asked)
	}
	for _, key := range []string{"", "door " + door} {
		d.now[key] += n
		d.most[key] = max(d.most[key], d.now[key])
	}
}

// took returns the orders so far.
func (d *doors) took() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asked)
}

type doorConfig struct {
	Settings

	Token string `json:"token"`
}

type signer string

func (s signer) Sign(_ context.Context, r *httpclient.Request) error {
	*r = r.With(httpclient.Header, "Authorization", "OAuth "+string(s))
	return nil
}

func (d *doors) destination() *Destination {
	return New(fstest.MapFS{"spec.json": {Data: []byte(testSpec)}}, func(c doorConfig) API {
		digits := Matching(`^\d{3}$`, "three digits")
		digits.Same = func(s string) string { return strings.TrimPrefix(s, "0") }
		door := Field{Name: "door", As: "door", Kind: Text(), Key: true, Description: "Which."}
		return API{
			Options:  httpclient.Options{BaseURL: "http://localhost", Dial: d.Dial, Auth: signer(c.Token), MaxElapsed: time.Minute, Limit: d.limit},
			Settings: c.Settings,
			Outcome: func(res *httpclient.Response) httpclient.Verdict {
				for member, verdict := range map[string]func(string) httpclient.Verdict{
					"no": Rejected, "odd": Unknown, "locked": Interrupted,
					"undone": func(s string) httpclient.Verdict { return httpclient.Undone(fault.Transientf("%s", s)) },
				} {
					if said := res.Body.Get(member).Text(); said != "" {
						return verdict(said)
					}
				}
				return httpclient.Verdict{}
			},
			Check: httpclient.Request{Path: "/doors"}, Spellings: []string{"house__*__c"}, Told: []string{"id", "now.state", "now.owner"},
			Operations: []Operation{
				{
					Name: "close", Path: "/close", Wrap: "door", One: []string{"door", "id"}, Look: "whether the door is shut", Gives: d.gives,
					Fields: []Field{
						door, {Name: "id", As: "Id", Kind: digits, Key: true},
						{Name: "why", As: "reason__c", Kind: OneOf("wind", "night"), Required: true}, {Name: "note", As: "note__c", Kind: Text(), Blank: true},
					},
				},
				{
					Name: "rent", Path: "/rent", Wrap: "door", Look: "who pays",
					Fields: []Field{{Name: "door", As: "door", Kind: Text(), Key: true, Required: true}, {Name: "sum", As: "sum", Kind: Money()}},
				},
				{
					Name: "paint", Path: "/paint", Wrap: "paint", Serial: true, Some: []string{"door", "all"}, Look: "its colour",
					Fields: []Field{door, {Name: "all", As: "all", Kind: Text(), Blank: true}},
				},
			},
		}
	})
}

// written is the result of a Write.
type written struct {
	err      error
	states   []string // raw
	warnings []string
	infos    []string
	failures []protocol.ErrorTrace
	out      string
}

// lines returns messages: a text that begins with "{" as it is, "S n" as a state of the stream a, "G n" as a global one, "C" as the end of the stream
// a, "stream data" as a record.
func lines(messages ...string) string {
	var b strings.Builder
	for _, m := range messages {
		first, rest, _ := strings.Cut(m, " ")
		switch {
		case strings.HasPrefix(m, "{"), first == "raw":
			b.WriteString(strings.TrimPrefix(m, "raw "))
		case first == "S":
			b.WriteString(`{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"n":` + rest + `}},"id":` + rest + `}}`)
		case first == "G":
			b.WriteString(`{"type":"STATE","state":{"type":"GLOBAL","global":{"stream_states":[]},"id":` + rest + `}}`)
		case first == "C":
			b.WriteString(`{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1,"stream_status":{"stream_descriptor":{"name":"a"},"status":"COMPLETE"}}}`)
		default:
			b.WriteString(`{"type":"RECORD","record":{"stream":"` + first + `","data":` + rest + `,"emitted_at":1}}`)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// catalog returns a catalog of a sync with the streams a (close, by its object), rent and paint (by their names).
func catalog(sync int64) *protocol.ConfiguredCatalog {
	cat := &protocol.ConfiguredCatalog{}
	for _, name := range []string{"a", "rent", "paint"} {
		s := protocol.ConfiguredStream{Stream: protocol.Stream{Name: name}, DestinationSyncMode: "append"}
		if name == "a" {
			s.DestinationObjectName = "close"
		}
		if sync != 0 {
			s.SyncID = &sync
		}
		cat.Streams = append(cat.Streams, s)
	}
	return cat
}

// write runs a Write with settings, which are members of a JSON object.
func (d *doors) write(ctx context.Context, t *testing.T, settings string, cat *protocol.ConfiguredCatalog, in io.Reader) written {
	t.Helper()
	var out bytes.Buffer
	emitter := protocol.NewEmitter(&out)
	ctx = protocol.WithLogger(ctx, slog.New(protocol.NewLogHandler(emitter, slog.LevelInfo)))
	config := `{"token":"s3cr3t"` + strings.TrimSuffix(","+settings, ",") + `}`
	w := written{err: d.destination().Write(ctx, []byte(config), cat, in, emitter)}
	if err := emitter.Close(); err != nil {
		t.Error(err)
	}
	w.out = out.String()
	if strings.Contains(w.out, "s3cr3t") {
		t.Errorf("a secret is in the output: %s", w.out)
	}
	for m, err := range protocol.Read(&out) {
		switch {
		case err != nil:
			t.Error(err)
		case m.State != nil:
			w.states = append(w.states, string(m.State.Raw))
		case m.Log != nil && m.Log.Level == "WARN":
			w.warnings = append(w.warnings, m.Log.Message)
		case m.Log != nil:
			w.infos = append(w.infos, m.Log.Message)
		case m.Trace != nil:
			w.failures = append(w.failures, *m.Trace.Error)
		}
	}
	return w
}

func echoed(n, count, rejected string) string {
	return `{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"n":` + n + `}},"id":` + n +
		`,"destinationStats":{"recordCount":` + count + `,"rejectedRecordCount":` + rejected + `}}`
}

// wantFault checks an error's kind, and that its message contains some texts.
func wantFault(t *testing.T, err error, kind fault.Kind, parts ...string) {
	t.Helper()
	f := fault.Of(err)
	if f == nil || f.Kind != kind {
		t.Fatalf("got %v, want a %v", err, kind)
	}
	for _, part := range parts {
		if !strings.Contains(f.Message, part) {
			t.Errorf("%q is not in the message %q", part, f.Message)
		}
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

var errStop = errors.New("told to stop")
