package rest

import (
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// mistake returns what is wrong with the description, whatever the configuration is, or nil: a system error.
func (a *API) mistake() error {
	for i := range a.Streams {
		s := &a.Streams[i]
		if a.stream(s.Name) != s {
			return fault.Systemf("the connector describes the stream %q twice", s.Name)
		}
		if s.Parent != nil && s.Explode != nil {
			return fault.Systemf("the stream %q has both a Parent and an Explode", s.Name)
		}
		origin := a.origin(s)
		switch {
		case origin == nil:
			return fault.Systemf("the stream %q is made from %q, which the connector does not have", s.Name, s.of())
		case origin.Parent != nil || origin.Explode != nil || s.Explode != nil && a.stream(s.Explode.Of).Explode != nil:
			return fault.Systemf("the stream %q is made from %q, which has no listing of its own", s.Name, origin.Name)
		}
		if s != origin && (len(s.sets()) > 0 || s.Removed != nil || s.Windows != nil) {
			return fault.Systemf("the stream %q has sets of parameters, which only a listing of its own has", s.Name)
		}
		_, held := s.Pages.(pagination.Held)
		_, single := s.Pages.(pagination.Single)
		if s.Repeats != "" && (!held && !single || len(s.Ways) > 0 || s.Explode != nil) {
			return fault.Systemf("the stream %q counts rows of one key in a listing whose pages may bring a row twice", s.Name)
		}
		if s.Repeats != "" && s.Windows != nil && s.Windows.Undated {
			return fault.Systemf("the stream %q counts rows of one key, and would count them again without days", s.Name)
		}
	}
	return nil
}
