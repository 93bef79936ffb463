package rest

import (
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/spec"
)

// columns is the types into which the stream's rows are brought. cmd/bench replaces this file by one without types, to measure what they cost.
func (s *Stream) columns(schemas *spec.Spec) ([]record.Edit, error) {
	schema, _ := schemas.Schema(s.Name)
	return spec.Columns(schema, s.Key...)
}
