package judge

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/proxy"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// faultChecks returns a check for each fault that a proxy can make.
func faultChecks() []Check {
	var all []Check
	for _, f := range proxy.Faults() {
		all = append(all, Check{
			Name: strings.ReplaceAll(f.Name, "-", "_"), Fault: true, Kind: Sources,
			Why: "Where " + f.Means + ", a read is complete with the same rows, or fails with a TRACE ERROR and does not exit with 0.",
			Run: fault(f),
		})
	}
	return all
}

// standing is a check's own proxy in front of the API, and how a read goes through it.
type standing struct {
	*proxy.Proxy

	api *api     // the proxy instead of the simulator; nil if requests are forwarded
	env []string // the environment that forwards requests
}

// stand puts a proxy in front of an API. It replaces a simulator's address, or the address in the field base-url-field. Without either, everything
// that the connector sends goes through it.
func (s *Subject) stand(a *api, o proxy.Options) (standing, error) {
	field := s.options.BaseURLField
	var address *url.URL
	if a != nil {
		o.Target = a.URL
	} else if field != "" {
		path, err := s.principal()
		if err != nil {
			return standing{}, err
		}
		config := map[string]any{}
		if err := readFile(s.Config.Path(path), &config); err != nil {
			return standing{}, fmt.Errorf("looking for the API's address: %w", err)
		}
		text, _ := config[field].(string)
		if address, err = url.Parse(text); err != nil || address.Host == "" {
			return standing{}, fmt.Errorf("looking for the API's address: the field %s of %s has none", field, path)
		}
		o.Target = address.Scheme + "://" + address.Host
	}
	p, err := proxy.Start(o)
	switch {
	case err != nil:
		return standing{}, err
	case a != nil:
		return standing{Proxy: p, api: a.behind(p.URL())}, nil
	case field != "":
		address.Host = strings.TrimPrefix(p.URL(), "http://")
		address.Scheme = "http"
		return standing{Proxy: p, api: &api{config: map[string]any{field: address.String()}, addresses: []string{field}}}, nil
	default:
		return standing{Proxy: p, env: p.Env()}, nil
	}
}

// behind returns the same simulator at another address.
func (a *api) behind(url string) *api {
	through := *a
	through.config = map[string]any{}
	for field, value := range a.config {
		text, ok := value.(string)
		if ok && slices.Contains(a.addresses, field) {
			value = url + strings.TrimPrefix(text, a.URL)
		}
		through.config[field] = value
	}
	return &through
}

// planned says which requests a fault affects. A 429 comes once, because without a Retry-After many connectors wait for a minute or more. A repeated
// page comes instead of the first page that can be repeated, because a listing may only have two pages.
func planned(f proxy.Fault) proxy.Plan {
	plan := proxy.Plan{Pause: 2 * time.Second}
	switch {
	case strings.HasPrefix(f.Name, "429"):
		plan.Every = -1
	case f.Name == "repeated-page":
		plan.First = 1
	}
	return plan
}

// fault returns a check that reads while answers go wrong in one way, and compares with a read without faults.
func fault(f proxy.Fault) func(context.Context, *Trial) error {
	return afresh(func(ctx context.Context, t *Trial, test Common, streams []harness.Stream, whole *Run) error {
		return struck(ctx, t, f, readOrder{test: test, streams: streams}, whole)
	})
}

// struck makes the read and judges it.
func struck(ctx context.Context, t *Trial, f proxy.Fault, o readOrder, whole *Run) (err error) {
	a := t.api
	if a != nil {
		if a, err = t.serve(a.simulator, sim.Behaviour{}); err != nil {
			return err
		}
	}
	before, err := t.stand(a, proxy.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = before.Close() }() // nothing is recorded
	before.Strike(f, planned(f))
	o.label, o.mode, o.limit = "read where "+f.Means, harness.Incremental, 10*time.Minute
	o.api, o.runner = before.api, t.through(before)
	r, err := t.read(ctx, o)
	if err != nil {
		return err
	}
	strikes := before.Strikes()
	if len(strikes) == 0 {
		t.skip("no request met the fault: of %d requests none could", before.Requests())
		return nil
	}
	expected := fmt.Sprintf("the same rows as without faults, or a TRACE ERROR and an exit code that is not 0 "+
		"(%d of %d requests went wrong, the first was %s)", len(strikes), before.Requests(), strikes[0].Request)
	switch {
	case r.Late:
		t.fail(expected, r.String(), "")
	case r.Code == 0:
		t.complete(expected, whole, o.streams, r)
	case len(r.Failures) == 0:
		t.fail(expected, r.String(), "")
	default:
		for _, failure := range r.Failures {
			if !slices.Contains(f.Kinds, failure.Type) {
				t.fail("a failure_type that says whose fault it is: "+strings.Join(f.Kinds, " or "), failure.Type+": "+failure.Message, "")
			}
		}
	}
	return nil
}

// through returns the subject's runner. If the proxy forwards requests, the runner has the environment and the files for that.
func (s *Subject) through(place standing) harness.Runner {
	if place.env == nil {
		return s.runner
	}
	switch r := s.runner.(type) {
	case harness.Binary:
		r.Env = slices.Concat(r.Env, place.env)
		return r
	case harness.Image:
		r.Env = slices.Concat(r.Env, place.env)
		r.Binds = append(slices.Clone(r.Binds), place.CAFile()+":"+place.CAFile()+":ro")
		return r
	default:
		return s.runner
	}
}
