package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// mark stands for what was blanked.
const mark = "***"

// call is a request as the proxy knows it.
type call struct {
	method string
	seen   *url.URL // what the client asked for, absolute
	goes   *url.URL // what is asked of the API
	header http.Header
	body   []byte
	key    string // tells requests from one another, credentials left out: method, path, query and body
	host   string // of goes
	base   string // links in the answer that begin with it are made to lead where the client asked
	prefix string // the path of base
}

type callKey struct{}

// within returns a request that has c in its context, and c's body once more.
func (c *call) within(r *http.Request) *http.Request {
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	return r
}

// callOf returns the call of a context that comes from within.
func callOf(ctx context.Context) *call {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		panic("proxy: a request without a call")
	}
	return c
}

// kind returns the body's media type.
func (c *call) kind() string {
	kind, _, _ := mime.ParseMediaType(c.header.Get("Content-Type")) // none is none
	return kind
}

// String names the request, with what its key leaves out left out.
func (c *call) String() string {
	head, body, _ := strings.Cut(c.key, "\n")
	if body == "" {
		return head
	}
	return head + " with the body " + body[:min(len(body), 300)]
}

// call finds out what a request asks for, and reads its body.
func (p *Proxy) call(r *http.Request) (*call, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	seen := *r.URL
	reverse := false
	switch t, ok := r.Context().Value(tunnelKey{}).(*tunnel); {
	case ok:
		seen.Scheme, seen.Host = "https", r.Host
		if r.TLS == nil {
			seen.Scheme = "http"
		}
		if seen.Host == "" {
			seen.Host = t.host
		}
	case !seen.IsAbs():
		seen.Scheme, seen.Host, reverse = "http", r.Host, true
	}
	goes := seen
	if p.target != nil {
		goes = *p.target
		goes.Path, goes.RawPath = p.target.Path+seen.Path, ""
		if seen.RawPath != "" {
			goes.RawPath = p.target.EscapedPath() + seen.RawPath
		}
		goes.RawQuery = seen.RawQuery
	} else if reverse && p.player == nil {
		return nil, errors.New("there is no target for a request that names no host")
	}
	c := &call{method: r.Method, seen: &seen, goes: &goes, header: r.Header, body: body, host: goes.Host, base: origin(&goes)}
	if p.target != nil {
		c.base, c.prefix = p.target.String(), p.target.EscapedPath()
	}
	c.key = keyOf(c.method, &goes, canonical(body, r.Header.Get("Content-Type"), p.options.Varying), p.options.Varying)
	return c, nil
}

// keyOf returns a call's key; body is canonical.
func keyOf(method string, u *url.URL, body string, varying []string) string {
	key := method + " " + u.EscapedPath()
	if query := canonicalForm(u.RawQuery, varying); query != "" {
		key += "?" + query
	}
	return key + "\n" + body
}

// canonical returns a body in which what means the same is written the same way: the members of JSON and the parameters of forms in the order of
// their names, the boundary of parts always the same; with the mark in the place of credentials and of what varies.
func canonical(body []byte, contentType string, varying []string) string {
	kind, parameters, _ := mime.ParseMediaType(contentType) // of what is none, the body alone tells
	switch {
	case len(body) == 0:
		return ""
	case kind == "application/x-www-form-urlencoded":
		return canonicalForm(string(body), varying)
	case strings.HasPrefix(kind, "multipart/") && parameters["boundary"] != "":
		return strings.ReplaceAll(string(body), parameters["boundary"], "boundary")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil || decoder.More() {
		return string(body)
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(blanked(value, varying)) != nil {
		return string(body)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// blanked returns a JSON value with the mark in the place of credentials and of what varies.
func blanked(value any, varying []string) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = blanked(v[i], varying)
		}
	case map[string]any:
		for name, member := range v {
			switch member.(type) {
			case map[string]any, []any:
				v[name] = blanked(member, varying)
			case nil:
			default:
				if credential(name) || slices.Contains(varying, name) {
					v[name] = mark
				}
			}
		}
	}
	return value
}

// canonicalForm returns a query or a form, as canonical has it. What cannot be read stays as it is.
func canonicalForm(text string, varying []string) string {
	values, err := url.ParseQuery(text)
	if err != nil {
		return text
	}
	for name, all := range values {
		for i := range all {
			if credential(name) || slices.Contains(varying, name) {
				all[i] = mark
			}
		}
	}
	return strings.ReplaceAll(values.Encode(), url.QueryEscape(mark), mark)
}

// parameters returns what a call asks with, by name: its query and, where its body is a form or an object of JSON, what that has at the top.
func (c *call) parameters() map[string]string {
	all := map[string]string{}
	add := func(values url.Values) {
		for name, value := range values {
			all[name] = strings.Join(value, "\n")
		}
	}
	add(c.goes.Query())
	var object map[string]json.RawMessage
	if json.Unmarshal(c.body, &object) == nil {
		for name, value := range object {
			all[name] = string(value)
		}
	} else if form, err := url.ParseQuery(string(c.body)); err == nil {
		add(form)
	}
	return all
}
