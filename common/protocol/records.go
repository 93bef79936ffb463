package protocol

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/record"
)

const (
	batchSize = bufferSize / 2
	// keptMemory is how much memory a Records keeps for its next lines.
	keptMemory = 1 << 20
)

// Records collects records of one stream as finished lines and emits many at once, so that streams that run concurrently rarely contend for the
// Emitter's lock. It emits what was added once that reaches 32 KiB, and on [Records.Flush]. The caller must call Flush before any other message of
// the stream, and soon, because nothing else emits the rest.
//
// Records is not safe for concurrent use. Use [Emitter.Records] to make one.
type Records struct {
	out    *Emitter
	desc   Descriptor
	prefix []byte // of each line, before its data
	suffix []byte // of each line, after its data; it has the time at which the first line was begun
	lines  []byte
	count  int64
	size   int64 // of the data, in bytes
}

// Records returns an empty Records for the stream d.
func (e *Emitter) Records(d Descriptor) *Records {
	return &Records{out: e, desc: d, prefix: recordPrefix(d)}
}

// Next returns memory to append the next record to, for [Records.Add]. A record that is not passed to Add is discarded.
func (r *Records) Next() []byte {
	if len(r.lines) == 0 {
		r.suffix = strconv.AppendInt(append(r.suffix[:0], `,"emitted_at":`...), time.Now().UnixMilli(), 10)
	}
	return append(r.lines, r.prefix...)
}

// Add adds a record. line is what Next returned, with the record appended. An empty object is neither sent nor counted, because the platform silently
// drops it. The fields in nulled are null because their values did not fit the types in the catalog; the message's meta says so. The record must be
// on one line, as every record.Record is. Add does not check its bytes.
//
// The error is either from emitting what was added so far, or a [fault.System] error about this record, which is then not added.
func (r *Records) Add(line []byte, nulled ...string) (err error) {
	data := line[len(r.lines)+len(r.prefix):]
	if len(data) < 2 || data[0] != '{' || data[len(data)-1] != '}' {
		return fault.Systemf("The connector made a record of the stream %q that is not a JSON object.", r.desc.Name)
	}
	if len(bytes.TrimSpace(data[1:len(data)-1])) == 0 {
		return nil
	}
	line = append(line, r.suffix...)
	if len(nulled) > 0 {
		if line, err = appendNulled(line, nulled); err != nil {
			return err
		}
	}
	line = append(line, "}}\n"...)
	r.lines = line
	r.count++
	r.size += int64(len(data))
	if len(r.lines) < batchSize {
		return nil
	}
	return r.Flush()
}

// Flush emits what was added since the last Flush, preceded by a status RUNNING if the stream is not known to be running.
func (r *Records) Flush() error {
	if r.count == 0 {
		return nil
	}
	err := r.out.records(r)
	r.lines, r.count, r.size = r.lines[:0], 0, 0
	if cap(r.lines) > keptMemory {
		record.Free(&r.lines)
	}
	return err
}

// appendNulled appends the meta of a record with fields that were made null.
func appendNulled(dst []byte, fields []string) ([]byte, error) {
	type change struct {
		Field  string `json:"field"`
		Change string `json:"change"`
		Reason string `json:"reason"`
	}
	changes := make([]change, len(fields))
	for i, field := range fields {
		changes[i] = change{field, "NULLED", "SOURCE_SERIALIZATION_ERROR"}
	}
	list, err := encode(changes)
	if err != nil {
		return dst, fmt.Errorf("writing the changes of a record: %w", err)
	}
	dst = append(dst, `,"meta":{"changes":`...)
	return append(append(dst, bytes.TrimSpace(list)...), '}'), nil
}

// recordPrefix returns the part of a record's line before its data.
func recordPrefix(d Descriptor) []byte {
	line, err := encode(struct {
		Stream    string `json:"stream"`
		Namespace string `json:"namespace,omitempty"`
	}{d.Name, d.Namespace})
	if err != nil {
		panic(err) // two strings always encode
	}
	line = bytes.TrimSuffix(line, []byte("}\n"))
	return slices.Concat([]byte(`{"type":"RECORD","record":`), line, []byte(`,"data":`))
}
