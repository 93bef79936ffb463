package pagination

import (
	"net/http"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// follow returns r with its path and query replaced by address, which holds both. It returns false if address is empty.
func follow(r httpclient.Request, address string) (httpclient.Request, bool) {
	r.Path, r.Query = address, nil
	return r, address != ""
}

// nextLink returns the target of the first rel="next" among h's Link headers, or "".
func nextLink(h http.Header) string {
	for _, value := range h.Values("Link") {
		for link := range strings.SplitSeq(value, "<") {
			if target, params, ok := strings.Cut(link, ">"); ok && isNext(strings.TrimRight(params, ", ")) {
				return target
			}
		}
	}
	return ""
}

// isNext reports whether the parameters of a link, such as `; rel="next"; title="x"`, have the relation next.
func isNext(params string) bool {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for rel := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(rel, "next") {
				return true
			}
		}
	}
	return false
}
