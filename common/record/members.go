package record

import "iter"

// Members returns the members of an object with their names' text, in their order, a name that is repeated as often as it comes. What is no object
// has none.
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

// Twice returns the first name that the object v gives to more than one of its members, those inside of others left aside; found is whether
// there is one. Who reads such an object may believe either member.
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

// TwiceAnywhere returns Twice for all objects in v, however deep.
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
