package httpclient

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

func TestCharsets(t *testing.T) {
	const text = `{"t":"São João, “cobertura” €"}`
	const plain = `{"t":"São João"}`
	windows, err := charmap.Windows1252.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	latin, err := charmap.ISO8859_1.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	utf16 := func(order unicode.Endianness, mark unicode.BOMPolicy) string {
		encoded, err := unicode.UTF16(order, mark).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	for name, tt := range map[string]struct {
		contentType, body, want string
		replaced                int
	}{
		"Latin-1":               {"application/json; charset=ISO-8859-1", latin, plain, 0},
		"Latin-1, other names":  {`text/html;Charset="latin1"`, latin, plain, 0},
		"Windows-1252":          {"application/json; charset=windows-1252", windows, text, 0},
		"called Latin-1":        {"application/json; charset=iso-8859-1", windows, text, 0},
		"UTF-8 called Latin-1":  {"application/json; charset=ISO-8859-1", text, text, 0},
		"UTF-8 called Windows":  {"application/json; charset=windows-1252", text, text, 0},
		"UTF-16 called Latin-1": {"application/json; charset=latin1", utf16(unicode.BigEndian, unicode.UseBOM), text, 0},
		"UTF-16LE":              {"application/json; charset=utf-16le", utf16(unicode.LittleEndian, unicode.IgnoreBOM), text, 0},
		"UTF-16BE":              {"application/json; charset=utf-16be", utf16(unicode.BigEndian, unicode.IgnoreBOM), text, 0},
		"UTF-16LE by its mark":  {"application/json", utf16(unicode.LittleEndian, unicode.UseBOM), text, 0},
		"UTF-16BE by its mark":  {"", utf16(unicode.BigEndian, unicode.UseBOM), text, 0},
		"the mark wins":         {"application/json; charset=utf-8", utf16(unicode.BigEndian, unicode.UseBOM), text, 0},
		"UTF-8 by its mark":     {"application/json; charset=iso-8859-1", "\ufeff" + text, text, 0},
		"UTF-8 with a mark":     {"application/json", "\ufeff" + text, text, 0},
		"UTF-8":                 {"application/json; charset=UTF-8", text, text, 0},
		"no charset":            {"application/json", text, text, 0},
		"no charset, not UTF-8": {"application/json", latin, "{\"t\":\"S\ufffdo Jo\ufffdo\"}", 2},
		"half a surrogate":      {"application/json; charset=utf-16be", "\x00\"\xd8\x00\x00x\x00\"", "\"\ufffdx\"", 1},
		"unknown":               {"application/json; charset=klingon-8", text, text, 0},
		"broken":                {"application/json; charset", text, text, 0},
		"a byte":                {"application/json", "1", "1", 0},
		"a byte in Latin-1":     {"application/json; charset=latin1", "1", "1", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []answer{{status: 200, body: tt.body, header: []string{"Content-Type", tt.contentType}}}}
				c, _ := client(t, s.ServeHTTP, nil)
				res, err := c.Do(t.Context(), Request{})
				if err != nil {
					t.Fatal(err)
				}
				if res.Body.String() != tt.want || res.Replaced != tt.replaced {
					t.Errorf("got %q, %d replaced; want %q", res.Body, res.Replaced, tt.want)
				}
			})
		})
	}
}

func TestUnknownCharsetIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &script{answers: []answer{{status: 200, body: "{}", header: []string{"Content-Type", "application/json; charset=klingon-8"}}}}
		c, _ := client(t, s.ServeHTTP, func(o *Options) {
			o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		for range 3 {
			if _, err := c.Do(t.Context(), Request{}); err != nil {
				t.Fatal(err)
			}
		}
		if got := log.String(); strings.Count(got, "klingon-8") != 1 || strings.Contains(got, "WARN") {
			t.Errorf("log: %s", got)
		}
	})
}

func TestALimitCountsDecodedBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := `"` + strings.Repeat("\xe3", 998) + `"`
		s := &script{answers: []answer{{status: 200, body: body, header: []string{"Content-Type", "text/plain; charset=latin1"}}}}
		c, _ := client(t, s.ServeHTTP, func(o *Options) { o.MaxBody = 1500 })
		_, err := c.Do(t.Context(), Request{})
		wantFault(t, err, fault.System, "which is the limit")
	})
}

func TestControlCharactersAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{status: 200, body: "{\"a\":\"Sala\tampla\nfrente mar \xff\"}"}}}
		c, _ := client(t, s.ServeHTTP, nil)
		res, err := c.Do(t.Context(), Request{})
		if err != nil || res.Body.String() != "{\"a\":\"Sala\\tampla\\nfrente mar \ufffd\"}" || res.Control != 2 || res.Replaced != 1 {
			t.Errorf("%+v, %v", res, err)
		}
	})
}

func TestRowsThatAreNestedTooDeeply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deep := `[{"tree":` + strings.Repeat("[", 996) + strings.Repeat("]", 996) + "}]"
		s := &script{answers: []answer{{status: 200, body: deep}, {status: 200, body: deep}, {status: 500, body: deep}, good}}
		c, _ := client(t, s.ServeHTTP, nil)
		judged := Request{Path: "/x", Judge: func(*Response) Verdict { return Again(nil) }}
		_, err := c.Do(t.Context(), judged)
		wantFault(t, err, fault.System, "GET localhost/x was answered (200) with rows that destinations cannot read: "+
			"with what a record has around them, more than 1,000 objects and arrays stand inside each other.")
		judged.Once = true
		_, err = c.Do(t.Context(), judged)
		wantFault(t, err, fault.Config, "GET localhost/x was answered (200)", "It is not known whether it was carried out")
		if _, err := c.Do(t.Context(), Request{}); err != nil || s.count() != 4 {
			t.Errorf("asked %d times: %v", s.count(), err)
		}
	})
}

func TestTheSameThatIsNotJSON(t *testing.T) {
	html, again := answer{status: 200, body: "<html><title>maintenance</title></html>"}, Again(fault.Transientf("There are no rows."))
	for name, tt := range map[string]struct {
		answers []answer
		judge   Judge
		ends    bool // before the time is over
		want    string
	}{
		"HTML":        {[]answer{html}, nil, true, `GET localhost/x was answered (200) with something that is not JSON: "maintenance" (the same `},
		"cut off":     {[]answer{{status: 200, body: `[{"nome":"Ana"`}}, nil, true, "GET localhost/x was answered (200) with 14 bytes that are not JSON (text/plain) (the same "},
		"and judged":  {[]answer{html}, always(again), true, "There are no rows."},
		"throttled":   {[]answer{html}, always(Throttled(fault.Transientf("Too fast."))), false, "Too fast."},
		"nothing":     {[]answer{{status: 200}}, nil, true, "with nothing (the same "},
		"204":         {[]answer{{status: 204}}, nil, true, "with nothing (the same "},
		"an error":    {[]answer{{status: 503, body: "<html>maintenance</html>"}}, nil, false, "failed (503)"},
		"JSON":        {[]answer{good}, always(again), false, "There are no rows."},
		"in turns":    {alternating(200), nil, false, "not JSON"},
		"in the end":  {append(alternating(5), html), nil, true, "(the same "},
		"interrupted": {append(append(alternating(1), answer{status: 500}), html), nil, true, "(the same "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: tt.answers}
				c, _ := client(t, s.ServeHTTP, nil)
				began := time.Now()
				_, err := c.Do(t.Context(), Request{Path: "/x", Judge: tt.judge})
				wantFault(t, err, fault.Transient, tt.want)
				took := time.Since(began)
				if tt.ends && (took < sameTime || took > 3*time.Minute || s.count() < sameAnswers) || !tt.ends && took < 5*time.Minute {
					t.Errorf("ended after %v and %d requests", took, s.count())
				}
			})
		})
	}
}

// alternating returns n answers that are not JSON, each different from the one before.
func alternating(n int) (answers []answer) {
	for i := range n {
		answers = append(answers, answer{status: 200, body: "<html>" + strconv.Itoa(i%2) + "</html>"})
	}
	return answers
}

// TestReadingSetsAsideWhatComes measures what reading a body allocates: its length once if that is known, and otherwise not much more than twice the
// length.
func TestReadingSetsAsideWhatComes(t *testing.T) {
	const size = 20 << 20
	for name, tt := range map[string]struct {
		length  int64
		trusted bool
		times   int // how often the size of the body is allocated
	}{
		"known":               {size, true, 1},
		"unknown":             {-1, true, 2},
		"known, not believed": {size, false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var asked int64
			c := &Client{o: Options{MaxBody: 64 << 20}}
			body, err := c.readAll(io.LimitReader(zeros{}, size-3), []byte("000"), tt.length, tt.trusted, func(n int64) error {
				asked += n
				return nil
			})
			runtime.ReadMemStats(&after)
			if err != nil || len(body) != size || asked < int64(tt.times)*size || asked > int64(tt.times)*(size+chunk) {
				t.Errorf("%d bytes, asked for %d: %v", len(body), asked, err)
			}
			if got := float64(after.TotalAlloc-before.TotalAlloc) / size; got > float64(tt.times)+.1 {
				t.Errorf("allocated %.2f times the body", got)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func TestACharsetThatArrivesSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json; charset=utf-16be")
			for _, b := range []byte("\x00[\x00\"\x00\xe3\x00\"\x00]") {
				_, _ = w.Write([]byte{b})
				_ = http.NewResponseController(w).Flush()
				time.Sleep(50 * time.Second)
			}
		}, nil)
		res, err := c.Do(t.Context(), Request{})
		if err != nil || res.Body.String() != `["ã"]` {
			t.Errorf("%v", err)
		}
	})
}
