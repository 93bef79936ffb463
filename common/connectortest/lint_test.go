package connectortest

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/imob-data/airbyte-connectors/common/protocol"
)

const goodSpec = `{
  "documentationUrl": "https://example.com/docs",
  "connectionSpecification": {
    "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["token"], "additionalProperties": true,
    "properties": {
      "token": {"type": "string", "title": "Token", "description": "A token.", "airbyte_secret": true, "order": 0},
      "start_date": {"type": "string", "title": "Start Date", "description": "From when.", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "examples": ["2024-01-31"], "order": 1},
      "mode": {"type": "string", "title": "Mode", "description": "How.", "enum": ["fast", "slow"], "default": "fast", "order": 2},
      "login": {"type": "object", "title": "Login", "description": "Who.", "order": 3, "display_type": "radio", "oneOf": [
        {"title": "OAuth", "type": "object", "required": ["auth_type"], "properties": {
          "auth_type": {"type": "string", "const": "oauth"}}},
        {"title": "Key", "type": "object", "required": ["auth_type", "key"], "properties": {
          "auth_type": {"type": "string", "const": "key"},
          "key": {"type": "string", "title": "Key", "description": "A key.", "airbyte_secret": true}}}
      ]},
      "tags": {"type": "array", "title": "Tags", "description": "Which.", "items": {"type": "string"}, "order": 4},
      "base_url": {"type": "string", "title": "Address", "description": "Where.", "order": 5}
    }
  },
  "advanced_auth": {
    "auth_flow_type": "oauth2.0", "predicate_key": ["login", "auth_type"], "predicate_value": "oauth",
    "oauth_config_specification": {"complete_oauth_output_specification": {"properties": {
      "token": {"path_in_connector_config": ["login", "key"]}}}}
  }
}`

// replaced returns a text with one part replaced. It checks that the part exists, so that no case tests the good text by mistake.
func replaced(t *testing.T, text, old, by string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("%q is not in the text", old)
	}
	return strings.Replace(text, old, by, 1)
}

// expect checks that there is one finding that contains wanted, or none if wanted is "".
func expect(t *testing.T, found []string, wanted string) {
	t.Helper()
	if wanted == "" {
		if len(found) > 0 {
			t.Errorf("got %q, want no findings", found)
		}
		return
	}
	if !strings.Contains(strings.Join(found, "\n"), wanted) {
		t.Errorf("got %q, want one with %q", found, wanted)
	}
}

func TestLintSpec(t *testing.T) {
	for name, c := range map[string]struct{ old, by, want string }{
		"good":                   {"", "", ""},
		"documentation":          {"https://example.com/docs", "/docs", "documentationUrl is not"},
		"schema":                 {"draft-07", "draft-04", "$schema is not"},
		"type of the whole":      {`"type": "object", "required": ["token"]`, `"type": ["object"], "required": ["token"]`, `not of type "object"`},
		"additional":             {`"additionalProperties": true`, `"additionalProperties": false`, "additionalProperties is not true"},
		"additional nested":      {`"display_type": "radio"`, `"display_type": "radio", "additionalProperties": false`, `"login" has additionalProperties`},
		"not a schema":           {`"type": "array"`, `"type": "list"`, "compilation failed"},
		"reference":              {`"items": {"type": "string"}`, `"items": {"$ref": "#/properties/token", "type": "string"}`, "$ref"},
		"anyOf":                  {`"oneOf"`, `"anyOf"`, `uses anyOf`},
		"pattern properties":     {`"display_type": "radio"`, `"patternProperties": {}`, "patternProperties"},
		"required":               {`["token"]`, `["token", "other"]`, `requires "other"`},
		"name":                   {`"mode"`, `"syncMode"`, `"syncMode" is not in snake_case`},
		"title":                  {`"title": "Mode", `, ``, `"mode" has no title`},
		"description":            {`"description": "How."`, `"description": " "`, `"mode" has no description`},
		"no type":                {`"type": "string", "title": "Mode"`, `"title": "Mode"`, `"mode" has no type`},
		"types":                  {`"type": "string", "title": "Mode"`, `"type": ["string", "integer"], "title": "Mode"`, "types other than one and null"},
		"order":                  {`"order": 4`, `"order": 3`, "have the same order"},
		"enum":                   {`["fast", "slow"]`, `["fast", "slow", "fast"]`, "enum"},
		"default":                {`"default": "fast"`, `"default": "medium"`, `"mode" has a default or an example`},
		"example":                {`["2024-01-31"]`, `["31/01/2024"]`, `"start_date" has a default or an example`},
		"pattern unexplained":    {`"examples": ["2024-01-31"], `, ``, "nobody could tell"},
		"pattern broken":         {`^[0-9]{4}-`, `^([0-9]{4}-`, "pattern"},
		"date without pattern":   {`"title": "Mode"`, `"format": "date-time", "title": "Mode"`, "whose pattern must take"},
		"date with the other":    {`"title": "Start Date"`, `"format": "date-time", "title": "Start Date"`, "whose pattern must take"},
		"secret":                 {`"airbyte_secret": true, "order": 0`, `"order": 0`, `"token" must be marked`},
		"secret in a form":       {`"description": "A key.", "airbyte_secret": true`, `"description": "A key."`, `"login[1].key" must be marked`},
		"no secret":              {`"type": "string", "title": "Token"`, `"type": "boolean", "title": "Token"`, `"token" cannot hold a secret`},
		"empty object":           {`"type": "array", "title": "Tags"`, `"type": "object", "title": "Tags"`, `"tags" is an object without properties`},
		"items of many":          {`"items": {"type": "string"}`, `"items": [{"type": "string"}]`, `"tags" is a list`},
		"items of lists":         {`"items": {"type": "string"}`, `"items": {"type": "array"}`, `"tags" is a list`},
		"items of nothing":       {`"items": {"type": "string"}`, `"items": {"type": "object"}`, `"tags" lists objects without`},
		"group unknown":          {`"order": 4`, `"order": 4, "group": "more"`, `"tags" is in a group`},
		"group nested":           {`"description": "A key."`, `"description": "A key.", "group": "more"`, `"login[1].key" is in a group`},
		"display":                {`"radio"`, `"list"`, "display_type"},
		"display elsewhere":      {`"title": "Mode"`, `"title": "Mode", "display_type": "radio"`, `"mode" has a display_type`},
		"forms not of an object": {`"type": "object", "title": "Login"`, `"type": "string", "title": "Login"`, `"login" has a oneOf and is not`},
		"form untitled":          {`"title": "OAuth", `, ``, "form without a title"},
		"form empty":             {`{"title": "OAuth", "type": "object"`, `{"title": "None"}, {"title": "OAuth", "type": "object"`, "form without properties"},
		"no constant":            {`{"type": "string", "const": "oauth"}`, `{"type": "string"}`, "exactly one property that is a const"},
		"two constants": {`{"type": "string", "const": "oauth"}`,
			`{"type": "string", "const": "oauth"}, "key": {"type": "string", "const": "none"}`, ""},
		"same constant":       {`"const": "key"`, `"const": "oauth"`, "same const"},
		"default of constant": {`"const": "key"`, `"const": "key", "default": "oauth"`, "default that is not its const"},
		"enum of constant":    {`"const": "key"`, `"const": "key", "enum": ["key", "oauth"]`, "enum that is not its const"},
		"constant optional":   {`"required": ["auth_type", "key"]`, `"required": ["key"]`, "does not require"},
		"oauth second":        {`"predicate_value": "oauth"`, `"predicate_value": "key"`, "OAuth is not the first"},
		"oauth predicate":     {`["login", "auth_type"]`, `["login", "kind"]`, "predicate_key"},
		"oauth path":          {`["login", "key"]`, `["login", "word"]`, "which the specification does not have"},
		"not JSON":            {"{", "", "not a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, lintSpec(json.RawMessage(replaced(t, goodSpec, c.old, c.by))), c.want)
		})
	}
}

const goodSchema = `{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": true, "properties": {
  "id": {"type": "integer", "description": "Key."},
  "changed_at": {"type": ["null", "string"], "format": "date-time", "airbyte_type": "timestamp_with_timezone", "description": "When."},
  "rows": {"type": ["null", "array"], "description": "Rows.", "items": {"type": ["null", "object"], "properties": {
    "n": {"type": ["null", "integer"], "description": "Number."}}}},
  "count": {"type": ["null", "number"], "airbyte_type": "integer", "description": "Whole."},
  "day": {"type": ["null", "string"], "format": "date", "description": "Day."},
  "tags": {"type": ["null", "string"], "x-nested-as-text": true, "description": "A list as text."},
  "any": {"type": ["null", "object"], "description": "Anything.", "additionalProperties": true},
  "_unparsed": {"type": ["null", "object"], "description": "What did not fit.", "additionalProperties": true}
}}`

func TestLintCatalog(t *testing.T) {
	catalog := func(schema string, change func(*protocol.Stream)) *protocol.Catalog {
		s := protocol.Stream{
			Name: "offers", JSONSchema: json.RawMessage(schema), SupportedSyncModes: []protocol.SyncMode{"full_refresh", "incremental"},
			SourceDefinedCursor: true, DefaultCursorField: []string{"changed_at"}, SourceDefinedPrimaryKey: [][]string{{"id"}}, IsResumable: true,
		}
		if change != nil {
			change(&s)
		}
		return &protocol.Catalog{Streams: []protocol.Stream{s}}
	}
	for name, c := range map[string]struct {
		change func(*protocol.Stream)
		want   string
	}{
		"good": {nil, ""},
		"full refresh alone": {func(s *protocol.Stream) {
			*s = protocol.Stream{Name: s.Name, JSONSchema: s.JSONSchema, SupportedSyncModes: s.SupportedSyncModes[:1], SourceDefinedPrimaryKey: s.SourceDefinedPrimaryKey}
		}, ""},
		"name":         {func(s *protocol.Stream) { s.Name = "Offers" }, "snake_case"},
		"no modes":     {func(s *protocol.Stream) { s.SupportedSyncModes = nil }, "no sync mode"},
		"unknown mode": {func(s *protocol.Stream) { s.SupportedSyncModes = []protocol.SyncMode{"append"} }, "unknown"},
		"mode twice": {func(s *protocol.Stream) {
			s.SupportedSyncModes = []protocol.SyncMode{"full_refresh", "full_refresh"}
		}, "twice"},
		"cursor not ours":     {func(s *protocol.Stream) { s.SourceDefinedCursor = false }, "source's own"},
		"not resumable":       {func(s *protocol.Stream) { s.IsResumable = false }, "must be resumable"},
		"no cursor":           {func(s *protocol.Stream) { s.DefaultCursorField = nil }, "default cursor"},
		"cursor unknown":      {func(s *protocol.Stream) { s.DefaultCursorField = []string{"at"} }, "the cursor [at] is not in the schema"},
		"cursor is a list":    {func(s *protocol.Stream) { s.DefaultCursorField = []string{"rows"} }, "not a plain value"},
		"key unknown":         {func(s *protocol.Stream) { s.SourceDefinedPrimaryKey = [][]string{{"key"}} }, "the primary key [key] is not"},
		"key is an object":    {func(s *protocol.Stream) { s.SourceDefinedPrimaryKey = [][]string{{"any"}} }, "not a plain value"},
		"schema is no schema": {func(s *protocol.Stream) { s.JSONSchema = json.RawMessage(`{"type":"row"}`) }, "compilation failed"},
	} {
		t.Run(name, func(t *testing.T) { expect(t, lintCatalog(catalog(goodSchema, c.change), []string{"offers"}), c.want) })
	}
	for name, c := range map[string]struct{ old, by, want string }{
		"draft":               {"draft-07", "draft-06", "draft-07"},
		"closed":              {`"additionalProperties": true, "properties"`, `"additionalProperties": false, "properties"`, "additional"},
		"key nullable":        {`"type": "integer"`, `"type": ["null", "integer"]`, `"offers.id" is a key`},
		"not nullable":        {`["null", "string"]`, `"string"`, `"offers.changed_at" must have a list`},
		"null last":           {`["null", "array"]`, `["array", "null"]`, `"offers.rows" must have a list`},
		"nested":              {`["null", "integer"]`, `["integer"]`, `"offers.rows.n" must have a list`},
		"no description":      {`, "description": "Number."`, ``, `"offers.rows.n" has no description`},
		"no zone":             {`"airbyte_type": "timestamp_with_timezone", `, ``, "airbyte_type"},
		"odd format":          {`"format": "date-time"`, `"format": "uri"`, "format"},
		"no items":            {`"items"`, `"contains"`, "without items"},
		"bare object":         {`"description": "Anything.", "additionalProperties": true`, `"description": "Anything."`, `"offers.any" is an object that does`},
		"several types":       {`["null", "array"]`, `["null", "array", "object"]`, `"offers.rows" has several types`},
		"no type":             {`"type": ["null", "array"], `, ``, `"offers.rows" must have a list`},
		"several inside":      {`["null", "integer"]`, `["null", "integer", "string"]`, `"offers.rows.n" has several types`},
		"mixed elements":      {`"items": {"type": ["null", "object"]`, `"items": {"type": ["null", "object", "string"]`, `"offers.rows" has elements`},
		"format inside":       {`"description": "Number."`, `"format": "date", "description": "Number."`, `"offers.rows.n" has a format`},
		"local time":          {`timestamp_with_timezone`, `timestamp_without_timezone`, `timestamp_without_timezone`},
		"no integer":          {`"number"], "airbyte_type": "integer"`, `"string"], "airbyte_type": "integer"`, `"offers.count" has the format`},
		"no text":             {`"string"], "x-nested`, `"boolean"], "x-nested`, `"offers.tags" has x-nested-as-text`},
		"a hash that is none": {`"string"], "x-nested-as-text"`, `"boolean"], "x-row-hash"`, `"offers.tags" has x-row-hash`},
		"a row as text":       {`"string"], "x-nested-as-text"`, `"string"], "x-whole-row"`, `"offers.tags" has x-whole-row`},
		"nothing kept":        {`"_unparsed"`, `"unparsed"`, `must have the column _unparsed`},
		"kept as text":        {`"_unparsed": {"type": ["null", "object"]`, `"_unparsed": {"type": ["null", "string"]`, `must have the column _unparsed`},
		"enum":                {`"description": "Number."`, `"enum": [1], "description": "Number."`, "has an enum"},
		"oneOf":               {`"description": "Number."`, `"oneOf": [{}], "description": "Number."`, "uses oneOf"},
		"reference":           {`"items": {`, `"items": {"$ref": "#/properties/any", `, "$ref"},
		"null record":         {`"type": "object", "additionalProperties"`, `"type": ["null", "object"], "additionalProperties"`, "takes null"},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, lintCatalog(catalog(replaced(t, goodSchema, c.old, c.by), nil), []string{"offers"}), c.want)
		})
	}
	expect(t, lintCatalog(catalog(goodSchema, nil), nil), "offers has no schema file")
	expect(t, lintCatalog(catalog(goodSchema, nil), []string{"offers", "cities"}), "schema file for cities")
	expect(t, lintCatalog(&protocol.Catalog{}, nil), "no streams")
	twice := catalog(goodSchema, nil)
	twice.Streams = append(twice.Streams, twice.Streams[0])
	expect(t, lintCatalog(twice, []string{"offers"}), "twice")
}

const (
	goodMetadata = `metadataSpecVersion: "1.0"
data:
  name: Offers
  definitionId: 11111111-2222-4333-8444-555555555555
  connectorType: source
  connectorSubtype: api
  dockerRepository: ghcr.io/imob-data/source-offers
  dockerImageTag: 1.2.3
  documentationUrl: https://example.com/connectors/source-offers
  githubIssueLabel: source-offers
  icon: icon.svg
  license: MIT
  releaseStage: alpha
  supportLevel: community
  tags: [language:go]
  allowedHosts: {hosts: [api.example.com]}
  suggestedStreams: {streams: [offers]}
  connectorTestSuitesOptions: [{suite: unitTests}, {suite: acceptanceTests}]
  releases: {breakingChanges: {1.0.0: {message: Prices are numbers., upgradeDeadline: "2024-03-01"}}}
`
	goodAcceptance = `connector_image: ghcr.io/imob-data/source-offers:dev
test_strictness_level: high
acceptance_tests:
  spec: {tests: [{config_path: testdata/config.json}]}
  connection: {tests: [{config_path: testdata/config.json, status: succeed}]}
  discovery: {tests: [{config_path: secrets/config.json}]}
  basic_read: {tests: [{config_path: testdata/config.json, empty_streams: [{name: offers, bypass_reason: none}]}]}
  full_refresh: {bypass_reason: none}
  incremental: {bypass_reason: none}
`
	goodReadme = `# Offers

Some ` + "`offers`, `token`, `start_date`, `mode`, `login`, `auth_type`, `key`, `tags`, `base_url`" + `.

## Prerequisites
A token.
## Setup guide
## Set up Offers
### For Airbyte Cloud:
### For Airbyte Open Source:
## Supported sync modes
## Supported Streams
` + fieldsBegin + `

### Fields

<details>
<summary><code>offers</code>: 9 fields</summary>

| Field | Type | Description |
|---|---|---|
| ` + "`id`" + ` | integer, key | Key. |
| ` + "`changed_at`" + ` | timestamp with timezone | When. |
| ` + "`rows`" + ` | array of object | Rows. |
| ` + "`rows[].n`" + ` | integer | Number. |
| ` + "`count`" + ` | integer | Whole. |
| ` + "`day`" + ` | date | Day. |
| ` + "`tags`" + ` | string | A list as text. |
| ` + "`any`" + ` | object | Anything. |
| ` + "`_unparsed`" + ` | object | What did not fit. |

</details>

` + fieldsEnd + `
### Performance considerations
## Data type map
## Limitations & Troubleshooting
### Upgrading to 1.0.0
### Tutorials
## Changelog
| Version | Date | Pull Request | Subject |
|---|---|---|---|
| 1.2.3 | 2024-01-31 | | Later. |
| 1.2.2 | 2024-01-30 | | First. |
`
	goodModule = `module github.com/imob-data/airbyte-connectors/connectors/source-offers

replace (
	github.com/imob-data/airbyte-connectors/common => ../../common
	github.com/imob-data/airbyte-connectors/specs  => ../../specs
)
`
	goodIcon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"></svg>`
)

func TestLintFolder(t *testing.T) {
	for name, c := range map[string]struct{ file, old, by, want string }{
		"good":                    {"README.md", "", "", ""},
		"config":                  {"testdata/config.json", `"t"`, `1`, `"token" must be text`},
		"metadata unknown key":    {"metadata.yaml", "license:", "licence:", "licence"},
		"metadata version":        {"metadata.yaml", `"1.0"`, `"2.0"`, "metadataSpecVersion"},
		"metadata id":             {"metadata.yaml", "11111111-", "1111-", "definitionId"},
		"metadata type":           {"metadata.yaml", "connectorType: source", "connectorType: destination", "connectorType"},
		"metadata subtype":        {"metadata.yaml", "connectorSubtype: api", "connectorSubtype: rest", "connectorSubtype"},
		"metadata repository":     {"metadata.yaml", "imob-data/source-offers", "imob-data/offers", "dockerRepository"},
		"metadata tag":            {"metadata.yaml", "1.2.3", "v1.2", "dockerImageTag"},
		"metadata license":        {"metadata.yaml", "MIT", "ELv2", "license"},
		"metadata language":       {"metadata.yaml", "language:go", "language:python", "language:go"},
		"metadata tag form":       {"metadata.yaml", "[language:go]", "[language:go, brazil]", "/data/tags/1"},
		"metadata hosts":          {"metadata.yaml", "hosts: [api.example.com]", "hosts: []", "allowedHosts"},
		"metadata suggested":      {"metadata.yaml", "streams: [offers]", "streams: [cities]", "suggestedStreams"},
		"metadata documentation":  {"metadata.yaml", "connectors/source-offers\n", "connectors/offers\n", "documentationUrl"},
		"metadata suites":         {"metadata.yaml", "{suite: acceptanceTests}", "{suite: liveTests}", "connectorTestSuitesOptions"},
		"metadata breaking":       {"metadata.yaml", "breakingChanges: {1.0.0:", "breakingChanges: {2.0.0:", `no heading "Upgrading to 2.0.0"`},
		"metadata suggests none":  {"metadata.yaml", "streams: [offers]", "streams: []", "suggestedStreams"},
		"acceptance unknown key":  {"acceptance-test-config.yml", "status: succeed", "outcome: succeed", "outcome"},
		"acceptance image":        {"acceptance-test-config.yml", "source-offers:dev", "source-offers:1", "connector_image"},
		"acceptance status":       {"acceptance-test-config.yml", "succeed", "good", "/acceptance_tests/connection/tests/0/status"},
		"acceptance strictness":   {"acceptance-test-config.yml", "high", "strict", "test_strictness_level"},
		"acceptance file":         {"acceptance-test-config.yml", "testdata/config.json, status", "testdata/none.json, status", "testdata/none.json"},
		"acceptance undeclared":   {"acceptance-test-config.yml", "full_refresh: {bypass_reason: none}", "full_refresh: {}", "full_refresh has neither"},
		"acceptance both":         {"acceptance-test-config.yml", "full_refresh: {", "full_refresh: {tests: [{}], ", "full_refresh has tests and"},
		"acceptance no spec":      {"acceptance-test-config.yml", "spec: {tests: [{config_path: testdata/config.json}]}", "spec: {bypass_reason: x}", "no test of spec"},
		"acceptance empty":        {"acceptance-test-config.yml", "name: offers", "name: cities", `"cities"`},
		"acceptance empty reason": {"acceptance-test-config.yml", "{name: offers, bypass_reason: none}", "{name: offers}", "nothing says why"},
		"readme heading":          {"README.md", "## Data type map\n", "", "Data type map"},
		"readme order":            {"README.md", "## Prerequisites\nA token.\n## Setup guide\n", "## Setup guide\n## Prerequisites\nA token.\n", "Setup guide"},
		"readme title":            {"README.md", "# Offers\n", "# All offers\n", "does not begin"},
		"readme changelog":        {"README.md", "| 1.2.3 |", "| 1.2.4 |", "1.2.3"},
		"readme more":             {"README.md", "| First. |\n", "| First. |\n## More\n", "last chapter"},
		"readme stream":           {"README.md", "`offers`", "offers", "the stream `offers`"},
		"readme field":            {"README.md", "`mode`", "mode", "the field `mode`"},
		"readme nested field":     {"README.md", "`key`", "key", "the field `login[1].key`"},
		"readme fields":           {"README.md", "| `day` | date | Day. |\n", "", "make generate writes them"},
		"readme field's type":     {"README.md", "| array of object |", "| array |", "make generate writes them"},
		"readme without fields":   {"README.md", fieldsEnd, "", "has no list of fields"},
		"readme prerequisites":    {"README.md", "A token.", "Nothing.", "prerequisites"},
		"icon":                    {"icon.svg", "0 0 10 10", "0 0 10 20", "square"},
		"icon size":               {"icon.svg", `viewBox`, `width="10" height="20" viewBox`, "square"},
		"icon of another kind":    {"icon.svg", "<svg", "<html", "not an SVG"},
		"module":                  {"go.mod", "connectors/source-offers", "connectors/source-other", "module"},
		"replace":                 {"go.mod", "../../specs", "../specs", "specs => ../../specs"},
		"plain address":           {"README.md", "A token.", "A token of http://example.com/x.", "http://example.com/x"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{
				"metadata.yaml": goodMetadata, "acceptance-test-config.yml": goodAcceptance, "README.md": goodReadme, "go.mod": goodModule,
				"icon.svg": goodIcon, "testdata/config.json": `{"token": "t"}`,
			}
			files[c.file] = replaced(t, files[c.file], c.old, c.by)
			expect(t, lintFiles(files), c.want)
		})
	}
	found := strings.Join(lintFiles(nil), "\n")
	for _, name := range []string{"metadata.yaml", "acceptance-test-config.yml", "README.md", "go.mod", "icon.svg", "testdata/config.json"} {
		if !strings.Contains(found, name) {
			t.Errorf("nothing is said about a missing %s: %s", name, found)
		}
	}
}

// lintFiles returns what all checks find in a folder.
func lintFiles(files map[string]string) (found []string) {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: fs.ModePerm}
	}
	c := connector{
		name: "source-offers", files: fsys, spec: json.RawMessage(goodSpec), schemas: []string{"offers"},
		catalog: &protocol.Catalog{Streams: []protocol.Stream{{
			Name: "offers", JSONSchema: json.RawMessage(goodSchema), SupportedSyncModes: []protocol.SyncMode{"full_refresh"},
			SourceDefinedPrimaryKey: [][]string{{"id"}},
		}}},
	}
	for _, check := range checks() {
		found = append(found, check.of(c)...)
	}
	return found
}

func TestLintOperations(t *testing.T) {
	const schema = `{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": true, "required": ["id"],
		"properties": {"id": {"type": "string", "description": "Which."}}}`
	offer := func(schema string) []protocol.DestinationOperation {
		return []protocol.DestinationOperation{
			{ObjectName: "close", SyncMode: "update", JSONSchema: json.RawMessage(schema), MatchingKeys: [][]string{{"id"}}},
		}
	}
	for name, c := range map[string]struct{ old, by, want string }{
		"good":           {"", "", ""},
		"draft":          {"draft-07", "draft-06", "draft-07"},
		"closed":         {`"additionalProperties": true`, `"additionalProperties": false`, "additional"},
		"no description": {`"description": "Which."`, `"title": "Which."`, `"close.id" has no description`},
		"required":       {`["id"]`, `["key"]`, `requires "key"`},
		"key":            {`"properties": {"id"`, `"properties": {"key"`, `the matching key ["id"]`},
		"no schema":      {`"type": "object"`, `"type": "row"`, "compilation failed"},
	} {
		t.Run(name, func(t *testing.T) { expect(t, lintOperations(offer(replaced(t, schema, c.old, c.by))), c.want) })
	}
	expect(t, lintOperations(nil), "no operations")
	expect(t, lintOperations(append(offer(schema), offer(schema)...)), "or that of another")
	expect(t, lintModes(json.RawMessage(`{"supported_destination_sync_modes": ["append", "update"]}`), offer(schema)), "")
	expect(t, lintModes(json.RawMessage(`{"supported_destination_sync_modes": ["append"]}`), offer(schema)), `the sync mode "update"`)
	expect(t, lintModes(json.RawMessage(`{}`), nil), "has no supported_destination_sync_modes")
}

func TestLintSecrets(t *testing.T) {
	for name, c := range map[string]struct{ spec, config, want string }{
		"good":     {goodSpec, `{"token": "t-1"}`, ""},
		"optional": {replaced(t, goodSpec, `"required": ["token"], `, ""), `{"token": "t-1"}`, "may be blank"},
		"pasted":   {goodSpec, `{"token": "Bearer t-1"}`, "not what it was"},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, lintConfig(connector{files: fstest.MapFS{configFile: {Data: []byte(c.config)}}, spec: json.RawMessage(c.spec)}), c.want)
		})
	}
}
