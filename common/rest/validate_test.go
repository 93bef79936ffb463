package rest_test

import (
	"net/http"
	"strings"
	"testing"

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
