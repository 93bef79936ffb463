package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// bigData is where the paths of the reports begin, below root, for which a company may have a token of its own.
const bigData = "big-data/"

// tokens signs requests with the API token, and those for reports with the one that is for them, where there is one.
type tokens struct {
	httpclient.Signer

	reports httpclient.Signer // nil: there is none
}

func newTokens(token, reports string) tokens {
	t := tokens{Signer: auth.Header(tokenHeader, token)}
	if reports != "" {
		t.reports = auth.Header(tokenHeader, reports)
	}
	return t
}

// tokenHeader is the header in which NectarCRM wants a token.
const tokenHeader = "Access-Token"

// Sign puts the token on r. That the one for reports is refused says nothing of the other.
func (t tokens) Sign(ctx context.Context, r *httpclient.Request) error {
	if t.reports == nil || !strings.HasPrefix(r.Path, root+bigData) {
		return t.Signer.Sign(ctx, r)
	}
	then := r.First
	r.First = func(res *httpclient.Response) httpclient.Verdict {
		if res.Status == http.StatusUnauthorized {
			return httpclient.Fail(fault.Configf("NectarCRM does not accept the Big Data Token (401). Put one that may read reports into the " +
				"configuration as big_data_token, or leave that empty for the API Token to be used."))
		}
		if then == nil {
			return httpclient.Verdict{}
		}
		return then(res)
	}
	return t.reports.Sign(ctx, r)
}

// expiry returns why a token that ended cannot be used, or a warning that it ends within a week; title is what the configuration calls it.
// NectarCRM's tokens are JSON Web Tokens whose claim exp is the date that was chosen for them; those made until 2021 say nothing.
func expiry(title, token string, now time.Time) (warnings []string, ended error) {
	const renew = "Generate a new one in NectarCRM (Configurações, Integrações, Gerar Token) and put it into the configuration."
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return nil, nil
	}
	payload, _ := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "=")) // what cannot be read says nothing either
	claims, _, _ := record.Clean(payload)
	seconds, ok := claims.Get("exp").Int()
	if !ok || seconds <= 0 { // no date was chosen
		return nil, nil
	}
	switch end := time.Unix(seconds, 0).UTC(); {
	case !end.After(now):
		return nil, fault.Configf("The %s ended on %s. %s", title, end.Format(time.DateOnly), renew)
	case end.Before(now.AddDate(0, 0, 7)):
		return []string{fmt.Sprintf("The %s ends on %s. %s", title, end.Format(time.DateOnly), renew)}, nil
	default:
		return nil, nil
	}
}
