package imoview

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// refusal is an answer that is not 200.
type refusal struct {
	status int
	text   string // empty: the API's own for the status
	member string // that has the text; empty: that of Options.MessageKey
	allow  string // the header Allow; empty: none
}

// params are the parameters of a request, from the query or from the body. Those that nobody asks for are ignored, as the API does.
type params struct {
	values map[string]string // by name in lower case: the API does not care
	used   strings.Builder   // the filters that were asked for and set
	err    *refusal          // the first that is wrong
}

// paramsOf reads the parameters of a request.
func paramsOf(r *http.Request) (*params, *refusal) {
	if r.Method == http.MethodPost {
		return body(r)
	}
	return query(r.URL.RawQuery)
}

// query reads the parameters of a GET. Of one that comes twice the first counts.
func query(raw string) (*params, *refusal) {
	p := &params{values: make(map[string]string, 8)}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, &refusal{status: http.StatusBadRequest, text: "The request is invalid."}
	}
	for name, value := range values {
		p.values[strings.ToLower(name)] = value[0]
	}
	return p, nil
}

// body reads the parameters of a POST.
func body(r *http.Request) (*params, *refusal) {
	none := &refusal{status: http.StatusNotFound, text: "Json de entrada não informado!"}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/json" {
		return nil, none
	}
	var members map[string]any
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	d.UseNumber()
	if err := d.Decode(&members); err != nil || members == nil {
		return nil, none
	}
	p := &params{values: make(map[string]string, len(members))}
	for name, value := range members {
		switch value := value.(type) {
		case nil:
		case string:
			p.values[strings.ToLower(name)] = value
		case bool, json.Number:
			p.values[strings.ToLower(name)] = fmt.Sprint(value)
		default:
			p.wrong(name)
		}
	}
	return p, p.err
}

// wrong notes a parameter that the API refuses. Validation errors come as 404.
func (p *params) wrong(name string) {
	p.refuse("Parâmetro " + name + " inválido!")
}

func (p *params) refuse(text string) {
	if p.err == nil {
		p.err = &refusal{status: http.StatusNotFound, text: text}
	}
}

// text returns a filter that is a text; empty means that it is not set.
func (p *params) text(name string) string {
	v := strings.TrimSpace(p.values[name])
	if set(v) {
		_, _ = fmt.Fprintf(&p.used, "%s=%s&", name, v) // a builder takes all
	}
	return v
}

// set tells whether a value stands for less than all.
func set(value string) bool { return value != "" && value != "0" && value != "false" }

// number returns a filter that is a whole number; 0 when it is not set.
func (p *params) number(name string) int {
	return p.whole(name, p.text(name))
}

// place returns where in a listing a page lies, which is no filter.
func (p *params) place(name string) int {
	return p.whole(name, p.values[name])
}

func (p *params) whole(name, value string) int {
	if value == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		p.wrong(name)
	}
	return n
}

// choice returns a number from 0 to limit; 0 when it is none of them.
func (p *params) choice(name string, limit int) int {
	n := p.number(name)
	if n < 0 || n > limit {
		p.wrong(name)
		return 0
	}
	return n
}

// numbers returns codes separated by commas; nil when there are none.
func (p *params) numbers(name string) map[int]bool {
	v := p.text(name)
	if v == "" || v == "0" {
		return nil
	}
	all := map[int]bool{}
	for part := range strings.SplitSeq(v, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			p.wrong(name)
		}
		all[n] = true
	}
	return all
}

func (p *params) truth(name string) bool {
	switch strings.ToLower(p.text(name)) {
	case "true", "1":
		return true
	case "", "false", "0":
		return false
	}
	p.wrong(name)
	return false
}

// The layouts in which times are taken.
const (
	withSeconds = "02/01/2006 15:04:05"
	withMinutes = "02/01/2006 15:04"
	dayOnly     = "02/01/2006"
)

// time returns a bound, in seconds of the wall clock; 0 when it is not set.
func (p *params) time(name string, layouts ...string) int64 {
	v := p.text(name)
	if v == "" {
		return 0
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, v); err == nil {
			return t.Unix()
		}
	}
	p.wrong(name)
	return 0
}

// absent refuses documented filters that this simulator does not have, so that nobody relies on them.
func (p *params) absent(names ...string) {
	for _, name := range names {
		if set(p.values[name]) {
			p.refuse("O simulador não conhece o filtro " + name + "!")
		}
	}
}
