package sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

const right = `{"page":"2","text":"ação <b>"}`

// faulty returns a gate whose answers all go wrong in one way.
func faulty(kind Fault) *Gate {
	return NewGate(fake{}, Behaviour{Faults: Faults{Every: 1, Kinds: []Fault{kind}, Stall: 90 * time.Second, Delay: time.Second}})
}

func TestFaultsInTheAnswer(t *testing.T) {
	for kind, test := range map[Fault]struct {
		status int
		parts  []string // of the body
	}{
		ServerError:  {500, []string{"error: Internal Server Error"}},
		BadGateway:   {502, []string{"<html>"}},
		HTMLPage:     {200, []string{"<html>"}},
		WrongPage:    {200, []string{`"page":"1"`}},
		BrokenUTF8:   {200, []string{"a\xff\xa7ão"}},
		Redirect:     {302, []string{"elsewhere/list"}},
		Unauthorized: {401, []string{"error: "}},
		Echo:         {500, []string{"top+secret/=", "top%2Bsecret%2F%3D", "dG9wK3NlY3JldC89", "de5014060f2faf51837943d9c5b8f674"}},
		EchoRefused:  {400, []string{"top+secret/="}},
	} {
		answer, broken := ask(t, faulty(kind), "/list?page=2")
		if broken || answer.Code != test.status {
			t.Errorf("%s: status %d, broken %v", kind, answer.Code, broken)
		}
		for _, part := range test.parts {
			if !strings.Contains(answer.Body.String(), part) {
				t.Errorf("%s: %q is not in %q", kind, part, answer.Body)
			}
		}
		if utf8.Valid(answer.Body.Bytes()) == (kind == BrokenUTF8) {
			t.Errorf("%s: %q", kind, answer.Body)
		}
	}
	if answer, _ := ask(t, faulty(WrongPage), "/list?page=1"); answer.Body.String() != strings.Replace(right, "2", "1", 1) {
		t.Errorf("there is no page before the first, but %q came", answer.Body)
	}
}

func TestFaultsInTime(t *testing.T) {
	for kind, test := range map[Fault]struct {
		takes  time.Duration
		broken bool
		body   string
	}{
		Slow:      {2 * time.Second, false, right},
		Stall:     {90 * time.Second, true, ""},
		StallBody: {90 * time.Second, true, right[:len(right)/2]},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			answer, broken := ask(t, faulty(kind), "/?page=2")
			if took := time.Since(start); took != test.takes || broken != test.broken || answer.Body.String() != test.body {
				t.Errorf("%s: took %v, broken %v, body %q", kind, took, broken, answer.Body)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ask(t, NewGate(fake{}, Behaviour{Latency: 70 * time.Millisecond}), "/")
		if took := time.Since(start); took != 70*time.Millisecond {
			t.Errorf("latency of 70 ms took %v", took)
		}
	})
}

func TestFaultsOnTheWire(t *testing.T) {
	get := func(kind Fault, zip bool) (body []byte, stats Stats, err error) {
		server, err := Start(fake{}, "", Behaviour{Gzip: zip, Faults: Faults{Every: 1, Limit: 1, Kinds: []Fault{kind}}})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // a broken idle connection would be retried
		answer, err := client.Get(server.URL + "/?page=2")
		if err == nil {
			body, err = io.ReadAll(answer.Body)
			_ = answer.Body.Close()
		}
		return body, server.Stats(), err
	}
	if _, _, err := get(Reset, false); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}
	if body, _, err := get(CutBody, false); !errors.Is(err, io.ErrUnexpectedEOF) || string(body) != right[:len(right)/2] {
		t.Errorf("cut: %q, %v", body, err)
	}
	if _, _, err := get(CutBody, true); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut, compressed: %v", err)
	}
	if body, stats, err := get(Redirect, false); err != nil || string(body) != "{}" || stats.Strays != 1 {
		t.Errorf("redirect followed: %q, %v, %+v", body, err, stats)
	}
}

func TestGzip(t *testing.T) {
	server, err := Start(fake{}, "", Behaviour{Gzip: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	answer, err := http.Get(server.URL + "/?page=2")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || string(body) != right || !answer.Uncompressed {
		t.Errorf("%q, compressed %v, %v", body, answer.Uncompressed, err)
	}
}

// run requests n pages, each until it is right, and returns the faults on the way.
func run(t *testing.T, f Faults, pages []int) map[string][]Fault {
	t.Helper()
	gate := NewGate(fake{}, Behaviour{Faults: f})
	for _, page := range pages {
		for range 3 {
			ask(t, gate, fmt.Sprintf("/?page=%d", page))
		}
	}
	faults := map[string][]Fault{}
	for _, r := range gate.Log() {
		faults[r.URI] = append(faults[r.URI], r.Fault)
	}
	return faults
}

func TestRateIsDeterministic(t *testing.T) {
	f := Faults{Rate: 0.2, Seed: 7, Kinds: []Fault{ServerError, BadGateway, HTMLPage}}
	pages := make([]int, 2000)
	for i := range pages {
		pages[i] = i
	}
	there := run(t, f, pages)
	slices.Reverse(pages)
	back := run(t, f, pages)
	var wrong int
	for uri, faults := range there {
		if !slices.Equal(faults, back[uri]) {
			t.Fatalf("%s: %v, and in another order %v", uri, faults, back[uri])
		}
		for _, fault := range faults {
			if fault != "" {
				wrong++
			}
		}
	}
	if share := float64(wrong) / 6000; share < 0.18 || share > 0.22 {
		t.Errorf("%.3f of the requests fail, want 0.2", share)
	}
	f.Seed++
	if other := run(t, f, pages); fmt.Sprint(other) == fmt.Sprint(there) {
		t.Error("another seed gives the same faults")
	}
}

func TestEverySkipLimit(t *testing.T) {
	gate := NewGate(fake{}, Behaviour{Faults: Faults{Every: 3, Skip: 1, Limit: 3, Kinds: []Fault{ServerError, Unauthorized}}})
	var faults []Fault
	for i := range 20 {
		ask(t, gate, fmt.Sprintf("/?page=%d", i))
	}
	for _, r := range gate.Log() {
		faults = append(faults, r.Fault)
	}
	want := make([]Fault, 20)
	want[3], want[6], want[9] = ServerError, Unauthorized, ServerError
	if !slices.Equal(faults, want) {
		t.Errorf("%q, want %q", faults, want)
	}
	gate = NewGate(fake{}, Behaviour{Faults: Faults{Every: 1, Kinds: []Fault{Unauthorized}}})
	for range 5 {
		ask(t, gate, "/")
	}
	if n := gate.Stats().Faults[Unauthorized]; n != 1 {
		t.Errorf("401 came %d times, want once", n)
	}
}

func TestParseFaults(t *testing.T) {
	got, err := ParseFaults("500, reset")
	if err != nil || !slices.Equal(got, []Fault{ServerError, Reset}) {
		t.Errorf("%v, %v", got, err)
	}
	if all, err := ParseFaults("all"); err != nil || len(all) != len(AllFaults()) {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := ParseFaults("flood"); err == nil {
		t.Error("an unknown kind is taken")
	}
}

func TestSpoilLeavesASCII(t *testing.T) {
	body := []byte(`{"a":"b"}`)
	if spoil(body); !bytes.Equal(body, []byte(`{"a":"b"}`)) {
		t.Errorf("%q", body)
	}
}
