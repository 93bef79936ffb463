package main

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// expiry is why a token that ended cannot be used, or a warning that it ends within a week. NectarCRM's tokens are JSON Web Tokens whose
// claim exp is the date that was chosen for them; those made until 2021 say nothing.
func expiry(token string, now time.Time) (warnings []string, ended error) {
	const renew = "Generate a new one in NectarCRM (Configurações, Integrações, Gerar Token) and put it into the configuration."
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return nil, nil
	}
	payload, _ := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "=")) // what cannot be read says nothing either
	claims, _, _ := record.Clean(payload)
	seconds, ok := claims.Get("exp").Int()
	if !ok {
		return nil, nil
	}
	switch end := time.Unix(seconds, 0).UTC(); {
	case !end.After(now):
		return nil, fault.Configf("The API Token ended on %s. %s", end.Format(time.DateOnly), renew)
	case end.Before(now.AddDate(0, 0, 7)):
		return []string{fmt.Sprintf("The API Token ends on %s. %s", end.Format(time.DateOnly), renew)}, nil
	default:
		return nil, nil
	}
}
