package record

import (
	"runtime"
	"testing"
)

func TestGrowCollectsBeforeItSetsMuchAside(t *testing.T) {
	for _, tt := range []struct {
		have, more int
		collects   bool
	}{{0, large, true}, {0, large - 1, false}, {large, large, false}, {large, large + 1, true}} {
		b := make([]byte, 1, tt.have+1)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b = Grow(b, tt.more)
		runtime.ReadMemStats(&after)
		if len(b) != 1 || cap(b) < 1+tt.more || (after.NumForcedGC > before.NumForcedGC) != tt.collects {
			t.Errorf("from %d by %d: %d of %d, collected %d times", tt.have, tt.more, len(b), cap(b), after.NumForcedGC-before.NumForcedGC)
		}
	}
}
