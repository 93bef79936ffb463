package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/snapproperty"
)

// ordered is how many records of each operation a destination is given.
const ordered = 25

// orders is a simulator that can be written to.
type orders interface {
	sim.Simulator

	DestinationConfig(baseURL string, quota sim.Quota) map[string]any
	Orders(operation string, n int) []snapproperty.Order
	Runs() map[snapproperty.Run]int
}

// destination shows one destination: it carries out orders of all operations, and when they come again, as they do when a sync is tried
// again, its journal keeps it from carrying them out twice.
func (d *demo) destination(ctx context.Context, c harness.Connector, runner harness.Runner) (err error) {
	opened, err := d.open(c, sim.Options{Size: d.size})
	if err != nil {
		return err
	}
	simulator, ok := opened.(orders)
	if !ok {
		return fmt.Errorf("the simulator of %s takes no orders", c.Name)
	}
	server, err := sim.Start(simulator, "", sim.Behaviour{})
	if err != nil {
		return err
	}
	defer server.Close()
	settings := simulator.DestinationConfig(server.URL, sim.Quota{})
	config, err := json.Marshal(settings)
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	s, discovered, err := d.introduce(ctx, c, runner, simulator, config)
	if err != nil {
		return err
	}
	if _, isBinary := runner.(harness.Binary); isBinary { // a container would need a volume
		journal := filepath.Join(s.dir, "journal")
		settings["journal_path"] = journal
		if config, err = json.Marshal(settings); err != nil {
			return fmt.Errorf("writing the configuration: %w", err)
		}
		if err := os.RemoveAll(journal); err != nil { // of the demo before
			return fmt.Errorf("removing the journal of the demo before: %w", err)
		}
	}
	var messages bytes.Buffer
	var streams []map[string]any
	encoder := json.NewEncoder(&messages)
	for _, offer := range discovered.Offers {
		streams = append(streams, map[string]any{
			"stream":    map[string]any{"name": offer.ObjectName, "json_schema": map[string]any{}, "supported_sync_modes": []string{harness.FullRefresh}},
			"sync_mode": harness.FullRefresh, "destination_sync_mode": offer.SyncMode, "sync_id": 1,
		})
		for i, o := range simulator.Orders(offer.ObjectName, ordered) {
			err = errors.Join(err, encoder.Encode(map[string]any{
				"type": "RECORD", "record": map[string]any{"stream": offer.ObjectName, "data": o.Record, "emitted_at": time.Now().UnixMilli()},
			}), encoder.Encode(map[string]any{"type": "STATE", "state": map[string]any{
				"type": "STREAM", "stream": map[string]any{
					"stream_descriptor": map[string]any{"name": offer.ObjectName}, "stream_state": map[string]any{"done": i + 1},
				},
			}}))
		}
	}
	catalog, catalogErr := json.Marshal(map[string]any{"streams": streams})
	if err = errors.Join(err, catalogErr); err != nil {
		return fmt.Errorf("writing the messages: %w", err)
	}
	first, err := s.run(ctx, "write", harness.Write(config, catalog, bytes.NewReader(messages.Bytes())))
	if err != nil {
		return err
	}
	before := carriedOut(simulator)
	if settings["journal_path"] != nil {
		if _, err := s.run(ctx, "second", harness.Write(config, catalog, bytes.NewReader(messages.Bytes()))); err != nil {
			return err
		}
	}
	after := carriedOut(simulator)
	var rows []row
	for _, offer := range discovered.Offers {
		name, counted := offer.ObjectName, 0.0
		for _, state := range first.States {
			if state.Stream == name {
				counted += state.Count - state.Refused
			}
		}
		if int(counted) != before[name] || counted == 0 || after[name] != before[name] {
			err = errors.Join(err, fmt.Errorf("%s: %v records are counted, %d were carried out, and %d in all after a second attempt",
				name, counted, before[name], after[name]))
		}
		rows = append(rows, row{
			connector: c.Name, stream: name, records: before[name], took: first.Wall, second: after[name] - before[name], writes: true,
		})
	}
	d.rows = append(d.rows, rows...)
	return errors.Join(err, d.show(c, harness.Catalog{}, rows, first))
}

// carriedOut counts what took effect, by operation.
func carriedOut(s orders) map[string]int {
	counts := map[string]int{}
	for run, n := range s.Runs() {
		counts[run.Method] += n
	}
	return counts
}
