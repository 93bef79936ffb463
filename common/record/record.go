// Package record is JSON as it came: it validates the body of an answer once, cuts it into records, reads dotted paths and edits a record
// in one pass over its bytes. Numbers keep every digit and text keeps every byte, because nothing is ever decoded into a map.
package record

// Record is one JSON value (nearly always an object): valid, UTF-8, on one line, without white space around it, as the API sent it. It is
// read-only once made: it may share memory with its page and its siblings. The zero value holds nothing; every path in it is absent.
//
// A Record comes from Clean, Cut, Value.Array or Shape.Append. Bytes of another origin must be valid JSON: nothing here panics or hangs on
// others, but what comes out is then without meaning.
type Record []byte
