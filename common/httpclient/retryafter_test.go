package httpclient

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		value, date string
		want        time.Duration // 0: the server does not say
	}{
		{"", "", 0},
		{"soon", "", 0},
		{"-5", "", 0},
		{"1.5", "", 0},
		{"120", "", 2 * time.Minute},
		{" 7 ", "", 7 * time.Second},
		{"0", "", time.Second},
		{"99999999999999999999999", "", longestWish},
		{"9223372036854775807", "", longestWish},
		{"Sun, 01 Mar 2026 12:01:00 GMT", "", time.Minute},
		{"Sunday, 01-Mar-26 12:01:00 GMT", "", time.Minute},
		{"Sun Mar  1 12:01:00 2026", "", time.Minute},
		{"Sun, 01 Mar 2026 11:00:00 GMT", "", time.Second},
		{"Sun, 01 Mar 2026 13:01:00 GMT", "Sun, 01 Mar 2026 13:00:00 GMT", time.Minute}, // the server's clock is an hour ahead
		{"Fri, 31 Dec 9999 23:59:59 GMT", "", longestWish},
	}
	for _, tt := range tests {
		got := retryAfter(http.Header{"Retry-After": {tt.value}, "Date": {tt.date}}, now)
		want := time.Time{}
		if tt.want > 0 {
			want = now.Add(tt.want)
		}
		if !got.Equal(want) {
			t.Errorf("%q: got %v, want %v", tt.value, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120", "Sun, 01 Mar 2026 12:00:00 GMT")
	f.Add("Sunday, 01-Mar-26 12:01:00 GMT", "")
	f.Add("Sun Mar  1 12:01:00 2026", "Sun Nov  6 08:49:37 0000")
	f.Add("18446744073709551616", "x")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value, date string) {
		got := retryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, now)
		if !got.IsZero() && (got.Before(now.Add(shortestWish)) || got.After(now.Add(longestWish))) {
			t.Errorf("%q, %q: %v", value, date, got)
		}
		if _, err := time.Parse(time.RFC3339, got.Format(time.RFC3339)); err != nil {
			t.Error(err)
		}
	})
}
