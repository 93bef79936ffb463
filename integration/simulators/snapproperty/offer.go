package snapproperty

import (
	"maps"
	"slices"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Offer returns up to n records of all contract methods, the methods in turn.
func (s *Simulator) Offer(n int) (all []sim.Offered) {
	names := slices.Sorted(maps.Keys(s.methods()))
	orders := map[string][]Order{}
	for _, method := range names {
		orders[method] = s.Orders(method, n)
	}
	for i := 0; len(all) < n && i < n; i++ {
		for _, method := range names {
			if i >= len(orders[method]) || len(all) == n {
				continue
			}
			data := map[string]any{}
			for field, value := range orders[method][i].Record {
				data[field] = value
			}
			all = append(all, sim.Offered{Stream: method, Data: data, ID: orders[method][i].Run})
		}
	}
	return all
}

// Took returns how often an order took effect.
func (s *Simulator) Took(o sim.Offered) int {
	run, ok := o.ID.(Run)
	if !ok {
		return 0
	}
	return s.Runs()[run]
}
