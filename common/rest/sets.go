package rest

import (
	"crypto/sha256"
	"fmt"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// Sets is a set of parameters, for Stream.Each, for each value of one.
func Sets(param string, values ...string) (all []map[string]any) {
	for _, value := range values {
		all = append(all, map[string]any{param: value})
	}
	return all
}

// Same is members, for a Put, that have the names of what they come from.
func Same(fields ...string) map[string]string {
	put := map[string]string{}
	for _, field := range fields {
		put[field] = field
	}
	return put
}

// Whole is a Stream.Map that makes a row the one column with that name, for rows whose fields are not documented. The column key has the SHA-256
// of its bytes, by which alone it is known.
func Whole(column, key string) func(record.Record) (record.Record, error) {
	return func(row record.Record) (record.Record, error) {
		sum := fmt.Appendf(nil, `"%x"`, sha256.Sum256(row))
		return With(record.Record("{}"), record.Member{Name: column, Value: row}, record.Member{Name: key, Value: sum}), nil
	}
}

// With is row with members in the place of those of its own, for a Stream.Map.
func With(row record.Record, members ...record.Member) record.Record {
	var unshaped *record.Shape
	return unshaped.Append(nil, row, members...)
}

// Or is what a configuration says, or else what holds where it says nothing.
func Or[T any](said *T, otherwise T) T {
	if said == nil {
		return otherwise
	}
	return *said
}
