package main

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// The filter for the stage of the works, by its code, is called stageFilter in document 1.0.1 and rawStageFilter in 1.0.2, where stageFilter
// takes labels instead.
const (
	stageFilter    = "construction_stage"
	rawStageFilter = "construction_stage_raw"
)

// filters are the configured ones, by DWV's names for them.
type filters map[string]string

// filterNames returns the filters that there are.
func filterNames() []string {
	return []string{
		"search", "address", "city", "state", "bedrooms", "unit_suites", "unit_parking_spaces", "property_condition", "types", "status",
		stageFilter, rawStageFilter, "incorporation", "rent",
	}
}

// UnmarshalJSON refuses a filter that does not exist: without it, everything would be read. Names that begin with "_" are notes. The
// specification cannot refuse it, since the platform wants a specification to allow further members.
func (f *filters) UnmarshalJSON(data []byte) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return err
	}
	names := filterNames()
	*f = filters{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if strings.HasPrefix(name, "_") {
			continue
		}
		if !slices.Contains(names, name) {
			return fault.Configf(`"filters" has %s, which is no filter of DWV; the filters are %s.`, shown(name), strings.Join(names, ", "))
		}
		var value string
		if err := json.Unmarshal(given[name], &value); err != nil {
			return fault.Configf(`"filters.%s" must be text.`, name) // unreachable: the specification says so
		}
		(*f)[name] = value
	}
	return nil
}

// shown returns a name that somebody made up, as a message may show it: what is too long for a name may be something else.
func shown(name string) string {
	const longest = 40
	if len(name) > longest {
		return "a member with a very long name"
	}
	return strconv.Quote(name)
}

// query returns q with the filters.
func (f filters) query(q url.Values) url.Values {
	for name, value := range f {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}
