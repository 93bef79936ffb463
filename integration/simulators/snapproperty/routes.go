package snapproperty

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// The paths of the package.
const (
	apex         = "/services/apexrest/"
	searchPath   = apex + "snap_brok/imovel/pesquisar"
	citiesPath   = apex + "snap_brok/imovel/cidades"
	contractPath = apex + "snap_brok/contrato/v1/"
	queryPath    = "/services/data/" + version + "/query/"
)

// refusal is an answer of Salesforce's own: an array of one error.
type refusal struct {
	status     int
	code, text string
}

func (r *refusal) Error() string { return r.text }

// fault is a refusal as it goes out.
type fault struct {
	Message string `json:"message"`
	Code    string `json:"errorCode"`
}

// ServeHTTP answers the services that the organisation has, and refuses all else in this order: the session, the limits, the path, the
// method, the form of the body.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.with.Odd {
		odd := &sim.Odd{Seed: s.with.Seed, Exact: exact()}
		defer odd.Send(w)
		w = odd
	}
	s.arrive()
	if r.URL.Path == tokenPath {
		s.token(w, r)
		return
	}
	if !s.admitted(r) {
		s.Error(w, http.StatusUnauthorized, "")
		return
	}
	used, refused := s.count()
	w.Header().Set("Sforce-Limit-Info", fmt.Sprintf("api-usage=%d/%d", used, s.with.Daily))
	if refused == nil {
		refused = s.route(w, r)
	}
	if refused != nil {
		refuse(w, refused)
	}
}

// exact returns the fields of rows that are never odd: what rows are told apart and filtered by, and what other streams are made of.
func exact() []string {
	return []string{
		"Id", "CreatedDate", "LastModifiedDate", "snap_brok__Fotos_de_im_vel__r", "nextRecordsUrl",
	}
}

// route finds the service for a request and lets it answer, unless it returns why not.
func (s *Simulator) route(w http.ResponseWriter, r *http.Request) *refusal {
	path := r.URL.Path
	method, contract := strings.CutPrefix(path, contractPath)
	if contract {
		_, contract = s.methods()[method]
	}
	rest, photos := strings.CutPrefix(path, queryPath)
	switch {
	case strings.HasPrefix(path, apex) && s.with.NoPackage, !contract && !photos && path != searchPath && path != citiesPath:
		return &refusal{http.StatusNotFound, "NOT_FOUND", "Could not find a match for URL"}
	case strings.HasPrefix(path, apex) && s.with.NoAccess:
		return &refusal{http.StatusForbidden, "FORBIDDEN", "You do not have access to the Apex class named: snap_brok.ImovelRest"}
	}
	allowed := http.MethodGet
	if contract || path == searchPath {
		allowed = http.MethodPost
	}
	if r.Method != allowed {
		w.Header().Set("Allow", allowed)
		return &refusal{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "HTTP Method '" + r.Method + "' not allowed. Allowed are " + allowed}
	}
	if allowed == http.MethodGet {
		if photos {
			return s.morePhotos(w, rest)
		}
		s.cities(w)
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return &refusal{http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "Content-Type header specified in HTTP request is not supported: " +
			r.Header.Get("Content-Type")}
	}
	body, refused := read(r)
	if refused != nil {
		return refused
	}
	if contract {
		return s.call(w, r, method, body)
	}
	return s.search(w, body)
}

// count counts a call, and refuses it where it is one too many.
func (s *Simulator) count() (used int, refused *refusal) {
	s.books.Lock()
	defer s.books.Unlock()
	now := s.with.Now()
	old := slices.IndexFunc(s.calls, func(t time.Time) bool { return now.Sub(t) < 24*time.Hour })
	if old < 0 {
		old = len(s.calls)
	}
	s.calls = s.calls[old:]
	if used = s.with.Used + len(s.calls); used >= s.with.Daily {
		return used, &refusal{http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."}
	}
	s.calls = append(s.calls, now)
	s.number++
	if s.with.BusyEvery > 0 && s.number%s.with.BusyEvery == 0 {
		return used + 1, busy()
	}
	return used + 1, nil
}

func unavailable() *refusal {
	return &refusal{http.StatusServiceUnavailable, "SERVER_UNAVAILABLE", "Server is too busy. Please try again later."}
}

func tooLong() *refusal {
	return &refusal{http.StatusBadRequest, "QUERY_TIMEOUT", "Your query request was running for too long."}
}

func busy() *refusal {
	return &refusal{http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."}
}

// read returns the whole body, which is UTF-8.
func read(r *http.Request) ([]byte, *refusal) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 6<<20))
	if err != nil {
		return nil, malformed("Unexpected end of the request's body")
	}
	if !utf8.Valid(body) {
		return nil, malformed("Invalid UTF-8")
	}
	return body, nil
}

func malformed(format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, "JSON_PARSER_ERROR", fmt.Sprintf(format, args...)}
}

// members returns those of a JSON object that has no others than the named ones, and none twice.
func members(body []byte, names ...string) (map[string]json.RawMessage, *refusal) {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, malformed("Unexpected token, expected an object at [line:1, column:1]")
	}
	found := map[string]json.RawMessage{}
	for d.More() {
		token, err := d.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, malformed("Unexpected character at [line:1, column:%d]", d.InputOffset())
		}
		if _, twice := found[name]; twice {
			return nil, malformed("Duplicate field: %s at [line:1, column:%d]", name, d.InputOffset())
		}
		if !slices.Contains(names, name) {
			return nil, malformed("Unexpected parameter encountered during deserialization: %s at [line:1, column:%d]", name, d.InputOffset())
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, malformed("Unexpected character at [line:1, column:%d]", d.InputOffset())
		}
		found[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, malformed("Unexpected end of input at [line:1, column:%d]", d.InputOffset())
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, malformed("Unexpected content after the object at [line:1, column:%d]", d.InputOffset())
	}
	return found, nil
}

// Error answers as Salesforce does. A quota that is used up may look otherwise, see Options.TooMany.
func (s *Simulator) Error(w http.ResponseWriter, status int, text string) {
	if status == http.StatusTooManyRequests {
		status = s.with.TooMany
	}
	e := &refusal{status, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 1234567-89"}
	switch status {
	case http.StatusBadRequest:
		e = malformed("Unexpected character at [line:1, column:1]")
	case http.StatusUnauthorized:
		e = &refusal{status, "INVALID_SESSION_ID", "Session expired or invalid"}
	case http.StatusForbidden, http.StatusTooManyRequests:
		e = busy()
		e.status = status
	case http.StatusServiceUnavailable:
		e = unavailable()
	}
	if text != "" {
		e.text = text
	}
	refuse(w, e)
}

func refuse(w http.ResponseWriter, e *refusal) {
	answer(w, e.status, []fault{{e.text, e.code}})
}

func answer(w http.ResponseWriter, status int, v any) {
	sim.Send(w, status, "application/json;charset=UTF-8", v)
}
