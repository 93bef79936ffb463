package rest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

func TestDescriptionsThatContradictThemselves(t *testing.T) {
	a := serve(t, func(*http.Request) (int, string) { return 200, `[]` })
	child := &rest.Parent{Of: "things"}
	for want, more := range map[string][]rest.Stream{
		`describes the stream "things" twice`:                        {{Name: "things"}},
		`"both" has both a Parent and an Explode`:                    {{Name: "both", Parent: child, Explode: &rest.Explode{Of: "things"}}},
		`"lost" is made from "none", which the connector does not`:   {{Name: "lost", Explode: &rest.Explode{Of: "none"}}},
		`"leaf" is made from "twig", which has no listing`:           {{Name: "twig", Parent: child}, {Name: "leaf", Parent: &rest.Parent{Of: "twig"}}},
		`"sets" has sets of parameters, which only a listing of its`: {{Name: "sets", Parent: child, Each: []map[string]any{{"a": 1}}}},
	} {
		source := a.source(func(d rest.API) rest.API {
			d = listed(d)
			d.Streams = append(d.Streams, more...)
			return d
		})
		if _, err := source.Discover(t.Context(), []byte(`{}`)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestADateThatDoesNotExist checks that a date that does not exist is reported like every other invalid field, by name and without its value.
func TestADateThatDoesNotExist(t *testing.T) {
	for value, good := range map[string]bool{
		`""`: true, `"2024-02-29"`: true, `"2024-02-29T10:00:00-03:00"`: true, `"2023-02-29"`: false, `"2023-02-29T00:00:00Z"`: false, `20230228`: false,
	} {
		var config struct {
			Start rest.Date `json:"start_date"`
		}
		err := json.Unmarshal([]byte(`{"start_date":`+value+`}`), &config)
		if good != (err == nil) {
			t.Errorf("%s: %v", value, err)
		}
		const want = `The configuration needs mending: "start_date" must be a date that exists, such as `
		if err != nil && (!strings.HasPrefix(fault.Of(err).Message, want) || fault.Of(err).Kind != fault.Config) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// TestAStartDateInTheFuture checks that a start date in the future is reported, because hardly anything comes until then, and that a past one is not.
func TestAStartDateInTheFuture(t *testing.T) {
	for days, warned := range map[int]bool{-1: false, 2: true} {
		a := serve(t, func(r *http.Request) (int, string) { return paged(r, things(3)) })
		source := a.source(func(d rest.API) rest.API {
			d = dated(d)
			d.Streams[0].Cursor.Start = rest.Date(time.Now().AddDate(0, 0, days).Format(time.DateOnly))
			return d
		})
		o := read(t.Context(), t, source, nil, "things+")
		if o.err != nil || warned != (len(o.warnings) == 1 && strings.HasPrefix(o.warnings[0], "start_date is in the future")) {
			t.Errorf("%d days from now: %v, %v", days, o.err, o.warnings)
		}
	}
}
