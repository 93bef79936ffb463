package record

import "testing"

// TestHide checks that hidden members never leave: not at any depth, not in another case or with escapes in their names, and not in the column with
// the whole row.
func TestHide(t *testing.T) {
	hide := Hide{Names: []string{"SenhaMD5"}}
	whole := Compile(hide, Column{Field: "Row", Type: Whole}, Column{Field: "id", Type: Integer})
	for row, want := range map[string]string{
		`{"id":1,"SenhaMD5":"x"}`:                           `{"id":1,"Row":{"id":1}}`,
		`{"id":1,"senhamd5":{"a":1},"b":2}`:                 `{"id":1,"Row":{"id":1,"b":2}}`,
		`{"id":1,"a":[{"SENHAMD5":"x"},[{"SenhaMD5":1}]]}`:  `{"id":1,"Row":{"id":1,"a":[{},[{}]]}}`,
		`{"id":1,"a":{"b":{"Senh\u0061MD5":"x","c\n":[]}}}`: `{"id":1,"Row":{"id":1,"a":{"b":{"c\n":[]}}}}`,
		`{"id":1,"a":"SenhaMD5","SenhaMD5x":2}`:             `{"id":1,"Row":{"id":1,"a":"SenhaMD5","SenhaMD5x":2}}`,
		`{"id":1,"a":{"Senha\u0000MD5":"x"}}`:               `{"id":1,"Row":{"id":1,"a":{}}}`,
		`{"SenhaMD5":1,"id":1}`:                             `{"id":1,"Row":{"id":1}}`,
	} {
		marked, _, err := Clean([]byte(row))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []Value{marked, Record(row).Get("")} {
			if got, _, err := whole.Fit(nil, nil, v); err != nil || string(got) != want {
				t.Errorf("%s became %s: %v", row, got, err)
			}
		}
	}
	if got := Compile(hide).Append(nil, Record(`{"a":{"\u0000SenhaMD5":1}}`)); string(got) != `{"a":{}}` {
		t.Errorf("without a column, with U+0000, it became %s", got)
	}
	if got := Compile(hide).Append(nil, Record(`{"a":{"SenhaMD5":1}}`)); string(got) != `{"a":{}}` {
		t.Errorf("without a column it became %s", got)
	}
}
