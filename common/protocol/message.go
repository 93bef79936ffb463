// Package protocol is the Airbyte protocol: its messages, the one writer of them, and the way to read them.
//
// A source pushes its messages through an [Emitter], which keeps them whole, in order, counted and free of secrets. A destination, or a
// test, gets messages back with [Read].
//
// The facts are those of airbyte_protocol.yaml (release 0.18) of github.com/airbytehq/airbyte-protocol and, where the platform is
// stricter, of github.com/airbytehq/airbyte-platform.
package protocol

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// Type is what a message is.
type Type string

// The types of messages. Only the field of a message that belongs to its type is set.
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

// Message is one message as it was read. Type and Raw are always set, and of the rest what belongs to Type; a message of a type that has
// no field here, known or not, is its Raw.
type Message struct {
	Type Type
	Raw  json.RawMessage // the line, without its end

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
	EmittedAt int64         // milliseconds since 1970; 0 when absent
	Changes   []Change      // what was changed of the data on its way
}

// Change is that a field of a record did not come as its source had it.
type Change struct {
	Field  string `json:"field"`
	Change string `json:"change"` // NULLED or TRUNCATED
}

// StateType is how much a state speaks of.
type StateType string

// The types of states; a state without a type is a legacy one.
const (
	StateStream StateType = "STREAM"
	StateGlobal StateType = "GLOBAL"
	StateLegacy StateType = "LEGACY"
)

// State is a state as it was read.
type State struct {
	Type             StateType
	Descriptor       Descriptor      // the stream, when Type is StateStream
	Blob             json.RawMessage // the stream's own state, when Type is StateStream; what is in it is the source's affair
	SourceStats      *StateStats
	DestinationStats *StateStats
	Raw              json.RawMessage // the whole object, with every key that is not part of the protocol, such as id
}

// StateStats is what a state says about the records since the state before it.
type StateStats struct {
	RecordCount         Count `json:"recordCount"`
	RejectedRecordCount Count `json:"rejectedRecordCount,omitzero"`
}

// Count is a number of records in a state's statistics, where the protocol wants whole numbers with a decimal point.
type Count int64

// MarshalJSON returns the count with a decimal point.
func (c Count) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%d.0", int64(c)), nil }

// UnmarshalJSON takes any JSON number and cuts its fraction off; null is 0, which PyAirbyte sends for a count that there is not.
func (c *Count) UnmarshalJSON(data []byte) error {
	n, err := whole(data)
	*c = Count(n)
	return err
}

// Whole is a whole number in whatever form JSON has it: 1700000000000, 1.7e12 and 1.7e+12 are one.
type Whole int64

// UnmarshalJSON takes any JSON number and cuts its fraction off; null is 0.
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

// TraceType is what a trace is about.
type TraceType string

// The types of traces.
const (
	TraceError        TraceType = "ERROR"
	TraceEstimate     TraceType = "ESTIMATE"
	TraceStreamStatus TraceType = "STREAM_STATUS"
	TraceAnalytics    TraceType = "ANALYTICS"
)

// Trace is what a connector says about its run. Only the field that belongs to Type is set.
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
	FailureType      string      `json:"failure_type,omitempty"` // as fault.Kind's String has it
	StreamDescriptor *Descriptor `json:"stream_descriptor,omitempty"`
}

// Estimate is how many rows a stream is expected to have in this run.
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

// Reason is why a running stream does not advance. RATE_LIMITED is the only type there is.
type Reason struct {
	Type        string       `json:"type"`
	RateLimited *RateLimited `json:"rate_limited,omitempty"`
}

// RateLimited is until when a stream waits for a quota.
type RateLimited struct {
	QuotaReset Whole `json:"quota_reset,omitempty"` // milliseconds since 1970; 0 is unknown
}

// Control is a connector's wish to have its stored configuration replaced.
type Control struct {
	Type            string         `json:"type"` // CONNECTOR_CONFIG
	EmittedAt       float64        `json:"emitted_at"`
	ConnectorConfig *ControlConfig `json:"connectorConfig,omitempty"`
}

// ControlConfig is the whole configuration as it should be stored.
type ControlConfig struct {
	Config json.RawMessage `json:"config"`
}
