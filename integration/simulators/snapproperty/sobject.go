package snapproperty

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

type (
	object = sim.Object
	list   = []any
)

// version is that of the answers to searches.
const version = "v51.0"

// sobject returns an object's fields, and before them what Salesforce puts before every object's.
func sobject(version, kind, id string, fields object) object {
	fields["attributes"] = object{"type": kind, "url": "/services/data/" + version + "/sobjects/" + kind + "/" + id}
	fields["Id"] = id
	return fields
}

// timestamp returns a moment in Unix seconds.
func timestamp(t int64) string { return time.Unix(t, 0).UTC().Format("2006-01-02T15:04:05.000+0000") }

// decimal returns a number with all its decimals.
func (v value) decimal() json.Number {
	return json.Number(strconv.FormatFloat(v.number, 'f', v.scale, 64))
}
