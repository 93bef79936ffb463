package rest

import (
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/spec"
)

// columns returns the types of the stream's columns. cmd/bench replaces this file by one without types, to measure their cost.
func (s *Stream) columns(schemas *spec.Spec) ([]record.Edit, error) {
	schema, _ := schemas.Schema(s.Name)
	return spec.Columns(schema, s.Key...)
}
