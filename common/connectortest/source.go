package connectortest

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/cli"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// Discover returns the streams that src discovers with testdata/config.json, by name.
func Discover(t *testing.T, src cli.Source) map[string]protocol.Stream {
	t.Helper()
	config, err := os.ReadFile(configFile)
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := src.Discover(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	streams := map[string]protocol.Stream{}
	for _, s := range catalog.Streams {
		streams[s.Name] = s
	}
	return streams
}

// Check checks what src says about config: that it works if want is "", and otherwise a Config fault with want in its message.
func Check(t *testing.T, src cli.Source, config map[string]any, want string) {
	t.Helper()
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	err = src.Check(t.Context(), data)
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || fault.Of(err).Kind != fault.Config || !strings.Contains(fault.Of(err).Message, want)):
		t.Errorf("%v; want a config error with %q", err, want)
	}
}
