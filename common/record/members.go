package record

import "iter"

// Members is the members of an object with their names' text, in their order, a name that is repeated as often as it comes. What is no object
// has none.
func (r Record) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		start := skipSpace(r)
		if start >= len(r) || r[start] != '{' {
			return
		}
		c := open(r, start)
		for c.member() {
			name := string(c.appendKey(nil))
			if !yield(name, Value{c.value()}) {
				return
			}
		}
	}
}

// Twice is the first name that the object r gives to more than one of its members, those inside of others left aside; found is whether
// there is one. Who reads such an object may believe either member.
func (r Record) Twice() (name string, found bool) {
	seen := map[string]bool{}
	for name := range r.Members() {
		if seen[name] {
			return name, true
		}
		seen[name] = true
	}
	return "", false
}

// TwiceAnywhere is Twice for all objects in r, however deep.
func (r Record) TwiceAnywhere() (name string, found bool) {
	if name, found := r.Twice(); found {
		return name, true
	}
	for _, v := range r.Members() {
		if name, found := Record(v.raw).TwiceAnywhere(); found {
			return name, true
		}
	}
	for _, element := range (Value{r[skipSpace(r):]}).Array() {
		if name, found := element.TwiceAnywhere(); found {
			return name, true
		}
	}
	return "", false
}
