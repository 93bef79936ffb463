package rest

import (
	"time"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// Sets returns a set of parameters, for Stream.Each, for each value of one.
func Sets(param string, values ...string) (all []map[string]any) {
	for _, value := range values {
		all = append(all, map[string]any{param: value})
	}
	return all
}

// Same returns members, for a Put, that have the names of what they come from.
func Same(fields ...string) map[string]string {
	put := map[string]string{}
	for _, field := range fields {
		put[field] = field
	}
	return put
}

// Days asks, for Windows, with two parameters, each in layout: the first day and the last one. Whether the API includes them does not matter.
func Days(in httpclient.In, from, to, layout string) func(r httpclient.Request, first, last time.Time) httpclient.Request {
	return Between(in, from, to, layout)
}

// Or returns what a configuration says, or else what holds where it says nothing.
func Or[T any](said *T, otherwise T) T {
	if said == nil {
		return otherwise
	}
	return *said
}

// Some is Or for a list, which says nothing where it is empty, as a form leaves it.
func Some[T any](said []T, otherwise ...T) []T {
	if len(said) == 0 {
		return otherwise
	}
	return said
}
