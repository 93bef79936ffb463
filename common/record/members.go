package record

import "iter"

// Members returns the members of an object in their order, with their unescaped names. A repeated name comes each time. A value that is not an object
// has no members.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.kind() != '{' {
			return
		}
		for c := v.open(); c.member(); {
			name := string(c.appendKey(nil))
			if !yield(name, c.value()) {
				return
			}
		}
	}
}

// Members returns Value.Members of the record.
func (r Record) Members() iter.Seq2[string, Value] { return Value{raw: r[skipSpace(r):]}.Members() }

// Twice returns the first name that more than one member of the object v has, and whether there is one. Nested objects are ignored. Readers of such
// an object may use either member.
func (v Value) Twice() (name string, found bool) {
	seen := map[string]bool{}
	for name := range v.Members() {
		if seen[name] {
			return name, true
		}
		seen[name] = true
	}
	return "", false
}

// TwiceAnywhere is like Twice, for all objects in v at any depth.
func (v Value) TwiceAnywhere() (name string, found bool) {
	if name, found := v.Twice(); found {
		return name, true
	}
	for _, member := range v.Members() {
		if name, found := member.TwiceAnywhere(); found {
			return name, true
		}
	}
	for element := range v.Elements() {
		if name, found := element.TwiceAnywhere(); found {
			return name, true
		}
	}
	return "", false
}
