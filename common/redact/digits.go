package redact

// alphabet is how bytes are written in digits. It is not to be changed.
type alphabet struct {
	bits   int       // of a digit
	starts int       // in how many places of a group of digits a byte can begin
	values [256]int8 // of each digit; negative for what is none
}

// newAlphabet returns that of the digits in the order of their values. Those of others, such as capitals, have the same values.
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

// base64Digits returns those of both of RFC 4648's alphabets.
func base64Digits() *alphabet {
	const shared = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	return newAlphabet(6, 4, shared+"+/", shared+"-_")
}

// decode reads all runs of digits that are long enough for a secret of least bytes, each from every place where a byte can begin, since what
// stands before the secret is not known to be whole groups. Line breaks, and blanks behind them, do not end a run.
func (a *alphabet) decode(v *view, least int) []view {
	var runs [][]int // where the digits of each are
	var run []int
	broken := false // behind a line break
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

// read appends what digits of v stand for to out. Each byte stands for every digit that has a bit of it, and the last one for the padding too.
func (a *alphabet) read(out, v *view, digits []int) {
	held, bits, first := 0, 0, 0 // bits that are read and not yet in a byte, how many, and the first digit that has one of them
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
