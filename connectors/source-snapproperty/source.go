package main

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	"github.com/imob-data/airbyte-connectors/common/rest"
	"github.com/imob-data/airbyte-connectors/common/salesforce"
	snapproperty "github.com/imob-data/airbyte-connectors/specs/source-snapproperty"
)

type config struct {
	OrgURL      string                 `json:"org_url"`
	Credentials salesforce.Credentials `json:"credentials"`
	TokenURL    string                 `json:"token_url"`
	Filters     []string               `json:"filters"`
	PageSize    int                    `json:"page_size"`
	Start       rest.Date              `json:"start_date"`
	PerMinute   int                    `json:"requests_per_minute"`
}

const (
	// ceiling is the highest position from which Salesforce lists rows.
	ceiling = 2000

	photos = "snap_brok__Fotos_de_im_vel__r"

	cities = "/services/apexrest/snap_brok/imovel/cidades"

	narrow = " Narrow the filters down, and read the rest with further sources."
)

var source = rest.New(snapproperty.Files, func(c config) rest.API {
	var warnings []string
	c.Filters, warnings = spaced(c.Filters)
	brazil, _ := time.LoadLocation("America/Sao_Paulo") // the zone of a start_date without a time
	changed := &rest.Cursor{
		Field: "LastModifiedDate", Zone: brazil, Start: c.Start, Hidden: true,
		Ask: func(r httpclient.Request, from, _ time.Time) httpclient.Request {
			return when(r, "LastModifiedDate", ">=", from)
		},
	}
	var limit *ratelimit.Limiter
	if c.PerMinute > 0 {
		limit = ratelimit.Every(time.Minute, c.PerMinute)
	}
	return rest.API{
		Options: httpclient.Options{
			BaseURL: c.OrgURL, Setting: "org_url", Auth: c.Credentials.Signer("Bearer", c.TokenURL), Limit: limit, Judge: judge(len(c.Filters) > 0),
		},
		Notice:   salesforce.Usage,
		TooLarge: func(res *httpclient.Response) (int, bool) { return 0, tooMuch(res) },
		Warn:     warnings,
		Check:    "imoveis",
		Streams: []rest.Stream{
			{
				Name: "imoveis", Method: http.MethodPost, Path: "/services/apexrest/snap_brok/imovel/pesquisar",
				Body:    map[string]any{"Offset": 0, "Filtros": httpclient.List{}, "Ordenacao": "Id ASC"},
				Records: "Imoveis", Key: []string{"Id"}, Cursor: changed, Ways: c.ways(), Refused: refused,
				Partial: &rest.Partial{
					Member: photos, Rows: "records", Done: "done", Next: "nextRecordsUrl", Total: "totalSize",
					Of: "snap_brok__Imovel__c", Same: salesforce.SameID,
				},
			},
			{
				Name: "fotos", Key: []string{"Id"}, Cursor: changed,
				Explode: &rest.Explode{Of: "imoveis", Array: photos + ".records", Put: map[string]string{"snap_brok__Imovel__c": "Id"}},
			},
			{
				Name: "cidades", Path: cities, Records: "cidades", Key: []string{"Id"},
				Pages: pagination.Whole{Rows: "Total"},
			},
		},
	}
})

// ways returns the ways to list the properties: by Id, else by time ranges with no more properties than positions can reach, else by position alone.
// SOQL does not allow AND and OR on one level, so filters with an OR become one group. If the group is refused too, the filters are sent as they are,
// and no condition can be added to them.
func (c config) ways() []rest.Way {
	grouped, flat := filters(c.Filters)
	size := cmp.Or(c.PageSize, 200)
	positions := pagination.Offset{
		In: httpclient.Body, Param: "Offset", SizeParam: "RegistrosPagina", Size: size, Rows: "Total", Max: ceiling,
	}
	ways := []rest.Way{
		{Body: grouped, Pages: pagination.Keyset{
			In: httpclient.Body, Param: "Filtros.Id", Field: "Id", SizeParam: "RegistrosPagina", Size: size, Rows: "Total", Sorted: true,
			Format: func(id string) string { return "AND Id > " + salesforce.Text(id) },
		}},
		{Body: grouped, Beyond: "More than it lists were created within one second." + narrow, Pages: pagination.Stretches{
			Offset: positions, Oldest: time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC),
			Ask: func(r httpclient.Request, from, until time.Time) httpclient.Request {
				return when(when(r, "CreatedDate", ">=", from), "CreatedDate", "<", until)
			},
		}},
		{Body: grouped, Beyond: "This organisation takes no condition with which to go on from there." + narrow, Pages: positions},
	}
	if flat == nil {
		return ways
	}
	return append(ways, rest.Way{
		Body: flat, Beyond: "This organisation takes no parentheses around filters with an OR, and so no condition with which to go on from there." +
			narrow, Pages: positions,
		Warn: "the organisation takes no parentheses, so the filters with an OR are sent as they are: see that only what they mean comes",
	})
}

// when returns r with a condition on a time. If at is zero, the condition is left out.
func when(r httpclient.Request, field, comparison string, at time.Time) httpclient.Request {
	var condition any
	if !at.IsZero() {
		condition = fmt.Sprintf("AND %s %s %s", field, comparison, at.UTC().Format(time.RFC3339))
	}
	return r.With(httpclient.Body, "Filtros."+field+comparison, condition)
}

var (
	quoted   = regexp.MustCompile(`'(?:[^'\\]|\\.)*'`)
	operator = regexp.MustCompile(`^(?i)(AND|OR)\s+`)
)

// spaced returns conditions with a space in place of each no-break space, which comes from copying from a web page. It warns if one was inside
// quotes, where it is part of the text to search for.
func spaced(conditions []string) (plain, warnings []string) {
	const noBreak = "\u00A0\u2007\u202F"
	space := func(r rune) rune {
		if strings.ContainsRune(noBreak, r) {
			return ' '
		}
		return r
	}
	for _, condition := range conditions {
		if len(warnings) == 0 && strings.ContainsAny(strings.Join(quoted.FindAllString(condition, -1), ""), noBreak) {
			warnings = append(warnings, "A filter has a no-break space inside quotes, with which it would match nothing; it is sent as a space.")
		}
		plain = append(plain, strings.Map(space, condition))
	}
	return plain, warnings
}

// filters returns the configured conditions as members of the body. AND binds more tightly than OR. If there is an OR, grouped has all conditions in
// one group, and flat has them one by one. Otherwise flat is nil.
func filters(conditions []string) (grouped, flat map[string]any) {
	grouped, flat = map[string]any{}, map[string]any{}
	var alternatives [][]string
	for i, condition := range conditions {
		condition = strings.TrimSpace(condition)
		word := operator.FindString(condition)
		condition = strings.TrimPrefix(condition, word)
		word = cmp.Or(strings.ToUpper(strings.TrimSpace(word)), "AND")
		member := fmt.Sprintf("Filtros.%04d", i)
		grouped[member], flat[member] = "AND "+condition, word+" "+condition
		if i == 0 || word == "OR" {
			alternatives = append(alternatives, nil)
		}
		last := len(alternatives) - 1
		alternatives[last] = append(alternatives[last], condition)
	}
	if len(alternatives) < 2 {
		return grouped, nil
	}
	var group []string
	for _, all := range alternatives {
		text := strings.Join(all, " AND ")
		if len(all) > 1 {
			text = "(" + text + ")"
		}
		group = append(group, text)
	}
	return map[string]any{"Filtros.0000": "AND (" + strings.Join(group, " OR ") + ")"}, flat
}

// failure returns the error that the search reports, in its own form or in Salesforce's, or "". The status of its own form is not documented.
func failure(res *httpclient.Response) string {
	if res.Body.Get("Erro").True() {
		return cmp.Or(res.Body.Get("Mensagem").Text(), "SnapProperty gave no reason")
	}
	code, message := salesforce.Error(res)
	switch {
	case code == "MALFORMED_QUERY", code == "INVALID_FIELD", strings.Contains(message, "QueryException"):
		return message
	}
	return ""
}

// refused reports whether SnapProperty refused a search because of its contents.
func refused(res *httpclient.Response) bool {
	text := failure(res)
	return text != "" && !tooMuch(res) && !salesforce.Passes(text)
}

// tooMuch reports whether a page exceeds the organisation's limits of memory or time.
func tooMuch(res *httpclient.Response) bool {
	return salesforce.TooMuch(salesforce.Words(res) + failure(res))
}

// judge interprets SnapProperty's answers. Without filters from the user, an error after a good answer comes from the server and may pass.
func judge(filtered bool) httpclient.Judge {
	return func(res *httpclient.Response) httpclient.Verdict {
		text := failure(res)
		refusal := fmt.Sprintf("SnapProperty refused the request: %s.", strings.TrimSuffix(res.Excerpt(text), "."))
		switch filters := filtered && res.Path != cities; {
		case tooMuch(res):
			return httpclient.Fail(fault.Transientf("A single property is too much for the organisation's limits of memory or time. " +
				"Trying again later may help; if not, SnapProperty's support can."))
		case salesforce.Passes(text):
			return salesforce.Passing(res, text)
		case text != "" && filters:
			return httpclient.Fail(fault.Configf("%s Check the filters in the configuration.", refusal))
		case text != "" && res.Answered:
			return httpclient.Fail(fault.Transientf("%s Trying again later may help; if not, SnapProperty's support can.", refusal))
		case text != "":
			return httpclient.Fail(fault.Configf("%s SnapProperty's support can say why.", refusal))
		}
		return salesforce.Judge(res)
	}
}
