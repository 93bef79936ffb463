package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	d := demo{options: options{out: "build/demo"}, rows: []row{
		{connector: "source-a", stream: "cars", records: 3000, bytes: 123456, took: 2 * time.Second, second: 30, incremental: true},
		{connector: "source-a", stream: "colours_of_cars", records: 3, bytes: 45, second: 3},
	}}
	d.table(&out)
	want := "  connector  stream           records   bytes  records/s  second sync\n" +
		"  source-a   cars                3000  123456       1500           30\n" +
		"  source-a   colours_of_cars        3      45          -    3 (whole)\n"
	if got, _, _ := strings.Cut(out.String(), "\n\n"); got+"\n" != want {
		t.Errorf("got\n%s\nwanted\n%s", got, want)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	var out, text bytes.Buffer
	if code := run(t.Context(), []string{"-h"}, &out, &text); code != 0 || !strings.Contains(text.String(), "-image") || out.Len() > 0 {
		t.Errorf("-h exits with %d: %s%s", code, out.String(), text.String())
	}
	if code := run(t.Context(), []string{"-no"}, &out, &text); code != 2 {
		t.Errorf("a wrong flag exits with %d", code)
	}
}
