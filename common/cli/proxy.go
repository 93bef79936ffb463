package cli

import (
	"cmp"
	"net/url"
	"os"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// proxySecrets returns the passwords of the proxies that the environment names. If a variable is not an address, the error is a Config fault, because
// net/http would ignore the variable and send credentials without the proxy.
func proxySecrets() (passwords []string, err error) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		value := cmp.Or(os.Getenv(name), os.Getenv(strings.ToLower(name))) // in net/http's order
		if value == "" {
			continue
		}
		proxy, err := url.Parse(value)
		if err != nil || proxy.Host == "" {
			proxy, err = url.Parse("http://" + value)
		}
		if err != nil {
			return nil, fault.Configf("The environment variable %s is no address of a proxy, like http://name:password@proxy.example:3128 with "+
				"each %% of a password written as %%25.", name)
		}
		if password, ok := proxy.User.Password(); ok && password != "" {
			passwords = append(passwords, password)
		}
	}
	return passwords, nil
}
