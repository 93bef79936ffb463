package spec

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// document is a ConnectorSpecification with every keyword that the sentences cover.
const document = `{
  "documentationUrl": "https://example.com",
  "connectionSpecification": {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["token", "site"],
    "properties": {
      "token": {"type": "string", "minLength": 1, "airbyte_secret": true},
      "site": {"type": "string", "pattern": "^https://[a-z.]+$", "examples": ["https://a.example", "https://b.example"]},
      "start_date": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "pattern_descriptor": "YYYY-MM-DD"},
      "from": {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]+Z)?$"},
      "code": {"type": "string", "pattern": "^[A-Z]{3}$", "maxLength": 3},
      "until": {"type": "string", "format": "date"},
      "since": {"type": "string", "format": "date-time"},
      "requests": {"type": "integer", "minimum": 1, "maximum": 500},
      "share": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
      "flag": {"type": "boolean"},
      "mode": {"type": "string", "enum": ["fast", "slow"]},
      "pin": {"type": "integer", "airbyte_secret": true},
      "filters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "additionalProperties": {"type": "string"}
      },
      "accounts": {
        "type": "array", "minItems": 1, "uniqueItems": true,
        "items": {"type": "object", "required": ["key"], "properties": {
          "key": {"type": "string", "airbyte_secret": true}, "name": {"type": "string"}, "port": {"type": "integer"}
        }}
      },
      "vault": {"type": "object", "airbyte_secret": true, "properties": {"a": {"type": "string"}}},
      "credentials": {
        "type": "object",
        "oneOf": [
          {"title": "OAuth", "type": "object", "required": ["auth_type", "client_secret"], "properties": {
            "auth_type": {"type": "string", "const": "oauth"},
            "client_secret": {"type": "string", "airbyte_secret": true}
          }},
          {"title": "Password", "type": "object", "required": ["auth_type", "user", "password"], "properties": {
            "auth_type": {"type": "string", "const": "password"},
            "user": {"type": "string"},
            "password": {"type": "string", "minLength": 4, "airbyte_secret": true}
          }}
        ]
      }
    },
    "additionalProperties": true
  }
}`

func load(t testing.TB, files map[string]string) *Spec {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	s, err := Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLoad(t *testing.T) {
	s := load(t, map[string]string{
		"spec.json":           `{ "connectionSpecification": { "type": "object", "description": "<&>" } }`,
		"streams/offers.json": `{ "type": "object", "properties": { "id": { "type": "integer" } } }`,
		"streams/cities.json": `{}`,
	})
	if got, want := string(s.JSON()), `{"connectionSpecification":{"type":"object","description":"<&>"}}`; got != want {
		t.Errorf("JSON: got %s, want %s", got, want)
	}
	if got, want := s.Streams(), []string{"cities", "offers"}; !slices.Equal(got, want) {
		t.Errorf("Streams: got %v, want %v", got, want)
	}
	schema, ok := s.Schema("offers")
	if want := `{ "type": "object", "properties": { "id": { "type": "integer" } } }`; !ok || string(schema) != want {
		t.Errorf("Schema: got %s, %v, want %s", schema, ok, want)
	}
	if schema, ok := s.Schema("unknown"); ok || schema != nil {
		t.Errorf("Schema of an unknown stream: got %s, %v", schema, ok)
	}
}

func TestLoadNamesTheBrokenFile(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"no spec":              {map[string]string{"streams/a.json": `{}`}, "spec.json"},
		"spec is not JSON":     {map[string]string{"spec.json": `{`}, "spec.json"},
		"no connection":        {map[string]string{"spec.json": `{}`}, "connectionSpecification"},
		"keyword of the wrong": {map[string]string{"spec.json": `{"connectionSpecification":{"type":"text"}}`}, "spec.json"},
		"bad pattern":          {map[string]string{"spec.json": `{"connectionSpecification":{"pattern":"("}}`}, "spec.json"},
		"reference elsewhere":  {map[string]string{"spec.json": `{"connectionSpecification":{"$ref":"other.json"}}`}, "spec.json"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for name, text := range c.files {
				fsys[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if _, err := Load(fsys); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error about %s", err, c.want)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	s := load(t, map[string]string{"spec.json": document})
	const good = `"token": "t0ps3cret", "site": "https://x.example"`
	const prefix = "The configuration needs mending: "
	for name, c := range map[string]struct{ config, want string }{
		"least":           {`{` + good + `}`, ""},
		"unknown keys":    {`{` + good + `, "other": 1}`, ""},
		"notes":           {`{` + good + `, "_requests": "x", "_": {}}`, ""},
		"empty":           {`{}`, `"site" is missing; "token" is missing`},
		"token empty":     {`{"token": "", "site": "https://x.example"}`, `"token" is empty`},
		"token blank":     {`{"token": " \t\u00a0", "site": "https://x.example"}`, `"token" is blank`},
		"token not seen":  {`{"token": "\u200b\u200c\u200d\u200e\u202c\u2060\ufeff\u00ad\u180e", "site": "https://x.example"}`, `"token" is blank`},
		"token in lines":  {`{"token": "t0p\ns3cret", "site": "https://x.example"}`, `"token" has a line break or another control character in it`},
		"token and lines": {`{"token": "t0ps3cret\r\n", "site": "https://x.example"}`, ""},
		"tab in token":    {`{"token": "t0p\ts3cret", "site": "https://x.example"}`, ""},
		"list: key blank": {`{` + good + `, "accounts": [{"key": "k", "name": " "}, {"key": "  "}]}`, `"accounts[1].key" is blank`},
		"form: blanks": {`{` + good + `, "credentials": {"auth_type": "password", "user": " ", "password": "     ", "client_secret": " "}}`,
			`"credentials.password" is blank; "credentials.user" is blank`},
		"token null":         {`{"token": null, "site": "https://x.example"}`, `"token" must be text`},
		"pattern examples":   {`{"token": "t", "site": "http://S3CR3T"}`, `"site" must look like "https://a.example" or "https://b.example"`},
		"pattern descriptor": {`{` + good + `, "start_date": "31/12/2024"}`, `"start_date" must look like YYYY-MM-DD`},
		"pattern bare":       {`{` + good + `, "code": "abc"}`, `"code" does not have the expected form`},
		"two faults a field": {`{` + good + `, "code": "abcd"}`, `"code" must have at most 3 characters`},
		"date":               {`{` + good + `, "until": "2024-02-31"}`, `"until" must be a date such as 2024-01-31`},
		"date-time":          {`{` + good + `, "since": "2024-02-01"}`, `"since" must be a date and time such as 2024-01-31T00:00:00Z`},
		"integer as text":    {`{` + good + `, "requests": "100"}`, `"requests" must be a whole number`},
		"integer as 1.0":     {`{` + good + `, "requests": 100.0}`, `"requests" must be a whole number`},
		"integer as 1e2":     {`{` + good + `, "requests": 1e2}`, `"requests" must be a whole number`},
		"integer too long":   {`{` + good + `, "requests": 99999999999999999999}`, `"requests" must be`},
		"exponent too long":  {`{` + good + `, "requests": 1e99999999}`, `"requests" must be a whole number`},
		"minimum":            {`{` + good + `, "requests": 0}`, `"requests" must be at least 1`},
		"maximum":            {`{` + good + `, "requests": 501}`, `"requests" must be at most 500`},
		"exclusive minimum":  {`{` + good + `, "share": 0}`, `"share" must be more than 0`},
		"exclusive maximum":  {`{` + good + `, "share": 1.0}`, `"share" must be less than 1`},
		"boolean":            {`{` + good + `, "flag": "true"}`, `"flag" must be true or false`},
		"enum":               {`{` + good + `, "mode": "medium"}`, `"mode" must be one of "fast", "slow"`},
		"object":             {`{` + good + `, "filters": "city=x"}`, `"filters" must be an object with fields of its own`},
		"nested":             {`{` + good + `, "filters": {"city": 1}}`, `"filters.city" must be text`},
		"unknown nested key": {`{` + good + `, "filters": {"S3CR3T": 1}}`, `a member of "filters" must be text`},
		"list":               {`{` + good + `, "accounts": {}}`, `"accounts" must be a list`},
		"list empty":         {`{` + good + `, "accounts": []}`, `"accounts" must list at least 1`},
		"list twice":         {`{` + good + `, "accounts": [{"key":"a"},{"key":"a"}]}`, `"accounts" must not list the same twice`},
		"in a list":          {`{` + good + `, "accounts": [{"key":"a"},{"name":"b"}]}`, `"accounts[1].key" is missing`},
		"whole in a list":    {`{` + good + `, "accounts": [{"key":"a","port":8.0}]}`, `"accounts[0].port" must be a whole number`},
		"form chosen":        {`{` + good + `, "credentials": {"auth_type": "password", "user": "u"}}`, `"credentials.password" is missing`},
		"form chosen, value": {`{` + good + `, "credentials": {"auth_type": "password", "user": "u", "password": "pw1"}}`,
			`"credentials.password" must have at least 4 characters`},
		"form unknown":    {`{` + good + `, "credentials": {"auth_type": "S3CR3T"}}`, `"credentials.auth_type" must be one of "oauth", "password"`},
		"form missing":    {`{` + good + `, "credentials": {}}`, `"credentials.auth_type" is missing: it must be one of "oauth", "password"`},
		"form not object": {`{` + good + `, "credentials": "S3CR3T"}`, `"credentials" must be an object with fields of its own`},
		"several": {`{"site": 7, "requests": 0, "flag": 1}`,
			`"flag" must be true or false; "requests" must be at least 1; "site" must be text; "token" is missing`},
	} {
		t.Run(name, func(t *testing.T) {
			err := s.Validate([]byte(c.config))
			if c.want == "" {
				if err != nil {
					t.Errorf("got %v, want none", err)
				}
				return
			}
			var f *fault.Error
			if !errors.As(err, &f) {
				t.Fatalf("got %v, want a fault", err)
			}
			if f.Kind != fault.Config || f.Err != nil {
				t.Errorf("got kind %v, cause %v", f.Kind, f.Err)
			}
			if want := prefix + c.want; !strings.HasPrefix(f.Message, want) || name != "integer too long" && f.Message != want+"." {
				t.Errorf("got  %s\nwant %s", f.Message, want)
			}
		})
	}
}

func TestValidateWhatIsNoConfiguration(t *testing.T) {
	s := load(t, map[string]string{"spec.json": document})
	for config, want := range map[string]string{
		"":                                  "The configuration is not valid JSON.",
		"token: S3CR3T":                     "The configuration is not valid JSON (line 1, column 2).",
		"{\n  \"token\": \"ção\" S3CR3T\n}": "The configuration is not valid JSON (line 2, column 18).",
		`{} {}`:                             "The configuration is not valid JSON.",
		`["S3CR3T"]`:                        "The configuration must be a JSON object with the connector's fields.",
		`null`:                              "The configuration must be a JSON object with the connector's fields.",
	} {
		err := s.Validate([]byte(config))
		if got := fault.Of(err); got == nil || got.Kind != fault.Config || got.Message != want {
			t.Errorf("%q: got %v, want %s", config, err, want)
		}
	}
}

func TestSchemaValidate(t *testing.T) {
	schema, err := Compile("a stream", []byte(`{"type":"object","required":["id"],"properties":{
		"id":{"type":"integer"},
		"when":{"type":["null","string"],"format":"date-time"},
		"rows":{"type":["null","array","object"],"items":{"type":"object","properties":{"n":{"type":["null","integer"]}}}},
		"size":{"type":["null","integer","number"]},
		"again":{"$ref":"#/properties/when"}
	}}`))
	if err != nil {
		t.Fatal(err)
	}
	for document, want := range map[string]string{
		`{"id":1}`: "",
		`{"id":1,"when":null,"rows":[{"n":2},{"n":null}],"size":1.0,"more":[]}`: "",
		`{"id":1.0}`:                     `at "/id": it is not written as a whole number`,
		`{"id":1,"rows":[{},{"n":2e0}]}`: `at "/rows/1/n": it is not written as a whole number`,
		`{"id":"1"}`:                     `at "/id": expected integer, but got string (/properties/id/type)`,
		`{}`:                             `at "": missing properties: 'id' (/required)`,
		`{"id":1,"again":"yesterday"}`:   `at "/again": 'yesterday' is not valid 'date-time' (/properties/when/format)`,
		`{"id":`:                         "unexpected EOF",
		`{"id":1}{}`:                     "there is more after the end of the JSON value",
		`{"id":1e99999999}`:              `at "/id": expected integer, but got array (/properties/id/type)` + "\n" + `at "/id": it is not written as a whole number`,
		`{"id":1,"when":"2024-01-31T00:00:00-03:00"}`: "",
	} {
		got := ""
		if err := schema.Validate([]byte(document)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", document, got, want)
		}
	}
}

func TestSecrets(t *testing.T) {
	for name, c := range map[string]struct {
		config string
		want   []string
	}{
		"none":              {`{"site":"https://x.example","mode":"fast"}`, nil},
		"top":               {`{"token":"t1","site":"s"}`, []string{"t1"}},
		"empty":             {`{"token":""}`, nil},
		"in capitals":       {`{"Token":"t1","CREDENTIALS":{"Password":"p"}}`, []string{"p", "t1"}},
		"number":            {`{"pin":12345678901234567890}`, []string{"12345678901234567890"}},
		"wrong type":        {`{"token":["t1",{"x":"t2"}]}`, []string{"t1", "t2"}},
		"in a list":         {`{"accounts":[{"key":"k1","name":"n"},{"key":"k2"}]}`, []string{"k1", "k2"}},
		"object for a list": {`{"accounts":{"key":"k1"}}`, []string{"k1"}},
		"text for a list":   {`{"accounts":"k1"}`, []string{"k1"}},
		"text in a list":    {`{"accounts":["k1"]}`, []string{"k1"}},
		"secret object":     {`{"vault":{"a":"v1","b":{"c":["v2",3,true,null]}}}`, []string{"3", "v1", "v2"}},
		"a form":            {`{"credentials":{"auth_type":"password","user":"u","password":"p"}}`, []string{"p"}},
		"another form's":    {`{"credentials":{"auth_type":"oauth","password":"p","client_secret":"c"}}`, []string{"c", "p"}},
		"no form":           {`{"credentials":{"password":"p"}}`, []string{"p"}},
		"text for a form":   {`{"credentials":"p"}`, []string{"p"}},
		"list for a form":   {`{"credentials":[{"password":"p"}]}`, []string{"p"}},
		"twice":             {`{"token":"t1","accounts":[{"key":"t1"}]}`, []string{"t1"}},
		"broken":            {`{"token":"t1"`, nil},
		"not an object":     {`"t1"`, []string{"t1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Secrets([]byte(document), []byte(c.config)); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := Secrets([]byte(`{`), []byte(`{"token":"t1"}`)); got != nil {
		t.Errorf("broken spec: got %q", got)
	}
}

// TestCleanWritesWholeNumbers checks that a number is written as whole if the spec wants that and the number is whole in some form, and that any
// other stays and is found invalid.
func TestCleanWritesWholeNumbers(t *testing.T) {
	s := load(t, map[string]string{"spec.json": document})
	for given, want := range map[string]string{
		`"requests":60.0`: `"requests":60`, `"requests":6e1`: `"requests":60`, `"requests":60`: `"requests":60`, `"other":60.0`: `"other":60.0`,
		`"accounts":[{"key":"a","port":8.0}]`: `"accounts":[{"key":"a","port":8}]`, `"share":0.50`: `"share":0.50`,
		`"requests":60.5`: "", `"requests":1e300`: "", `"requests":1e99999999`: "", `"requests":"60.0"`: "",
	} {
		cleaned := s.Clean([]byte(`{"token":"t","site":"https://a.example",` + given + `}`))
		if !strings.Contains(string(cleaned), cmp.Or(want, given)) {
			t.Errorf("%s became %s", given, cleaned)
		}
		if err := s.Validate(cleaned); (err == nil) != (want != "") {
			t.Errorf("%s: %v", cleaned, err)
		}
	}
}

// TestClean checks that what copying adds to a token is removed, that both forms are secrets, and that a password stays as chosen.
func TestClean(t *testing.T) {
	s := load(t, map[string]string{"spec.json": document})
	for given, want := range map[string]string{
		`t1`: "t1", `Bearer t1`: "t1", `bearer t1`: "t1", `BEARER\t t1\n`: "t1", ` Bearer\u00a0t1 `: "t1", `Bearer Bearer t1`: "t1", `Bearert1`: "Bearert1",
		`Bearer`: "", `Bearer `: "", `t1 Bearer`: "t1 Bearer", `\ufefft\u200b1\u200c\u200d\u2060\u00ad`: "t1", `\u200bBea\u00adrer t1`: "t1",
		`\u00a0\u2003t 1\u3000`: "t 1", `  `: "", `ção\u200b`: "ção",
	} {
		for config, cleaned := range map[string]string{
			`{"token":"%s","mode":" x\u200b"}`:                              `{"mode":" x\u200b","token":%q}`,
			`{"accounts":[{"key":"%s","name":"Bearer x"}]}`:                 `{"accounts":[{"key":%q,"name":"Bearer x"}]}`,
			`{"credentials":{"auth_type":"oauth","client_secret":"%s"}}`:    `{"credentials":{"auth_type":"oauth","client_secret":%q}}`,
			`{"vault":{"a":["%s",12345678901234567890]},"_note":"y\u200b"}`: `{"_note":"y\u200b","vault":{"a":[%q,12345678901234567890]}}`,
		} {
			config, cleaned := []byte(strings.Replace(config, "%s", given, 1)), fmt.Sprintf(strings.ReplaceAll(cleaned, `\u200b`, "\u200b"), want)
			if got := s.Clean(config); string(got) != cleaned && (given != want || string(got) != string(config)) {
				t.Errorf("%s became %s, want %s", config, got, cleaned)
			}
		}
		var raw string
		if err := json.Unmarshal([]byte(`"`+given+`"`), &raw); err != nil {
			t.Fatal(err)
		}
		secrets := Secrets([]byte(document), []byte(`{"token":"`+given+`"}`))
		if !slices.Contains(secrets, raw) || want != "" && !slices.Contains(secrets, want) {
			t.Errorf("%q: the secrets are %q", given, secrets)
		}
	}
	for _, config := range []string{
		`{"credentials":{"auth_type":"password","password":" Bearer p\u200b "}}`, `{"site":"Bearer x "}`, `{"pin":1}`, `{"token":"Bearer`, `7`,
	} {
		if got := s.Clean([]byte(config)); string(got) != config {
			t.Errorf("%s became %s", config, got)
		}
	}
}

func TestExtra(t *testing.T) {
	const s = `{"connectionSpecification":{"properties":{"url":{"type":"string"},"start":{"properties":{"day":{}}},
		"login":{"oneOf":[{"properties":{"how":{"const":"key"},"key":{}}},{"properties":{"how":{"const":"name"},"name":{},"more":{"properties":{"a":{}}}}}]}}}}`
	for config, want := range map[string]string{
		`{"url":"u","start":{"day":1},"login":{"how":"key","name":"of the other form","more":{"a":1}},"_note":{"x":1}}`: "",
		`{"URL":"u"}`:                 ` has login start url, meant url`,
		`{"x":1,"start":{"Da-y":1}}`:  ` has login start url; start has day, meant day`,
		`{"start":{"days":1}}`:        `start has day`,
		`{"start":7,"login":[1]}`:     "",
		`{"login":{"keys":1}}`:        `login has how key more name`,
		`{"login":{"more":{"b":1}}}`:  `login.more has a`,
		`{"url":{"anything":"goes"}}`: "",
	} {
		var all []string
		for _, extra := range Extra([]byte(s), []byte(config)) {
			said := extra.In + " has " + strings.Join(extra.Options, " ")
			if extra.Meant != nil {
				said += ", meant " + strings.Join(extra.Meant, " ")
			}
			all = append(all, said)
		}
		if got := strings.Join(all, "; "); got != want {
			t.Errorf("%s: %q, want %q", config, got, want)
		}
	}
	for _, none := range []string{`{}`, `7`, `{"connectionSpecification":{}}`} {
		if extra := Extra([]byte(none), []byte(`{"a":1}`)); extra != nil {
			t.Errorf("%s: %v", none, extra)
		}
	}
}
