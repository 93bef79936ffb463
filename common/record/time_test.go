package record

import (
	"testing"
	"time"
)

func brasilia(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

var brazilian = []string{"02/01/2006 15:04:05", "02/01/2006 15:04", "02/01/2006"}

func TestParseTime(t *testing.T) {
	zone := brasilia(t)
	for _, test := range []struct {
		text    string
		layouts []string
		want    string
	}{
		{"2022-01-24T20:50:19.003Z", nil, "2022-01-24T20:50:19.003Z"},
		{"2022-01-24T20:50:19Z", nil, "2022-01-24T20:50:19Z"},
		{"2022-01-24T20:50:19-03:00", nil, "2022-01-24T20:50:19-03:00"},
		{"2022-01-24T20:50:19.5+0530", nil, "2022-01-24T20:50:19.5+05:30"},
		{"2022-01-24 20:50:19-03", nil, "2022-01-24T20:50:19-03:00"},
		{"2022-01-24T20:50:19.1234567", nil, "2022-01-24T20:50:19.1234567-03:00"},
		{"2022-01-24T20:50:19.123456789123Z", nil, "2022-01-24T20:50:19.123456789Z"},
		{"2022-01-24T20:50:19,5Z", nil, "2022-01-24T20:50:19.5Z"},
		{"2022-03-11 12:24:18", nil, "2022-03-11T12:24:18-03:00"},
		{"2018-12-11 12:24:18", nil, "2018-12-11T12:24:18-02:00"}, // summer time, which Brazil had until 2019
		{"2022-03-11T12:24", nil, "2022-03-11T12:24:00-03:00"},
		{"2022-03-11", nil, "2022-03-11T00:00:00-03:00"},
		{" 2022-03-11\t", nil, "2022-03-11T00:00:00-03:00"},
		{"2024-02-29", nil, "2024-02-29T00:00:00-03:00"},
		{"13/08/2026 10:32:51", brazilian, "2026-08-13T10:32:51-03:00"},
		{"13/08/2026 10:32", brazilian, "2026-08-13T10:32:00-03:00"},
		{"13/08/2026", brazilian, "2026-08-13T00:00:00-03:00"},
		{"13/08/2026 9:32:51", brazilian, "2026-08-13T09:32:51-03:00"}, // as package time has it
		{"13/08/2026 10:32:51.25", brazilian, "2026-08-13T10:32:51.25-03:00"},
		{"2026-08-13T10:32:51Z", brazilian, "2026-08-13T10:32:51Z"},
		{"2026-08-13 10:32:51", brazilian, "2026-08-13T10:32:51-03:00"},
		{"2026-02-01", []string{"2006-02-01"}, "2026-01-02T00:00:00-03:00"}, // the layout goes first
		{"2026-2-1", []string{"2006-2-1"}, "2026-01-02T00:00:00-03:00"},
		{"2026-2-1", []string{"2006-1-2"}, "2026-02-01T00:00:00-03:00"},
		{"Thu, 13 Aug 2026 10:32:51 +0200", []string{time.RFC1123Z}, "2026-08-13T10:32:51+02:00"},
		{"13 Aug 2026", []string{"02/01/2006", "2 Jan 2006"}, "2026-08-13T00:00:00-03:00"},
		{"08/2026", []string{"01/2006"}, "2026-08-01T00:00:00-03:00"},
		{"1000-01-01T00:00:00Z", nil, "1000-01-01T00:00:00Z"},
		{"9999-12-31T23:59:59Z", nil, "9999-12-31T23:59:59Z"},
	} {
		got, ok := ParseTime(test.text, test.layouts, zone)
		if !ok || got.Format(time.RFC3339Nano) != test.want {
			t.Errorf("ParseTime(%q, %q) = %v, %v; want %s", test.text, test.layouts, got, ok, test.want)
		}
	}
	if got, ok := ParseTime("2022-03-11", nil, nil); !ok || got != time.Date(2022, 3, 11, 0, 0, 0, 0, time.UTC) {
		t.Errorf("without a zone: %v, %v", got, ok)
	}
}

func TestParseTimeRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "x", "Sob consulta", "2022", "2022-01", "2022-1-1", "2022-13-01", "2022-00-01", "2022-01-00", "2022-01-32",
		"2023-02-29", "2022-04-31",
		"2022-01-24T", "2022-01-24T20", "2022-01-24T20:", "2022-01-24T24:00:00", "2022-01-24T20:60:00", "2022-01-24T20:50:60",
		"2022-01-24T20:50:19.",
		"2022-01-24T20:50:19.Z", "2022-01-24T20:50:1", "2022-01-24T20:50:19z", "2022-01-24T20:50:19+3", "2022-01-24T20:50:19+24:00",
		"2022-01-24T20:50:19+00:60", "2022-01-24T20:50:19+00-00", "2022-01-24T20:50:19+-100",
		"2022-01-24T20:50:19 -03:00", "2022-01-24x20:50:19",
		"2022-01-24T20:50:19ZZ", "+022-01-24", "20 2-01-24", "2022-01-24 -1:50:19", "2022/01/24", "0028-05-01",
		"0999-12-31T00:00:00Z", "0000-00-00 00:00:00",
		"31/04/2026", "13/08/0026", "13/08/26", "13/08/2026 ", "13/13/2026", "13-08-2026", "13/08/2026 10:32:51 PM", "١٣/٠٨/٢٠٢٦",
	} {
		layouts := brazilian
		if text == "13/08/2026 " {
			layouts = nil
		}
		if got, ok := ParseTime(text, layouts, nil); ok || !got.IsZero() {
			t.Errorf("ParseTime(%q) = %v", text, got)
		}
	}
}

func TestTime(t *testing.T) {
	zone := brasilia(t)
	shape := Compile(
		Time{Field: "t", Layouts: brazilian, Zone: zone}, Date{Field: "d", Layouts: brazilian, Zone: zone},
		Date{Field: "asWritten", Layouts: brazilian},
	)
	for _, test := range []struct{ value, time, day, asWritten string }{
		{`"2022-01-24T20:50:19.003Z"`, `"2022-01-24T20:50:19.003Z"`, `"2022-01-24"`, `"2022-01-24"`},
		{`"2022-01-24T00:00:00.000Z"`, `"2022-01-24T00:00:00.000Z"`, `"2022-01-23"`, `"2022-01-24"`},
		{`"2022-01-24T20:50:19.1000000000000+00:00"`, `"2022-01-24T20:50:19.1000000000000+00:00"`, `"2022-01-24"`, `"2022-01-24"`},
		{`"2022-01-24T20:50:19-0330"`, `"2022-01-24T20:50:19-03:30"`, `"2022-01-24"`, `"2022-01-24"`},
		{`"24\/01\/2022 20:50"`, `"2022-01-24T20:50:00-03:00"`, `"2022-01-24"`, `"2022-01-24"`},
		{`"04/11/2018"`, `"2018-11-04T01:00:00-02:00"`, `"2018-11-04"`, `"2018-11-04"`}, // that day had no midnight in Brasília
		{`""`, `null`, `null`, `null`},
		{`" \t"`, `null`, `null`, `null`},
		{`null`, `null`, `null`, `null`},
	} {
		r := Record(`{"t":` + test.value + `,"d":` + test.value + `,"asWritten":` + test.value + `}`)
		want := `{"t":` + test.time + `,"d":` + test.day + `,"asWritten":` + test.asWritten + `}`
		if got := shape.Append(nil, r); string(got) != want {
			t.Errorf("%s became %s; want %s", r, got, want)
		}
	}
	if got := shape.Warnings(); got != nil {
		t.Errorf("warnings: %v", got)
	}
	for _, value := range []string{`"Sob consulta"`, `"0028-05-01 00:00:00"`, `20220124`, `true`, `{"a": 1}`, `["2022-01-24"]`} {
		r := Record(`{"t":` + value + `,"d":` + value + `,"asWritten":` + value + `}`)
		if got := shape.Append(nil, r); string(got) != string(r) {
			t.Errorf("%s became %s", r, got)
		}
	}
	for i, field := range []string{"asWritten", "d", "t"} {
		if got, want := shape.Warnings()[i], (Warning{field, "is not a date that can be read and stays as it came", 6}); got != want {
			t.Errorf("warning %v; want %v", got, want)
		}
	}
	utc := Compile(Time{Field: "t"})
	if got := string(utc.Append(nil, Record(`{"t":"2022-01-24 20:50:19","u":1}`))); got != `{"t":"2022-01-24T20:50:19Z","u":1}` {
		t.Errorf("without a zone: %s", got)
	}
	slow := Compile(Time{Field: "t", Layouts: []string{"2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05 Z0700"}, Zone: zone})
	for text, want := range map[string]string{
		"4 Jan 2022 20:50:19.120":   "2022-01-04T20:50:19.12-03:00",
		"4 Jan 2022 20:50:19.120 Z": "2022-01-04T20:50:19.12Z",
		"4 Jan 2022 20:50:19 -0500": "2022-01-04T20:50:19-05:00",
	} {
		if got := string(slow.Append(nil, Record(`{"t":"`+text+`"}`))); got != `{"t":"`+want+`"}` {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func BenchmarkParseTime(b *testing.B) {
	for _, text := range []string{"2024-03-11T12:24:18.003Z", "2024-03-11 12:24:18", "13/08/2026 10:32:51", "13/08/2026"} {
		b.Run(text, func(b *testing.B) {
			zone := brasilia(b)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := ParseTime(text, brazilian, zone); !ok {
					b.Fatal("not read")
				}
			}
		})
	}
}
