package record

import (
	"strings"
	"time"
)

// ParseTime reads a time as APIs write it: in one of layouts (those of package time, tried in order), or as RFC 3339 or something similar: a date
// alone (YYYY-MM-DD, or DD/MM/YYYY as Brazilians write it), or a date, `T` or a space, and `HH:MM` or `HH:MM:SS`, with or without a fraction, with or
// without a zone (`Z`, `±hh`, `±hhmm`, `±hh:mm`). White space around the text is ignored. A text without a zone is in zone; nil is UTC.
//
// ok is false if text cannot be read, and for years before 1000 or after 9999. Old databases are full of years such as 0028, and such a text does not
// sort.
func ParseTime(text string, layouts []string, zone *time.Location) (t time.Time, ok bool) {
	m, ok := readMoment(text, layouts, zone)
	return m.time, ok
}

// moment is a time and the way it was written.
type moment struct {
	time     time.Time
	fraction string // the digits after the seconds, as written
}

func readMoment(text string, layouts []string, zone *time.Location) (m moment, ok bool) {
	if zone == nil {
		zone = time.UTC
	}
	text = strings.TrimSpace(text)
	lenient := false
	for _, layout := range layouts {
		c, matches, simple := readClock(text, layout)
		if matches {
			return c.moment(zone), true
		}
		if simple {
			lenient = true
		} else if m, ok = readLayout(text, layout, zone); ok {
			return m, true
		}
	}
	if c, matches := readDay(text); matches && c.year >= 1000 {
		return c.moment(zone), true
	}
	if lenient { // package time also accepts one-digit hours
		for _, layout := range layouts {
			if m, ok = readLayout(text, layout, zone); ok {
				return m, true
			}
		}
	}
	return moment{}, false
}

// readOld reads a time of a year before 1000, which is common in old databases.
func readOld(text string, zone *time.Location) (m moment, ok bool) {
	if zone == nil {
		zone = time.UTC
	}
	if c, matches := readDay(text); matches && c.year >= 1 && c.year < 1000 {
		return c.moment(zone), true
	}
	return moment{}, false
}

// readLayout is the slow way, for any layout.
func readLayout(text, layout string, zone *time.Location) (m moment, ok bool) {
	t, err := time.ParseInLocation(layout, strings.Clone(text), zone) // time's error would keep text in memory
	if err != nil || t.Year() < 1000 || t.Year() > 9999 {
		return moment{}, false
	}
	fraction := strings.TrimPrefix(strings.TrimRight(t.Format(".000000000"), "0"), ".")
	return moment{t, fraction}, true
}

// clock is the numbers in a text that says a time.
type clock struct {
	year, month, day, hour, minute, second int
	fraction                               string
	zoned                                  bool // the text has its own zone
	offset                                 int  // of that zone, in seconds east of UTC
}

// valid reports whether the time exists, in a year with four digits.
func (c clock) valid() bool { return c.year >= 1000 && c.year <= 9999 && c.exists() }

// exists is like valid, but also accepts years before 1000.
func (c clock) exists() bool {
	if c.year < 0 || c.month < 1 || c.month > 12 || c.day < 1 {
		return false
	}
	if c.hour < 0 || c.hour > 23 || c.minute < 0 || c.minute > 59 || c.second < 0 || c.second > 59 {
		return false
	}
	// Day 0 of the next month is the last day of this one.
	return c.day <= 28 || c.day <= time.Date(c.year, time.Month(c.month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func (c clock) moment(zone *time.Location) moment {
	switch {
	case c.zoned && c.offset == 0:
		zone = time.UTC
	case c.zoned:
		zone = time.FixedZone("", c.offset)
	}
	nanoseconds := 0
	for i := range 9 {
		nanoseconds *= 10
		if i < len(c.fraction) {
			nanoseconds += int(c.fraction[i] - '0')
		}
	}
	t := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, nanoseconds, zone)
	if t.Hour() != c.hour { // the clocks skip this hour: move forward, because package time may move back, at midnight to the day before
		_, offset := t.Zone()
		_, later := t.Add(3 * time.Hour).Zone()
		if later > offset {
			t = t.Add(time.Duration(later-offset) * time.Second)
		}
	}
	return moment{t, c.fraction}
}

// readClock reads text by a layout that consists only of numbers of fixed width and separators. simple is false for any other layout.
func readClock(text, layout string) (c clock, matches, simple bool) {
	c.month, c.day = 1, 1
	matches = true
	for layout != "" {
		var into *int
		width := 2
		switch {
		case strings.HasPrefix(layout, "2006"):
			into, width = &c.year, 4
		case strings.HasPrefix(layout, "01"):
			into = &c.month
		case strings.HasPrefix(layout, "02"):
			into = &c.day
		case strings.HasPrefix(layout, "15"):
			into = &c.hour
		case strings.HasPrefix(layout, "04"):
			into = &c.minute
		case strings.HasPrefix(layout, "05"):
			into = &c.second
		case layout[0] == '/' || layout[0] == '-' || layout[0] == ':' || layout[0] == ' ' || layout[0] == 'T':
			matches = matches && text != "" && text[0] == layout[0]
			layout = layout[1:]
			if matches {
				text = text[1:]
			}
			continue
		default:
			return clock{}, false, false
		}
		layout = layout[width:]
		matches = matches && len(text) >= width
		if !matches {
			continue // the rest of the layout still decides simple
		}
		*into = number(text[:width])
		text = text[width:]
		if into == &c.second {
			c.fraction, text = cutFraction(text)
		}
	}
	return c, matches && text == "" && c.valid(), true
}

// readDay reads the forms that ParseTime accepts without a layout. It also accepts years before 1000.
func readDay(text string) (c clock, matches bool) {
	const day = "2006-01-02"
	switch {
	case len(text) < len(day):
		return c, false
	case text[4] == '-' && text[7] == '-':
		c.year, c.month, c.day = number(text[:4]), number(text[5:7]), number(text[8:10])
	case text[2] == '/' && text[5] == '/':
		c.year, c.month, c.day = number(text[6:10]), number(text[3:5]), number(text[:2])
	default:
		return c, false
	}
	if text = text[len(day):]; text == "" {
		return c, c.exists()
	}
	if len(text) < len("T15:04") || text[0] != 'T' && text[0] != ' ' || text[3] != ':' {
		return c, false
	}
	c.hour, c.minute = number(text[1:3]), number(text[4:6])
	text = text[6:]
	if len(text) >= len(":05") && text[0] == ':' {
		c.second = number(text[1:3])
		c.fraction, text = cutFraction(text[3:])
	}
	switch {
	case text == "":
	case text == "Z":
		c.zoned = true
	case text[0] == '+' || text[0] == '-':
		c.zoned = true
		var hour, minute int
		switch {
		case len(text) == len("+00"):
			hour = number(text[1:])
		case len(text) == len("+0000"):
			hour, minute = number(text[1:3]), number(text[3:])
		case len(text) == len("+00:00") && text[3] == ':':
			hour, minute = number(text[1:3]), number(text[4:])
		default:
			return c, false
		}
		if hour < 0 || hour > 23 || minute < 0 || minute > 59 {
			return c, false
		}
		c.offset = (hour*60 + minute) * 60
		if text[0] == '-' {
			c.offset = -c.offset
		}
	default:
		return c, false
	}
	return c, c.exists()
}

// cutFraction cuts the fraction of a second from the start of text.
func cutFraction(text string) (fraction, rest string) {
	if len(text) < 2 || text[0] != '.' && text[0] != ',' {
		return "", text
	}
	end := 1
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	if end == 1 {
		return "", text
	}
	return text[1:end], text[end:]
}

// number returns the number written in digits, or -1 if these are not all digits.
func number(digits string) (n int) {
	for i := range len(digits) {
		if !isDigit(digits[i]) {
			return -1
		}
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

// appendTo appends the clock as a JSON string: its day for a Date, otherwise all of it. For a Timestamp the clock must be in UTC.
func (c *clock) appendTo(dst []byte, kind Type) []byte {
	dst = appendDigits(append(dst, '"'), c.year, 4)
	dst = appendDigits(append(dst, '-'), c.month, 2)
	dst = appendDigits(append(dst, '-'), c.day, 2)
	if kind == Timestamp {
		dst = appendDigits(append(dst, 'T'), c.hour, 2)
		dst = appendDigits(append(dst, ':'), c.minute, 2)
		dst = appendDigits(append(dst, ':'), c.second, 2)
		if c.fraction != "" {
			dst = append(append(dst, '.'), c.fraction...)
		}
		dst = append(dst, 'Z')
	}
	return append(dst, '"')
}

// appendUTC appends the moment as RFC 3339 in UTC, with its fraction as written. ok is false if its year in UTC does not have four digits.
func (m moment) appendUTC(dst []byte) (text []byte, ok bool) {
	t := m.time.UTC()
	if year := t.Year(); year < 1 || year > 9999 {
		return dst, false
	}
	dst = appendDay(dst, t)
	hour, minute, second := t.Clock()
	dst = appendDigits(append(dst, 'T'), hour, 2)
	dst = appendDigits(append(dst, ':'), minute, 2)
	dst = appendDigits(append(dst, ':'), second, 2)
	if m.fraction != "" {
		dst = append(append(dst, '.'), m.fraction...)
	}
	return append(dst, 'Z'), true
}

// appendDay appends the day of t as YYYY-MM-DD.
func appendDay(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	dst = appendDigits(dst, year, 4)
	dst = appendDigits(append(dst, '-'), int(month), 2)
	return appendDigits(append(dst, '-'), day, 2)
}

// appendDigits appends n, which must not be negative, with width digits.
func appendDigits(dst []byte, n, width int) []byte {
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; n > 0 && i >= len(dst)-width; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}
