package sim

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestQuota(t *testing.T) {
	at := func(seconds ...float64) []float64 { return seconds }
	three := Quota{Requests: 3, Window: 60 * time.Second}
	short := Quota{Requests: 1, Window: 60 * time.Second, Hold: 5 * time.Second}
	early := Quota{Requests: 9, Window: 10 * time.Second, Early: []int{2}}
	for name, test := range map[string]struct {
		quota   Quota
		at      []float64 // seconds of arrival
		refused []int     // numbers of the requests, from 0
	}{
		"within the quota":                   {three, at(0, 10, 20, 60, 70, 80), nil},
		"the window slides":                  {three, at(0, 30, 31, 60, 61), []int{4}},
		"just inside the window":             {three, at(0, 0, 0, 59.999), []int{3}},
		"held for a window from the first":   {three, at(0, 1, 2, 50, 60.5, 109.999, 110), []int{3, 4, 5}},
		"refused ones do not count":          {three, at(0, 0, 0, 1, 2, 3, 4, 61, 61, 61, 62), []int{3, 4, 5, 6, 10}},
		"held as long as is said":            {short, at(0, 1, 2, 6.1, 11, 60), []int{1, 2, 3, 4}},
		"early, although the quota is whole": {early, at(0, 1, 10.5, 11, 12), []int{1, 2}},
		"early, without a quota":             {Quota{Hold: time.Second, Early: []int{1, 3}}, at(0, 1, 2, 3), []int{0, 2}},
		"none":                               {Quota{}, at(0, 0, 0, 0), nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate, start := NewGate(fake{}, Behaviour{Quota: test.quota}), time.Now()
				var refused []int
				for i, at := range test.at {
					wait(t.Context(), time.Until(start.Add(time.Duration(at*float64(time.Second)))))
					answer, _ := ask(t, gate, "/")
					if answer.Code == http.StatusTooManyRequests {
						refused = append(refused, i)
					}
				}
				if !slices.Equal(refused, test.refused) || gate.Stats().Throttled != len(refused) {
					t.Errorf("refused are %v, want %v; counted %d", refused, test.refused, gate.Stats().Throttled)
				}
			})
		})
	}
}

func TestPerMinute(t *testing.T) {
	for _, test := range []struct {
		quota Quota
		want  int
	}{
		{Quota{}, 1_000_000},
		{Quota{Requests: 5}, 1_000_000},
		{Quota{Window: time.Second}, 1_000_000},
		{Quota{Requests: 60, Window: time.Minute}, 60},
		{Quota{Requests: 9, Window: 35 * time.Second}, 15},
		{Quota{Requests: 3, Window: time.Second}, 180},
		{Quota{Requests: 1, Window: time.Hour}, 1},
	} {
		if got := test.quota.PerMinute(); got != test.want {
			t.Errorf("%d in %v are %d in a minute, want %d", test.quota.Requests, test.quota.Window, got, test.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for form, want := range map[RetryAfter]string{NoRetryAfter: "", RetryAfterSeconds: "60", RetryAfterDate: "Sat, 01 Jan 2000 00:01:01 GMT"} {
		synctest.Test(t, func(t *testing.T) { // starts at midnight UTC 2000-01-01
			gate := NewGate(fake{}, Behaviour{Quota: Quota{Requests: 1, Window: time.Minute, RetryAfter: form}})
			ask(t, gate, "/")
			wait(t.Context(), 500*time.Millisecond)
			if answer, _ := ask(t, gate, "/"); answer.Header().Get("Retry-After") != want {
				t.Errorf("form %q: %q, want %q", form, answer.Header().Get("Retry-After"), want)
			}
		})
	}
}
