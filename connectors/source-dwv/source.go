package main

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	"github.com/imob-data/airbyte-connectors/common/rest"
	dwv "github.com/imob-data/airbyte-connectors/specs/source-dwv"
)

type config struct {
	Token      string    `json:"token"`
	AuthMethod string    `json:"auth_method"`
	Start      rest.Date `json:"start_date"`
	BaseURL    string    `json:"base_url"`
	PerMinute  int       `json:"requests_per_minute"`
	Filters    filters   `json:"filters"`
	Fields     chosen    `json:"fields"`
}

var source = rest.New(dwv.Files, func(c config) rest.API {
	// The documentation shows times without a zone. The vendor and its customers are in Brazil.
	brazil, _ := time.LoadLocation("America/Sao_Paulo")
	changed := &rest.Cursor{
		Field: "last_updated_at", Zone: brazil, Start: c.Start,
		Ask: rest.DayRange(httpclient.Query, "last_updates", time.DateOnly, ","), Lookback: 48 * time.Hour,
		Snapshot: true, // it is unknown whether selecting a property moves its time; an agency has only a few hundred
	}
	return rest.API{
		Options: httpclient.Options{
			BaseURL: cmp.Or(c.BaseURL, "https://agencies.dwvapp.com.br"),
			Auth:    newDialect(c.auth()),
			Limit:   ratelimit.Every(time.Minute, cmp.Or(c.PerMinute, 100)),
			Judge:   c.Fields.judge,
		},
		Gone:    c.Fields.gone,
		Records: "data",
		Check:   "properties",
		Pages: pagination.Number{
			Param: "page", Start: 1, SizeParam: "limit", Size: 100, Last: "lastPage", Echo: "page", Rows: "total",
		},
		Streams: []rest.Stream{
			{
				Name: "properties", Path: "/integration/properties", Key: []string{"id"},
				Query:  c.Fields.query(c.Filters.query(url.Values{"deleted": {"false"}})),
				Cursor: changed, Removed: url.Values{"deleted": {"true"}},
				Without: c.Fields.left(), Choice: c.Fields.choice(),
			},
			{
				// In document 1.0.1 the answer is the property itself. In 1.0.2 the property is under data.
				Name: "property_details", Path: "/integration/properties/{id}", Records: "data,", Key: []string{"id"},
				Parent: &rest.Parent{
					Of: "properties", Follows: true, Detail: true, In: httpclient.Path, Params: map[string]string{"id": "id"},
				},
				Cursor: changed, Pages: pagination.Single{},
			},
			{
				Name: "property_conditions", Path: "/integration/properties/conditions", Key: []string{"tag"},
				Pages: pagination.Single{},
			},
			{Name: "property_types", Path: "/integration/properties/types", Key: []string{"tag"}, Pages: pagination.Single{}},
			{Name: "cities", Path: "/integration/properties/cities", Key: []string{"uf"}},
			{
				// Document 1.0.1 does not have this route. It takes the path for that of a property whose id is not a number.
				Name: "available_fields", Path: "/integration/properties/avaliable_fields", Value: "name", Key: []string{"name"},
				Pages: pagination.Single{}, Optional: true, Absent: noRoute,
			},
		},
	}
})

// auth returns the credentials in the form that the host wants: a bearer token in document 1.0.1, a header of its own in 1.0.2.
func (c config) auth() httpclient.Signer {
	header, bearer := auth.Header("token", c.Token), auth.Bearer(c.Token)
	switch c.AuthMethod {
	case "token":
		return header
	case "bearer":
		return bearer
	default:
		return auth.All(header, bearer)
	}
}

// noRoute reports whether DWV does not know a route of document 1.0.2.
func noRoute(r *httpclient.Response) bool {
	return r.Status == http.StatusBadRequest || r.Status == http.StatusNotFound
}
