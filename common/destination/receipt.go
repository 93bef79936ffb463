package destination

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/redact"
)

// receipt is a line of a file of receipts: what became of an order.
type receipt struct {
	Time      string          `json:"time"` // when the outcome was known, in UTC, RFC 3339
	Stream    string          `json:"stream"`
	Namespace string          `json:"namespace,omitempty"`
	Operation string          `json:"operation"`
	Outcome   verdict         `json:"outcome"`
	Order     map[string]any  `json:"order"`              // the fields, by the API's names; null if they are not known
	Message   string          `json:"message,omitempty"`  // why it was not carried out, or why that is not known
	Returned  json.RawMessage `json:"returned,omitempty"` // the API's answer as it came, if there was one
}

// verdict is an outcome as a receipt names it.
type verdict string

const (
	carriedOut verdict = "carried_out"
	refused    verdict = "rejected" // by the API, or before anything was sent
	uncertain  verdict = "unknown"
	taken      verdict = "taken_as_carried_out" // a call in doubt, because of in_doubt
)

// receipts is a file that gets a line for each order that has an outcome. A nil receipts keeps nothing. Safe for concurrent use.
//
// A last line without a line break is what a killed run leaves. It is cut off, unless it is a whole receipt: then the line break is added. If the
// first line is not a receipt, the file is something else and is refused.
type receipts struct {
	at     kept
	redact *redact.Redactor

	mu   sync.Mutex
	file *os.File
	err  error // of the first write that failed
}

// openReceipts opens the file at path, or creates it. redact blanks what must not be kept.
func openReceipts(path string, redact *redact.Redactor) (*receipts, error) {
	r := &receipts{at: receiptsAt(path), redact: redact}
	file, err := r.at.open(true)
	if err != nil {
		return nil, err
	}
	r.file = file
	if err := errors.Join(r.tidy(), r.at.keepName()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return r, nil
}

// tidy moves to the end of the last whole line. It cuts off what follows, or adds the line break if that is a whole receipt.
func (r *receipts) tidy() error {
	size, err := r.file.Seek(0, io.SeekEnd)
	if err != nil {
		return r.at.fault("cannot be read", err)
	}
	const opening = `{"time":"` // of each line
	first := make([]byte, min(size, int64(len(opening))))
	if _, err := r.file.ReadAt(first, 0); err != nil {
		return r.at.fault("cannot be read", err)
	}
	if !bytes.HasPrefix([]byte(opening), first) {
		return r.at.fault("holds something else. Give another path, to a file that does not exist yet", nil)
	}
	end := size
	for last := []byte{0}; end > 0; end-- {
		if _, err := r.file.ReadAt(last, end-1); err != nil {
			return r.at.fault("cannot be read", err)
		}
		if last[0] == '\n' {
			break
		}
	}
	last := make([]byte, size-end)
	if _, err := r.file.ReadAt(last, end); err != nil && len(last) > 0 {
		return r.at.fault("cannot be read", err)
	}
	if json.Valid(last) {
		_, err = r.file.Write([]byte("\n"))
	} else {
		_, err = r.file.Seek(end, io.SeekStart)
		err = errors.Join(err, r.file.Truncate(end))
	}
	if err != nil {
		return r.at.unwritten(err)
	}
	return nil
}

// write adds a receipt, which is on disk when write returns. If that fails, owed is the receipt's line and a shorter one without the answer; one of
// the two must be added later.
func (r *receipts) write(one receipt) (owed []string, err error) {
	if r == nil {
		return nil, nil
	}
	one.Time = time.Now().UTC().Format(time.RFC3339Nano)
	line, err := r.line(one)
	if err != nil {
		return nil, err
	}
	if err := r.add(line); err != nil {
		one.Returned = nil
		short, failed := r.line(one)
		return []string{string(line), string(short)}, errors.Join(err, failed)
	}
	return nil, nil
}

// pay adds the lines that earlier runs could not write.
func (r *receipts) pay(owed []string) error {
	if len(owed) == 0 {
		return nil
	}
	return r.add([]byte(strings.Join(owed, "")))
}

// add adds lines, which are on disk when it returns.
func (r *receipts) add(lines []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	_, err := r.file.Write(lines)
	if err == nil {
		err = r.file.Sync()
	}
	if err != nil {
		r.err = r.at.unwritten(err)
	}
	return r.err
}

// line returns a receipt without secrets. If blanking a secret breaks the answer's JSON, for example in a number, the answer is kept as text.
func (r *receipts) line(one receipt) ([]byte, error) {
	one.Order = maps.Clone(one.Order)
	for name, value := range one.Order {
		if text, ok := value.(string); ok {
			one.Order[name] = r.redact.String(text)
		}
	}
	one.Message = r.redact.String(one.Message)
	var buffer bytes.Buffer
	e := json.NewEncoder(&buffer)
	e.SetEscapeHTML(false)
	if text := r.redact.String(string(one.Returned)); text != string(one.Returned) {
		if one.Returned = json.RawMessage(text); !json.Valid(one.Returned) {
			if err := e.Encode(text); err != nil {
				return nil, fmt.Errorf("writing a receipt: %w", err)
			}
			one.Returned = bytes.Clone(buffer.Bytes())
			buffer.Reset()
		}
	}
	if err := e.Encode(one); err != nil {
		return nil, fmt.Errorf("writing a receipt: %w", err)
	}
	return buffer.Bytes(), nil
}

func (r *receipts) close() error {
	if r == nil {
		return nil
	}
	return r.file.Close()
}
