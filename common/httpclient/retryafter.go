package httpclient

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// shortestWish is the shortest wait that a Retry-After asks for, because servers round down to 0.
const shortestWish = time.Second

// longestWish keeps a Retry-After within the range of dates.
const longestWish = 10 * 365 * 24 * time.Hour

// retryAfter returns when the server wants to be asked again, or the zero time if it does not say. The header holds seconds or an HTTP date in any of
// its three formats (RFC 9110, 10.2.3 and 5.6.7). A date is relative to the answer's own Date, because the two clocks may differ.
func retryAfter(h http.Header, now time.Time) time.Time {
	value := strings.TrimSpace(h.Get("Retry-After"))
	wish, ok := seconds(value)
	if !ok {
		date, err := http.ParseTime(value)
		if err != nil {
			return time.Time{}
		}
		from, err := http.ParseTime(h.Get("Date"))
		if err != nil {
			from = now
		}
		wish = date.Sub(from)
	}
	return now.Add(min(max(wish, shortestWish), longestWish))
}

// seconds parses a whole number of seconds of any size.
func seconds(s string) (time.Duration, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > math.MaxInt64/int64(time.Second) {
		return math.MaxInt64, true
	}
	return time.Duration(n) * time.Second, true
}
