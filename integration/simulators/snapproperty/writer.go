package snapproperty

import (
	"strconv"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// writer is a sim.Writer that knows what Salesforce puts into its answers.
type writer struct{ sim.Writer }

func (w *writer) moment(name string, t int64) {
	w.Name(name)
	w.B = time.Unix(t, 0).UTC().AppendFormat(w.B, `"2006-01-02T15:04:05.000+0000"`)
}

// decimal is n divided by ten to the power of scale, with all its decimals.
func (w *writer) decimal(name string, n int64, scale int) {
	w.Name(name)
	w.B = appendDecimal(w.B, n, scale)
}

func appendDecimal(b []byte, n int64, scale int) []byte {
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	power := int64(1)
	for range scale {
		power *= 10
	}
	b = strconv.AppendInt(b, n/power, 10)
	if scale == 0 {
		return b
	}
	b = append(b, '.')
	at := len(b)
	b = strconv.AppendInt(b, power+n%power, 10) // the leading 1 keeps the zeros
	return append(b[:at], b[at+1:]...)
}

// attributes are what Salesforce puts before every object's fields.
func (w *writer) attributes(version, object, id string) {
	w.Is("attributes", `{"type":"`+object+`","url":"/services/data/`+version+`/sobjects/`+object+`/`+id+`"}`)
}

// relation is an object that is referred to by its name.
func (w *writer) relation(name, object, id, value string) {
	w.Is(name, "{")
	w.attributes(version, object, id)
	w.Text("Id", id)
	w.Text("Name", value)
	w.Raw("}")
}

// version is that of the answers to searches.
const version = "v51.0"
