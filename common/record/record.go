// Package record handles JSON as it came. It validates the body of an answer once, cuts it into records, reads dotted paths, and edits a record in
// one pass over its bytes. Numbers keep every digit and texts keep every byte, because nothing is ever decoded into a map.
package record

// Record is one JSON value (nearly always an object) as the API sent it: valid, UTF-8, on one line, without white space around it. It is read-only
// once made, because it may share memory with its page and its siblings. The zero value is empty, and every path in it is absent.
//
// A Record comes from Clean, Cut, Value.Array or Shape.Append. Bytes from elsewhere must be valid JSON. Other bytes make nothing here panic or hang,
// but the results are meaningless.
type Record []byte
