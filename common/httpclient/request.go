package httpclient

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// In is the part of a request that a parameter goes into.
type In uint8

// The parts that a parameter can go into.
const (
	Query In = iota
	Body     // a top-level member of the JSON (or form) body; a dotted key goes into nested objects and Lists
	Header
	Path // replaces {key} in the path, escaped
)

// Request is one call of the API, before credentials and encoding. It is a value: With returns a copy.
type Request struct {
	Method   string // "" is GET
	Path     string // relative to BaseURL, or an absolute URL on the same host; may have a query, to which Query is added
	Header   http.Header
	Query    url.Values
	Body     map[string]any        // nil is no body
	Form     bool                  // the body is sent as application/x-www-form-urlencoded instead of JSON
	Once     bool                  // not repeatable: retried only if the method provably did not run; see ErrUnknownOutcome
	Unsigned bool                  // sent without credentials (a login), and so never renewed; its answer may hold some, and is never quoted raw
	Session  Session               // the session of a Leaser in which to send the request; nil: one that is leased for this request alone
	Bound    bool                  // continues what the server keeps with the session of a Leaser: not sent again in another session
	Place    string                // position in a listing, for the code that pages it; not sent
	Share    *Share                // what the answer takes of a Budget, given back if there is no good answer; nil: the answer is not counted
	First    Judge                 // called before Options.Judge; may be nil
	Judge    Judge                 // called after Options.Judge; may be nil
	Waiting  func(until time.Time) // called before a wait of a second or more for a quota; may be nil
	// Admitted is a turn from Options.Limit for the first attempt, which then waits for none of its own; nil: it waits like any other. If the Signer
	// sends a request first (SignerCall), that takes this turn: if it waited for another, it might wait for requests that wait for it.
	Admitted func()
	turn     *turn // Admitted, which is used once; nil: there is none
}

// With returns a copy of r with the parameter set; r is unchanged. In a query, a header or a path, numbers are written in full and other values as
// fmt formats them. nil removes a query parameter or a header. A []string is a repeated query parameter. In a body the value is stored unchanged. If
// something on the way of a dotted key is neither a map[string]any nor a List, it is replaced.
func (r Request) With(in In, key string, value any) Request {
	switch in {
	case Query:
		r.Query = cloneValues(r.Query)
		switch value := value.(type) {
		case nil:
			r.Query.Del(key)
		case []string:
			r.Query[key] = slices.Clone(value)
		default:
			r.Query.Set(key, text(value))
		}
	case Body:
		r.Body = put(r.Body, strings.Split(key, "."), value)
	case Header:
		r.Header = http.Header(cloneValues(url.Values(r.Header)))
		if value == nil {
			r.Header.Del(key)
		} else {
			r.Header.Set(key, text(value))
		}
	case Path:
		r.Path = strings.ReplaceAll(r.Path, "{"+key+"}", url.PathEscape(text(value)))
	}
	return r
}

// SignerCall returns call as a request that a Signer sends before it can sign r: it is Unsigned, calls r.Waiting while it waits, and takes the turn
// in the quota that r was given.
func (r *Request) SignerCall(call Request) Request {
	call.Unsigned, call.Waiting, call.turn = true, r.Waiting, r.turn
	return call
}

// Fingerprint returns a text that is equal for two requests that ask for the same. It holds no secret: it is taken before signing, and it is a hash,
// in case a link in an answer had one.
func (r Request) Fingerprint() string {
	h := sha256.New()
	body, err := json.Marshal(r.Body)
	if err != nil {
		body = fmt.Appendf(nil, "%v", r.Body)
	}
	fmt.Fprintf(h, "%s\n%s\n%s\n%s\n%s", r.method(), r.Path, r.Query.Encode(), url.Values(r.Header).Encode(), body)
	return base64.RawStdEncoding.EncodeToString(h.Sum(nil))
}

func (r Request) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

// clone returns r with maps of its own. Only Body may be nil.
func (r Request) clone() Request {
	r.Query = cloneValues(r.Query)
	r.Header = http.Header(cloneValues(url.Values(r.Header)))
	r.Body = cloneBody(r.Body)
	return r
}

// cloneValues returns a copy of v that is never nil.
func cloneValues(v url.Values) url.Values {
	if v == nil {
		return url.Values{}
	}
	return url.Values(http.Header(v).Clone())
}

func cloneBody(body map[string]any) map[string]any {
	body = maps.Clone(body)
	for key, value := range body {
		if object, ok := value.(map[string]any); ok {
			body[key] = cloneBody(object)
		}
	}
	return body
}

// put returns a copy of body with value at keys. Other members are shared.
func put(body map[string]any, keys []string, value any) map[string]any {
	body = maps.Clone(body)
	if body == nil {
		body = map[string]any{}
	}
	if len(keys) > 1 {
		switch inner := body[keys[0]].(type) {
		case List:
			value = List(put(inner, keys[1:], value))
		case map[string]any:
			value = put(inner, keys[1:], value)
		default:
			value = put(nil, keys[1:], value)
		}
	}
	body[keys[0]] = value
	return body
}

// List is a member of a body that is sent as a list. The names of its elements give their order, and let With set one element and leave the others. A
// nil element is left out.
type List map[string]any

// MarshalJSON returns the elements as a list, ordered by name.
func (l List) MarshalJSON() ([]byte, error) {
	elements := make([]any, 0, len(l))
	for _, name := range slices.Sorted(maps.Keys(l)) {
		if l[name] != nil {
			elements = append(elements, l[name])
		}
	}
	return marshal(elements)
}

// text returns the value of a parameter as it is written outside of JSON.
func text(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case interface{ Text() string }: // a value from a record
		return value.Text()
	default:
		return fmt.Sprint(value)
	}
}

// target returns the URL to which r is sent. It always has base's scheme and host: neither a link nor a path leads to another host.
func (r Request) target(base *url.URL) (*url.URL, error) {
	path := r.Path
	if !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "http://") && !strings.HasPrefix(path, "https://") {
		path = "/" + path
	}
	u, err := url.Parse(path)
	if err != nil {
		return nil, fault.Systemf("The connector made a request whose path cannot be read.")
	}
	if u.Host != "" && !sameHost(u, base) {
		return nil, fault.Systemf("The API's answer leads to another host, %s, which is not asked.", u.Host)
	}
	query := u.RawQuery // unchanged if nothing is added: it may be the server's own encoding
	if len(r.Query) > 0 {
		merged := u.Query()
		maps.Copy(merged, r.Query)
		query = merged.Encode()
	}
	return &url.URL{Scheme: base.Scheme, Host: base.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: query}, nil
}

// sameHost reports whether two URLs have the same host and port, not counting http and https as different.
func sameHost(a, b *url.URL) bool {
	return strings.EqualFold(a.Hostname(), b.Hostname()) && (port(a) == port(b) || port(a) == "" && port(b) == "")
}

// port returns u's port, or "" for the default port of the scheme.
func port(u *url.URL) string {
	p := u.Port()
	if u.Scheme == "http" && p == "80" || u.Scheme == "https" && p == "443" {
		return ""
	}
	return p
}

// encode returns the body as it is sent, and its content type; a nil body means none.
func (r Request) encode() (body []byte, contentType string, err error) {
	switch {
	case r.Body == nil:
		return nil, "", nil
	case r.Form:
		form := url.Values{}
		for key, value := range r.Body {
			if values, ok := value.([]string); ok {
				form[key] = values
			} else {
				form.Set(key, text(value))
			}
		}
		return []byte(form.Encode()), "application/x-www-form-urlencoded", nil
	}
	body, err = marshal(r.Body)
	if err != nil {
		return nil, "", fault.Systemf("The connector made a request whose body cannot be written as JSON: %w", err)
	}
	return body, "application/json", nil
}

// marshal encodes value as json.Marshal does, without escapes for HTML.
func marshal(value any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
