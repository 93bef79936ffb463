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

// Records collects records of one stream as the lines that they will be, and emits many at once: streams whose records are made side by side
// meet at the Emitter's lock once for all of them. What was added is emitted when it is 32 KiB, and by [Records.Flush], which has to come before
// any other message of the stream, and soon: nothing else emits it.
//
// Not safe for concurrent use. Use [Emitter.Records] to make one.
type Records struct {
	out    *Emitter
	desc   Descriptor
	prefix []byte // of each line, up to its data
	suffix []byte // of each line, behind its data: when the first of them was begun
	lines  []byte
	count  int64
	size   int64 // of the data, in bytes
}

// Records returns what collects the records of the stream d.
func (e *Emitter) Records(d Descriptor) *Records {
	return &Records{out: e, desc: d, prefix: recordPrefix(d)}
}

// Next returns the memory to which the next record is to be appended, for [Records.Add]. A record that is not added after all is nowhere.
func (r *Records) Next() []byte {
	if len(r.lines) == 0 {
		r.suffix = strconv.AppendInt(append(r.suffix[:0], `,"emitted_at":`...), time.Now().UnixMilli(), 10)
	}
	return append(r.lines, r.prefix...)
}

// Add adds a record, given as what Next returned with the record appended. An empty object is neither sent nor counted, because the platform
// drops it without a word. The fields of nulled are null because the source could not bring their values into the types that the catalog says;
// the message's meta tells so. The record is one line, as every record.Record is: its bytes are not looked at.
//
// An error is one of emitting what was added so far, or a [fault.System] error of this record, which is not added then.
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

// Flush emits what was added since the last time, and a status RUNNING before it where the stream is not known to be running.
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

// appendNulled appends the meta of a record whose fields were made null.
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

// recordPrefix returns the line of a record up to its data.
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
