package redact

// alphabet is how bytes are written as digits. It must not be changed.
type alphabet struct {
	bits   int       // of a digit
	starts int       // number of positions in a group of digits at which a byte can begin
	values [256]int8 // of each digit; negative if the byte is not a digit
}

// newAlphabet returns the alphabet of digits, which are in the order of their values. Each of others, such as capitals, lists more digits with the
// same values.
func newAlphabet(bits, starts int, digits string, others ...string) *alphabet {
	a := &alphabet{bits: bits, starts: starts}
	for c := range a.values {
		a.values[c] = -1
	}
	for _, list := range append(others, digits) {
		for value := range len(list) {
			a.values[list[value]] = int8(value)
		}
	}
	return a
}

func hexDigits() *alphabet { return newAlphabet(4, 2, "0123456789abcdef", "0123456789ABCDEF") }

func base32Digits() *alphabet { return newAlphabet(5, 8, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") }

// base64Digits returns an alphabet for both of RFC 4648's base64 alphabets.
func base64Digits() *alphabet {
	const shared = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	return newAlphabet(6, 4, shared+"+/", shared+"-_")
}

// decode reads all runs of digits that are long enough for a secret of least bytes. It reads each run from every position at which a byte can begin,
// because the digits before the secret need not be whole groups. Line breaks and the blanks behind them do not end a run.
func (a *alphabet) decode(v *view, least int) []view {
	var runs [][]int // positions of the digits of each run
	var run []int
	broken := false // the last byte was a line break, or a blank behind one
	for i, c := range v.bytes {
		switch {
		case a.values[c] >= 0:
			run, broken = append(run, i), false
			continue
		case c == '\n' || c == '\r' || broken && (c == ' ' || c == '\t'):
			broken = true
			continue
		case len(run)*a.bits >= 8*least:
			runs = append(runs, run)
		}
		run, broken = nil, false
	}
	if len(run)*a.bits >= 8*least {
		runs = append(runs, run)
	}
	if len(runs) == 0 {
		return nil
	}
	views := make([]view, a.starts)
	for skipped := range views {
		views[skipped] = newView(len(v.bytes)*a.bits/8 + len(runs))
		for _, run := range runs {
			a.read(&views[skipped], v, run[min(skipped, len(run)):])
			views[skipped].gap()
		}
	}
	return views
}

// read appends the bytes that the digits of v stand for to out. Each byte stands for every digit that has a bit of it, and the last byte for the
// padding too.
func (a *alphabet) read(out, v *view, digits []int) {
	held, bits, first := 0, 0, 0 // bits that are not yet in a byte, their number, and the first digit that has one of them
	for i, at := range digits {
		if bits == 0 {
			first = i
		}
		held, bits = held<<a.bits|int(a.values[v.bytes[at]]), bits+a.bits
		if bits < 8 {
			continue
		}
		bits -= 8
		out.add(byte(held>>bits), v, digits[first], at)
		held &= 1<<bits - 1
		first = i
	}
	if last := len(digits) - 1; last >= 0 && len(out.bytes) > 0 {
		end := digits[last]
		for end+1 < len(v.bytes) && v.bytes[end+1] == '=' {
			end++
		}
		out.to[len(out.to)-1] = v.to[end]
	}
}
