package main

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	"github.com/imob-data/airbyte-connectors/common/rest"
	dwv "github.com/imob-data/airbyte-connectors/specs/source-dwv"
)

type config struct {
	Token      string            `json:"token"`
	AuthMethod string            `json:"auth_method"`
	Start      rest.Date         `json:"start_date"`
	BaseURL    string            `json:"base_url"`
	PerMinute  int               `json:"requests_per_minute"`
	Filters    map[string]string `json:"filters"`
}

var source = rest.New(dwv.Files, func(c config) rest.API {
	// The documentation gives times without a zone; the vendor and its customers are in Brazil.
	brazil, _ := time.LoadLocation("America/Sao_Paulo")
	changed := &rest.Cursor{
		Field: "last_updated_at", Zone: brazil, Start: c.Start,
		Ask: rest.DayRange(httpclient.Query, "last_updates", time.DateOnly, ","), Lookback: 48 * time.Hour,
	}
	return rest.API{
		Options: httpclient.Options{
			BaseURL: cmp.Or(c.BaseURL, "https://agencies.dwvapp.com.br"),
			Auth:    c.auth(),
			Limit:   ratelimit.Every(time.Minute, cmp.Or(c.PerMinute, 100)),
		},
		Records: "data",
		Check:   "properties",
		Pages: pagination.Number{
			Param: "page", Start: 1, SizeParam: "limit", Size: 100, Last: "lastPage", Echo: "page", Rows: "total",
		},
		Streams: []rest.Stream{
			{
				Name: "properties", Path: "/integration/properties", Key: []string{"id"},
				Query:  c.query(url.Values{"deleted": {"false"}}),
				Cursor: changed, Removed: &rest.Removed{Query: url.Values{"deleted": {"true"}}},
			},
			{
				Name: "property_details", Path: "/integration/properties/{id}", Key: []string{"id"},
				Parent: &rest.Parent{
					Of: "properties", Follows: true, Missing: true, In: httpclient.Path, Params: map[string]string{"id": "id"},
				},
				Cursor: changed, Pages: pagination.Single{},
			},
			{
				Name: "property_conditions", Path: "/integration/properties/conditions", Key: []string{"tag"},
				Pages: pagination.Single{},
			},
			{Name: "property_types", Path: "/integration/properties/types", Key: []string{"tag"}, Pages: pagination.Single{}},
			{Name: "cities", Path: "/integration/properties/cities", Key: []string{"uf"}},
		},
	}
})

// auth is the credentials as the host wants them: document 1.0.1 has a bearer token, 1.0.2 a header of its own.
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

// query is q with the configured filters. The codes of stages, which every spelling stands for, go to construction_stage in document 1.0.1, and to
// construction_stage_raw in 1.0.2, which every host speaks but those that only 1.0.1 names.
func (c config) query(q url.Values) url.Values {
	filters := []string{
		"search", "address", "city", "state", "bedrooms", "unit_suites", "unit_parking_spaces", "property_condition", "types", "status",
		"construction_stage", "construction_stage_raw", "incorporation", "rent",
	}
	stages := map[string]string{
		"pre-market": "pre-market", "under construction": "under construction", "new": "new", "used": "used",
		"under_construction": "under construction",                                                                      // as the records of 1.0.1 have it
		"Pré-lançamento":     "pre-market", "Em construção": "under construction", "Lançamento": "new", "Usado": "used", // labels of 1.0.2
	}
	host, _ := url.Parse(c.BaseURL)
	first := host != nil && slices.Contains([]string{"dwvapp.com.br", "sandbox.dwvapp.com.br"}, host.Hostname())
	for _, name := range filters {
		value := c.Filters[name]
		if stage := stages[value]; name == "construction_stage" && stage != "" {
			value = stage
			if !first {
				name = "construction_stage_raw"
			}
		}
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}
