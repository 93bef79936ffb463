package spec_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/spec"
)

// day refuses what is none, as a type of a connector's may.
type day string

func (d *day) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `"never"`:
		return fault.Configf("There is no such day.")
	case `"broken"`:
		return errors.New("is broken")
	}
	*d = day(data)
	return nil
}

func TestDescription(t *testing.T) {
	type config struct {
		Day   day `json:"day"`
		Pages int `json:"pages"`
	}
	d := spec.Describe(fstest.MapFS{"spec.json": {Data: []byte(`{"connectionSpecification":{"type":"object","required":["day"],"properties":{
		"day":{"type":"string"},"pages":{"type":"number"},"key":{"type":"string","airbyte_secret":true}}}}`)}},
		func(c config) string { return string(c.Day) })
	if got, err := d.Open([]byte(`{"day":"today"}`)); got != `"today"` || err != nil {
		t.Errorf("opened %q, %v", got, err)
	}
	for config, want := range map[string]string{
		`{}`:                       "day",
		`{"day":"never"}`:          "There is no such day.",
		`{"day":"broken"}`:         "cannot be used.",
		`{"day":"x","pages":1.5}`:  `"pages" has a value of the wrong type`,
		`{"day":"x","pages":1e99}`: `"pages" has a value of the wrong type`,
	} {
		_, err := d.Open([]byte(config))
		if f := fault.Of(err); err == nil || f.Kind != fault.Config || !strings.Contains(f.Message, want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
	redactor, err := d.Redactor([]byte(`{"key":"a long secret"}`))
	if err != nil || redactor.String("it is a long secret indeed") == "it is a long secret indeed" {
		t.Errorf("the secret is not known, %v", err)
	}
	none := spec.Describe(fstest.MapFS{}, func(config) int { return 1 })
	if _, err := none.Open(nil); err == nil {
		t.Error("opened without files")
	}
}
