// Package protocol implements the Airbyte protocol: its messages, their one writer, and a reader.
//
// A source sends its messages through an [Emitter], which keeps them whole, in order, counted and free of secrets. A destination, or a test, reads
// messages with [Read].
//
// The rules come from airbyte_protocol.yaml (release 0.18) of github.com/airbytehq/airbyte-protocol and, if the platform is stricter, from
// github.com/airbytehq/airbyte-platform.
package protocol

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// Type is the type of a message.
type Type string

// The types of messages. Of a message's fields, only the one for its type is set.
const (
	TypeRecord             Type = "RECORD"
	TypeState              Type = "STATE"
	TypeLog                Type = "LOG"
	TypeSpec               Type = "SPEC"
	TypeConnectionStatus   Type = "CONNECTION_STATUS"
	TypeCatalog            Type = "CATALOG"
	TypeTrace              Type = "TRACE"
	TypeControl            Type = "CONTROL"
	TypeDestinationCatalog Type = "DESTINATION_CATALOG"
)

// Message is one message as it was read. Type and Raw are always set, and otherwise only the field for Type. A message of a type without a field,
// known or not, has only its Raw.
type Message struct {
	Type Type
	Raw  json.RawMessage // the line, without its line end

	Record           *RecordMessage
	State            *State
	Log              *Log
	Spec             json.RawMessage // a ConnectorSpecification
	ConnectionStatus *ConnectionStatus
	Catalog          *Catalog
	Trace            *Trace
	Control          *Control
}

// RecordMessage is one record of a stream.
type RecordMessage struct {
	Descriptor
	Data      record.Record // a JSON object
	EmittedAt int64         // milliseconds since 1970; 0 if missing
	Changes   []Change      // what was changed in the data on its way
}

// Change says that a field of a record is not as it was in the source.
type Change struct {
	Field  string `json:"field"`
	Change string `json:"change"` // NULLED or TRUNCATED
}

// StateType is the scope of a state.
type StateType string

// The types of states. A state without a type is a legacy state.
const (
	StateStream StateType = "STREAM"
	StateGlobal StateType = "GLOBAL"
	StateLegacy StateType = "LEGACY"
)

// State is a state as it was read.
type State struct {
	Type             StateType
	Descriptor       Descriptor      // the stream, if Type is StateStream
	Blob             json.RawMessage // the stream's own state, if Type is StateStream; only the source knows its contents
	SourceStats      *StateStats
	DestinationStats *StateStats
	Raw              json.RawMessage // the whole object, including keys such as id that are not part of the protocol
}

// StateStats counts the records since the previous state.
type StateStats struct {
	RecordCount         Count `json:"recordCount"`
	RejectedRecordCount Count `json:"rejectedRecordCount,omitzero"`
}

// Count is a number of records in a state's statistics. The protocol wants such whole numbers to have a decimal point.
type Count int64

// MarshalJSON returns the count with a decimal point.
func (c Count) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%d.0", int64(c)), nil }

// UnmarshalJSON accepts any JSON number and drops its fraction. null is 0; PyAirbyte sends it for a missing count.
func (c *Count) UnmarshalJSON(data []byte) error {
	n, err := whole(data)
	*c = Count(n)
	return err
}

// Whole is a whole number in any JSON form: 1700000000000, 1.7e12 and 1.7e+12 are the same.
type Whole int64

// UnmarshalJSON accepts any JSON number and drops its fraction. null is 0.
func (w *Whole) UnmarshalJSON(data []byte) error {
	n, err := whole(data)
	*w = Whole(n)
	return err
}

func whole(data []byte) (int64, error) {
	if string(data) == "null" {
		return 0, nil
	}
	f, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return 0, fmt.Errorf("reading a whole number: %w", err)
	}
	return int64(f), nil
}

// Log is a line of the log.
type Log struct {
	Level      string `json:"level"` // FATAL, ERROR, WARN, INFO, DEBUG or TRACE
	Message    string `json:"message"`
	StackTrace string `json:"stack_trace,omitempty"`
}

// ConnectionStatus is the answer to check.
type ConnectionStatus struct {
	Status  string `json:"status"` // SUCCEEDED or FAILED
	Message string `json:"message,omitempty"`
}

// TraceType is the subject of a trace.
type TraceType string

// The types of traces.
const (
	TraceError        TraceType = "ERROR"
	TraceEstimate     TraceType = "ESTIMATE"
	TraceStreamStatus TraceType = "STREAM_STATUS"
	TraceAnalytics    TraceType = "ANALYTICS"
)

// Trace is a message about a connector's run. Only the field for Type is set.
type Trace struct {
	Type         TraceType     `json:"type"`
	EmittedAt    float64       `json:"emitted_at"` // milliseconds since 1970; the protocol allows fractions
	Error        *ErrorTrace   `json:"error,omitempty"`
	Estimate     *Estimate     `json:"estimate,omitempty"`
	StreamStatus *StreamStatus `json:"stream_status,omitempty"`
}

// ErrorTrace is a failure.
type ErrorTrace struct {
	Message          string      `json:"message"` // for the user
	InternalMessage  string      `json:"internal_message,omitempty"`
	StackTrace       string      `json:"stack_trace,omitempty"`
	FailureType      string      `json:"failure_type,omitempty"` // as returned by fault.Kind's String
	StreamDescriptor *Descriptor `json:"stream_descriptor,omitempty"`
}

// Estimate is the expected number of rows of a stream in this run.
type Estimate struct {
	Name        string `json:"name"`
	Namespace   string `json:"namespace,omitempty"`
	Type        string `json:"type"` // STREAM or SYNC
	RowEstimate Whole  `json:"row_estimate,omitempty"`
}

// Status is a stream's status.
type Status string

// The statuses, in the order in which a stream has them.
const (
	Started    Status = "STARTED"
	Running    Status = "RUNNING"
	Complete   Status = "COMPLETE"
	Incomplete Status = "INCOMPLETE"
)

// StreamStatus is a change of a stream's status.
type StreamStatus struct {
	StreamDescriptor Descriptor `json:"stream_descriptor"`
	Status           Status     `json:"status"`
	Reasons          []Reason   `json:"reasons,omitempty"`
}

// Reason says why a running stream does not advance. The only type is RATE_LIMITED.
type Reason struct {
	Type        string       `json:"type"`
	RateLimited *RateLimited `json:"rate_limited,omitempty"`
}

// RateLimited says until when a stream waits for a quota.
type RateLimited struct {
	QuotaReset Whole `json:"quota_reset,omitempty"` // milliseconds since 1970; 0 if unknown
}

// Control asks the platform to replace the connector's stored configuration.
type Control struct {
	Type            string         `json:"type"` // CONNECTOR_CONFIG
	EmittedAt       float64        `json:"emitted_at"`
	ConnectorConfig *ControlConfig `json:"connectorConfig,omitempty"`
}

// ControlConfig is the complete configuration to store.
type ControlConfig struct {
	Config json.RawMessage `json:"config"`
}
