package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"runtime"
	"slices"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// held is how many bytes the scenario "large" keeps in memory, without a pointer in them.
const held = 96 << 20

// large allocates much, keeps held bytes of it, and returns when the collector runs next.
func large(_ context.Context, _ *protocol.ConfiguredCatalog, _ []byte, out *protocol.Emitter) error {
	kept, passing := make([][]byte, 0, held>>20), make([]byte, 0)
	for range cap(kept) {
		kept = append(kept, make([]byte, 1<<20))
	}
	for range 4000 {
		passing = slices.Grow(passing[:0:0], 100<<10)
	}
	next := uint64(math.MaxUint64)
	for range 20 { // the least, since what other goroutines allocate while the collector runs is held for the moment, on a slow machine for long
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		next = min(next, m.NextGC)
	}
	runtime.KeepAlive(kept)
	runtime.KeepAlive(passing)
	return out.Record(deals, fmt.Appendf(nil, `{"next":%d}`, next))
}

func TestPaceOfTheCollector(t *testing.T) {
	for name, tt := range map[string]struct {
		environment []string
		least, most uint64 // when the collector runs
	}{
		"by itself":  {nil, held + room, held + 5*room},
		"GOGC":       {[]string{"GOGC=200"}, 3 * held, math.MaxUint64},
		"GOMEMLIMIT": {[]string{"GOMEMLIMIT=1TiB"}, 2 * held, math.MaxUint64},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout bytes.Buffer
			cmd := start(t, "large", func(c *exec.Cmd) {
				c.Env = append(append(c.Env, "GOGC=", "GOMEMLIMIT="), tt.environment...)
				c.Stdout = &stdout
			})
			exits(t, cmd, 0)
			var next struct{ Next uint64 }
			for m, err := range protocol.Read(&stdout) {
				if err != nil {
					t.Fatal(err)
				}
				if m.Record != nil {
					if err := json.Unmarshal(m.Record.Data, &next); err != nil {
						t.Fatal(err)
					}
				}
			}
			if next.Next < tt.least || next.Next > tt.most {
				t.Errorf("with %d MiB held the collector runs at %d MiB", held>>20, next.Next>>20)
			}
		})
	}
}

func TestPercent(t *testing.T) {
	const mega = 1 << 20
	for _, tt := range []struct {
		live, look uint64
		want       int
	}{
		{0, mega, 75}, // before the first run: Go begins at 4 MiB
		{4 * mega, mega, 75},
		{4 * mega, 4 * mega, 100},
		{12 * mega, 6 * mega, 50},
		{120 * mega, 6 * mega, 5},
		{120 * mega, 30 * mega, 25},
		{240 * mega, 240 * mega, 100},
		{2400 * mega, 0, 1}, // 0 would make it run all the time
	} {
		if got := percent(tt.live, tt.look); got != tt.want {
			t.Errorf("percent(%d MiB, %d MiB) = %d, want %d", tt.live/mega, tt.look/mega, got, tt.want)
		}
	}
}
