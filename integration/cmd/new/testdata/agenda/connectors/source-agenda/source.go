package main

import (
	"cmp"
	"time"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
	agenda "github.com/imob-data/airbyte-connectors/specs/source-agenda"
)

type config struct {
	APIKey    string    `json:"api_key"`
	Start     rest.Date `json:"start_date"`
	BaseURL   string    `json:"base_url"`
	PerMinute int       `json:"requests_per_minute"`
}

var source = rest.New(agenda.Files, func(c config) rest.API {
	brasilia, _ := time.LoadLocation("America/Sao_Paulo")
	changed := &rest.Cursor{
		Field: "changed", Zone: brasilia, Start: c.Start, Ask: rest.Since(httpclient.Query, "changed_after", "2006-01-02 15:04"),
	}
	return rest.API{
		Options: httpclient.Options{
			BaseURL: cmp.Or(c.BaseURL, "https://api.agenda.example"),
			Auth:    auth.Header("X-Api-Key", c.APIKey),
			Limit:   ratelimit.Every(time.Minute, cmp.Or(c.PerMinute, 120)),
		},
		Check: "visits",
		Streams: []rest.Stream{
			{
				Name: "visits", Path: "/v2/visits", Records: "visits", Key: []string{"id"}, Cursor: changed,
				Pages: pagination.Token{Param: "cursor", Path: "next"},
				Shape: []record.Edit{record.Flatten{}},
			},
			{
				Name: "notes", Path: "/v2/visits/{id}/notes", Records: "notes", Key: []string{"visit", "number"}, Cursor: changed,
				Parent: &rest.Parent{
					Of: "visits", In: httpclient.Path, Params: map[string]string{"id": "id"},
					Put:     map[string]string{"visit": "id", "changed": "changed"},
					Follows: true, Missing: true,
				},
			},
		},
	}
})
