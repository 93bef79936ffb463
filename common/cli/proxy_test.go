package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

func TestProxySecrets(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
		t.Setenv(name, "")
	}
	if got, err := proxySecrets(); got != nil || err != nil {
		t.Errorf("without proxies: %q, %v", got, err)
	}
	t.Setenv("http_proxy", "joe:first%25word@proxy.example:3128")
	t.Setenv("HTTPS_PROXY", "http://joe:second@proxy.example:3128")
	if got, err := proxySecrets(); err != nil || !slices.Equal(got, []string{"first%word", "second"}) {
		t.Errorf("%q, %v", got, err)
	}
	t.Setenv("HTTPS_PROXY", "http://joe:wrong%zz@proxy.example:3128")
	_, err := proxySecrets()
	if err == nil || fault.Of(err).Kind != fault.Config || strings.Contains(err.Error(), "wrong") || !strings.Contains(err.Error(), "HTTPS_PROXY") {
		t.Errorf("a proxy that is no address: %v", err)
	}
}
