package main

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"
)

type object = map[string]any

// config is a configuration.
type config struct {
	BaseURL     string `json:"base_url"`
	StartDate   string `json:"start_date"`
	Credentials *struct {
		AccessToken string `json:"access_token"`
		Token       string `json:"token"`
	} `json:"credentials"`
}

func (c *connector) spec() error {
	if c.on("beyond.spec_time") {
		pause(slowness)
	}
	spec := object{
		"documentationUrl": "https://example.com/library", "connectionSpecification": schema(), "advanced_auth": oauth(),
		"supported_destination_sync_modes": []any{"append"},
	}
	c.breakSpec(spec)
	c.say("SPEC", "spec", spec)
	if c.on("spec.answer", "image.spec") {
		c.say("SPEC", "spec", spec)
	}
	return nil
}

// slowness is longer than the test's limits for commands and for silence.
const slowness = 2 * time.Second

// schema returns the schema of a configuration.
func schema() object {
	variant := func(title, kind, field string) object {
		return object{
			"title": title, "type": "object", "required": []any{"auth_type", field},
			"properties": object{
				"auth_type": object{"type": "string", "const": kind, "order": 0},
				field:       object{"type": "string", "title": title, "airbyte_secret": true, "order": 1},
			},
		}
	}
	return object{
		"$schema": "http://json-schema.org/draft-07/schema#", "title": "Library", "type": "object", "additionalProperties": true,
		"required": []any{"base_url", "credentials"},
		"properties": object{
			"base_url": object{"type": "string", "title": "Address", "order": 0},
			"credentials": object{
				"type": "object", "title": "Credentials", "order": 1, "display_type": "radio",
				"oneOf": []any{variant("OAuth", "oauth2.0", "access_token"), variant("Token", "token", "token")},
			},
			"start_date": object{
				"type": "string", "title": "Start Date", "order": 2, "format": "date-time", "default": "2025-01-01T00:00:00Z",
				"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
			},
		},
	}
}

// oauth describes how the platform gets a token by itself.
func oauth() object {
	return object{
		"auth_flow_type": "oauth2.0", "predicate_key": []any{"credentials", "auth_type"}, "predicate_value": "oauth2.0",
		"oauth_config_specification": object{"complete_oauth_output_specification": object{
			"type": "object",
			"properties": object{
				"access_token": object{"type": "string", "path_in_connector_config": []any{"credentials", "access_token"}},
			},
		}},
	}
}

// breakSpec breaks a specification.
func (c *connector) breakSpec(spec object) {
	schema := spec["connectionSpecification"].(object) //nolint:forcetypeassert // made above
	fields := schema["properties"].(object)            //nolint:forcetypeassert // made above
	buttons := object{"type": "object", "display_type": "buttons", "oneOf": []any{object{"properties": object{"a": object{"const": "a"}}}}}
	more := map[string]object{
		"spec.enum_usage":                           {"type": "string", "enum": []any{"fine", "fine"}},
		"spec.oneof_usage":                          {"type": "object", "oneOf": []any{object{"properties": object{"a": object{"type": "string"}}}}},
		"spec.secret_is_properly_marked":            {"type": "string"},
		"spec.property_type_is_not_array":           {"type": []any{"string", "integer", "null"}},
		"spec.object_not_empty":                     {"type": "object"},
		"spec.array_type":                           {"type": "array", "items": object{"type": "boolean"}},
		"spec.forbidden_complex_types":              {"type": "string", "not": object{"const": "x"}},
		"spec.date_pattern":                         {"type": "string", "format": "date"},
		"spec.date_format":                          {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
		"spec.duplicate_order":                      {"type": "string", "order": 0},
		"spec.nested_group":                         {"type": "object", "properties": object{"a": object{"type": "string", "group": "auth"}}},
		"spec.display_type":                         buttons,
		"spec.defined_refs_exist_in_json_spec_file": {"$ref": "#/definitions/nothing"},
		"spec.additional_properties_is_true":        {"type": "object", "additionalProperties": false, "properties": object{"a": object{"type": "string"}}},
	}
	if field, ok := more[c.broken]; ok {
		name := "extra"
		if c.on("spec.secret_is_properly_marked") {
			name = "password"
		}
		fields[name] = field
	}
	switch c.broken {
	case "spec.config_match_spec":
		schema["required"] = []any{"base_url", "credentials", "region"}
		fields["region"] = object{"type": "string"}
	case "spec.match_expected":
		spec["documentationUrl"] = "https://example.com/another"
	case "spec.has_secret":
		fields["credentials"] = object{"type": "object", "title": "Credentials", "order": 1, "properties": object{"pin": object{"type": "string"}}}
		delete(spec, "advanced_auth")
	case "spec.oauth_flow_parameters":
		auth := maps.Clone(spec["advanced_auth"].(object)) //nolint:forcetypeassert // made above
		auth["predicate_key"] = []any{"credentials", "method"}
		spec["advanced_auth"] = auth
	case "spec.oauth_is_default_method":
		credentials := fields["credentials"].(object) //nolint:forcetypeassert // made above
		variants := credentials["oneOf"].([]any)      //nolint:forcetypeassert // made above
		credentials["oneOf"] = []any{variants[1], variants[0]}
	case "spec.backward_compatibility":
		fields["start_date"] = object{"type": "integer", "title": "Start Date", "order": 2}
	}
}

// configure reads a configuration and checks what is required.
func (c *connector) configure(file string) error {
	var cfg config
	if err := decode(file, &cfg); err != nil {
		return err
	}
	switch {
	case cfg.BaseURL == "" || cfg.Credentials == nil && !c.on("spec.required"):
		return failure{"config_error", "The address and the credentials are required.", errors.New("something is missing")}
	case cfg.StartDate == "" && c.on("spec.optional"):
		return failure{"config_error", "The start date is required.", errors.New("it is missing")}
	}
	token := ""
	if cfg.Credentials != nil {
		token = cfg.Credentials.Token + cfg.Credentials.AccessToken
	}
	c.client = &client{connector: c, http: &http.Client{}, base: cfg.BaseURL, token: token}
	if c.on("faults.reset") { // otherwise the transport repeats a request on a reused connection
		c.client.http.Transport = &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}
	}
	if c.on("spec.secret_never_in_the_output") {
		c.log("using the token " + token)
	}
	if c.on("beyond.secrets") {
		c.log("using a token of " + encoded(token))
	}
	return nil
}

func (c *connector) check(ctx context.Context, a arguments) error {
	if c.on("beyond.check_time") {
		pause(slowness)
	}
	err := c.configure(a.config)
	if err == nil && (c.client.token != "" || !c.on("spec.required")) {
		_, err = c.client.get(ctx, "/genres")
	}
	status := object{"status": "SUCCEEDED"}
	if err != nil && !c.on("connection.check", "image.check") {
		status = object{"status": "FAILED", "message": c.hide(err.Error())}
	}
	c.say("CONNECTION_STATUS", "connectionStatus", status)
	return nil
}
