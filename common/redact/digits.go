package redact

// alphabet is how bytes are written in digits.
type alphabet struct {
	bits   int              // of a digit
	starts int              // in how many places of a group of digits a byte can begin
	value  func(c byte) int // of a digit; negative for what is none
}

func hexDigits() alphabet {
	return alphabet{bits: 4, starts: 2, value: func(c byte) int {
		switch {
		case '0' <= c && c <= '9':
			return int(c - '0')
		case 'a' <= c && c <= 'f':
			return int(c-'a') + 10
		case 'A' <= c && c <= 'F':
			return int(c-'A') + 10
		}
		return -1
	}}
}

// base64Digits are those of both of RFC 4648's alphabets.
func base64Digits() alphabet {
	return alphabet{bits: 6, starts: 4, value: func(c byte) int {
		switch {
		case 'A' <= c && c <= 'Z':
			return int(c - 'A')
		case 'a' <= c && c <= 'z':
			return int(c-'a') + 26
		case '0' <= c && c <= '9':
			return int(c-'0') + 52
		case c == '+' || c == '-':
			return 62
		case c == '/' || c == '_':
			return 63
		}
		return -1
	}}
}

// decode reads all runs of digits that are long enough for a secret of least bytes, each from every place where a byte can begin, since what
// stands before the secret is not known to be whole groups. Line breaks, and blanks behind them, do not end a run.
func (a alphabet) decode(v *view, least int) []view {
	var runs [][]int // where the digits of each are
	var run []int
	broken := false // behind a line break
	for i, c := range v.bytes {
		switch {
		case a.value(c) >= 0:
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
		for _, run := range runs {
			a.read(&views[skipped], v, run[skipped:])
			views[skipped].gap()
		}
	}
	return views
}

// read appends what digits of v stand for to out. Each byte stands for every digit that has a bit of it, and the last one for the padding too.
func (a alphabet) read(out, v *view, digits []int) {
	held, bits, first := 0, 0, 0 // bits that are read and not yet in a byte, how many, and the first digit that has one of them
	for i, at := range digits {
		if bits == 0 {
			first = i
		}
		held, bits = held<<a.bits|a.value(v.bytes[at]), bits+a.bits
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
