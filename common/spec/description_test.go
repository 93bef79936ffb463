package spec_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/redact"
	"github.com/imob-data/airbyte-connectors/common/spec"
)

// day refuses anything that is not a day, as a connector's type may.
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
		Day   day    `json:"day"`
		Pages int    `json:"pages"`
		Key   string `json:"key"`
	}
	d := spec.Describe(fstest.MapFS{"spec.json": {Data: []byte(`{"connectionSpecification":{"type":"object","required":["day"],"properties":{
		"day":{"type":"string"},"pages":{"type":"number"},"key":{"type":"string","airbyte_secret":true}}}}`)}},
		func(c config) string { return string(c.Day) + c.Key })
	if got, err := d.Open([]byte(`{"day":"today"}`)); got != `"today"` || err != nil {
		t.Errorf("opened %q, %v", got, err)
	}
	if got, err := d.Open([]byte(`{"day":"today","key":" bearer\u00a0abc\u200b "}`)); got != `"today"abc` || err != nil {
		t.Errorf("a pasted key: opened %q, %v", got, err)
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
	shared := redact.New()
	redactor, err := d.Redactor(redact.With(t.Context(), shared), []byte(`{"key":"Bearer a\u200blongsecret"}`))
	if err != nil || redactor != shared {
		t.Errorf("it is not the run's Redactor, %v", err)
	}
	if got := redactor.String("pasted Bearer a\u200blongsecret, used alongsecret"); got != "pasted ****, used ****" {
		t.Errorf("the secret is not known: %s", got)
	}
	none := spec.Describe(fstest.MapFS{}, func(config) int { return 1 })
	if _, err := none.Open(nil); err == nil {
		t.Error("opened without files")
	}
}
