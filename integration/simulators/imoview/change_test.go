package imoview

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

// field returns the time of change of each incremental stream.
func field(stream string) string {
	switch stream {
	case "users", "tenant_contracts", "guarantor_contracts", "landlord_contracts", "lease_contracts":
		return "dataultimaalteracao"
	case "tenant_inspections":
		return "datahora"
	case "service_requests":
		return "datahoraultimainteracao"
	}
	return "datahoraultimaalteracao"
}

// What changed in the answers is what Expect says must come; what else may come is at the newest time, or without one.
func TestChange(t *testing.T) {
	s := New(Options{Size: 400, Now: simtest.At("2026-05-05T15:00:00Z")})
	before := streams(t, s)
	s.Change(10, 3)
	after := streams(t, s)
	for stream, e := range s.Expect() {
		if err := e.Full.Compare(counts(after[stream])); err != nil {
			t.Errorf("%s: %v", stream, err)
		}
		if !e.Incremental {
			if !reflect.DeepEqual(before[stream], after[stream]) || !maps.Equal(e.Next.Must, e.Full.Must) {
				t.Errorf("%s changed, or is not read whole", stream)
			}
			continue
		}
		changed, mark := map[string]bool{}, int64(0)
		for key, rows := range before[stream] {
			mark = max(mark, stamp(t, rows[0][field(stream)]))
			if is := after[stream][key]; is != nil && !reflect.DeepEqual(rows[0], is[0]) {
				changed[key] = true
			}
		}
		// A client also shows how many contracts it has, but Change makes none.
		if !maps.Equal(e.Next.Must, changed) {
			t.Errorf("%s: %d must come, %d changed", stream, len(e.Next.Must), len(changed))
		}
		if len(changed) < 10 {
			t.Errorf("%s: only %d changed", stream, len(changed))
		}
		if stream == "tenant_inspections" {
			continue
		}
		for key := range changed {
			if when := after[stream][key][0][field(stream)]; when != "05/05/2026 12:00:00" {
				t.Errorf("%s %s changed at %v", stream, key, when)
			}
		}
		for key, rows := range before[stream] {
			when := latest(t, rows[0][field(stream)])
			if may := (when == 0 || when >= mark) && !changed[key] && after[stream][key] != nil; e.Next.May[key] != may {
				t.Errorf("%s %s of %v may come: %v", stream, key, rows[0][field(stream)], e.Next.May[key])
			}
		}
	}
	for stream, gone := range map[string]int{"properties_rent": 3, "properties_sale": 3, "lease_contracts": 0, "users": 0} {
		if n := len(before[stream]) - len(after[stream]); n < gone || gone == 0 && n != 0 {
			t.Errorf("%d rows of %s went", n, stream)
		}
	}
	rescinded := 0
	for key, rows := range before["lease_contracts"] {
		if rows[0]["situacao"] != "Rescindido" && after["lease_contracts"][key][0]["situacao"] == "Rescindido" {
			rescinded++
		}
	}
	if rescinded != 3 {
		t.Errorf("%d contracts were rescinded", rescinded)
	}
}

// Some tenants of changed contracts did not change themselves: who asks only the clients that changed loses contracts.
func TestContractsChangeWithoutTheirTenants(t *testing.T) {
	s := New(Options{Size: 400})
	s.Change(10, 0)
	expected, n := s.Expect(), 0
	for key := range expected["tenant_contracts"].Next.Must {
		tenant, _, _ := strings.Cut(key, ",")
		if !expected["users"].Next.Must[tenant] {
			n++
		}
	}
	if n < 5 {
		t.Errorf("the tenants of %d changed contracts did not change", n)
	}
}

func TestInspectionsThatComeAgain(t *testing.T) {
	now := simtest.At("2026-05-05T15:00:00Z")
	s := New(Options{Size: 900, Now: now})
	before := streams(t, s, "tenant_inspections")["tenant_inspections"]
	s.Change(12, 0)
	after := streams(t, s, "tenant_inspections")["tenant_inspections"]
	e, start := s.Expect()["tenant_inspections"], s.wall(now())
	may, closed := 0, 0
	for key, rows := range after {
		when := stamp(t, rows[0]["datahora"])
		again := when == 0 || when >= start-90*day-60 || rows[0]["datahorafim"] == ""
		if e.Next.May[key] != (again && !e.Next.Must[key]) {
			t.Errorf("%s at %v, to %v may come: %v", key, rows[0]["datahora"], rows[0]["datahorafim"], e.Next.May[key])
		}
		if e.Next.May[key] {
			may++
		}
		if e.Next.Must[key] {
			if when < start-90*day {
				t.Errorf("%s at %v must come, and is too long ago to be asked for", key, rows[0]["datahora"])
			}
			if before[key][0]["datahorafim"] == "" && rows[0]["datahorafim"] != "" {
				closed++
			}
			if rows[0]["datahora"] != before[key][0]["datahora"] {
				t.Errorf("%s moved from %v to %v", key, before[key][0]["datahora"], rows[0]["datahora"])
			}
		}
	}
	if len(e.Next.Must) < 12 || may < 20 || may > len(after)*2/3 || closed == 0 {
		t.Errorf("of %d inspections %d must come and %d may; %d came to an end", len(after), len(e.Next.Must), may, closed)
	}
}

// Condominiums that have nothing to offer are listed later, with the time that they had.
func TestUnofferedCondominiums(t *testing.T) {
	s, all := New(Options{Size: 900, Unoffered: 3}), New(Options{Size: 900})
	if before := streams(t, s, "condominiums")["condominiums"]; len(before) != 37 {
		t.Errorf("%d condominiums are listed at first", len(before))
	}
	s.Change(0, 0)
	after, want, must := streams(t, s, "condominiums")["condominiums"], streams(t, all, "condominiums")["condominiums"], s.Expect()["condominiums"].Next.Must
	if !reflect.DeepEqual(after, want) || len(must) != 3 {
		t.Errorf("%d condominiums are listed then, %d must come", len(after), len(must))
	}
}

// Requests that change quietly are found by the filter, and show the time that they showed before.
func TestQuietRequests(t *testing.T) {
	s := New(Options{Size: 900, Quiet: true, Now: simtest.At("2026-05-05T15:00:00Z")})
	before := streams(t, s, "service_requests")["service_requests"]
	s.Change(3, 0)
	must := s.Expect()["service_requests"].Next.Must
	found := readAll(t, s, requestsPath, "datahorainicialultimaalteracao", "05/05/2026")
	for _, row := range found {
		if old := before[row.key()][0]; !must[row.key()] || row["datahoraultimainteracao"] != old["datahoraultimainteracao"] ||
			fmt.Sprint(row["interacoes"]) == fmt.Sprint(old["interacoes"]) {
			t.Errorf("%v was %v", row, old)
		}
	}
	if len(found) != 3 || len(must) != 3 {
		t.Errorf("%d requests changed, %d must come", len(found), len(must))
	}
}

// The mark of the inspections is not after the sync's start, whenever Change comes.
func TestMarkOfInspections(t *testing.T) {
	clock := simtest.At("2026-05-05T15:00:00Z")()
	s := New(Options{Size: 900, Now: func() time.Time { return clock }})
	begun := int64(0)
	for _, step := range []struct {
		synced bool          // whether there was a sync before Change
		after  time.Duration // how long after it Change comes
	}{{true, 20 * 24 * time.Hour}, {false, time.Hour}, {true, 0}} {
		if step.synced {
			begun = s.wall(clock)
			readAll(t, s, usersPath)
		}
		clock = clock.Add(step.after)
		s.Change(0, 0)
		if mark := s.since.marks["tenant_inspections"]; mark != begun-60 {
			t.Errorf("%+v: the mark is %s, and the last sync began at %s", step, wallText(mark), wallText(begun))
		}
	}
}

// Marks follow the changes, and a period's changes are only its own.
func TestChangesInARow(t *testing.T) {
	clock := simtest.At("2026-05-05T15:00:00Z")()
	s := New(Options{Size: 400, Now: func() time.Time { return clock }})
	if e := s.Expect()["users"]; len(e.Next.Must) != 0 || len(e.Next.May) < 4 {
		t.Errorf("nothing changed, but %d must and %d may come", len(e.Next.Must), len(e.Next.May))
	}
	s.Change(10, 0)
	first := s.Expect()["users"].Next.Must
	clock = clock.Add(time.Hour)
	s.Change(4, 0)
	second := s.Expect()["users"].Next
	if len(first) != 10 || len(second.Must) != 4 {
		t.Errorf("%d and then %d clients changed", len(first), len(second.Must))
	}
	for key := range first {
		if !second.Must[key] && !second.May[key] {
			t.Errorf("%s is at the mark and may not come", key)
		}
	}
	clock = clock.Add(time.Hour)
	s.Change(0, 0)
	third := s.Expect()["users"].Next
	if len(third.Must) != 0 || slices.ContainsFunc(slices.Collect(maps.Keys(first)), func(key string) bool { return third.May[key] && !second.Must[key] }) {
		t.Errorf("after no change %d must come, and %v may", len(third.Must), third.May)
	}
	s.Change(1_000_000, 1_000_000)
	if n := len(s.Expect()["users"].Next.Must); n != 400 {
		t.Errorf("%d of 400 clients changed", n)
	}
	if n := len(s.Expect()["properties_rent"].Full.Must); n != 0 {
		t.Errorf("%d properties for rent are left", n)
	}
}

func TestSign(t *testing.T) {
	s := New(Options{Size: 300, Now: simtest.At("2026-05-05T15:00:00Z")})
	before := streams(t, s)
	codes := s.Sign(5)
	after := streams(t, s)
	e := s.Expect()
	for _, code := range codes {
		key := strconv.Itoa(code)
		if before["lease_contracts"][key] != nil || after["lease_contracts"][key] == nil || !e["lease_contracts"].Next.Must[key] {
			t.Errorf("contract %s was there, or is not", key)
		}
	}
	if n := len(after["tenant_contracts"]) - len(before["tenant_contracts"]); n < 5 || n != len(e["tenant_contracts"].Next.Must) || len(codes) != 5 {
		t.Errorf("tenants have %d more contracts, %d must come", n, len(e["tenant_contracts"].Next.Must))
	}
	if len(e["users"].Next.Must) != 0 {
		t.Errorf("%d clients changed", len(e["users"].Next.Must))
	}
	for stream, expected := range e {
		if err := expected.Full.Compare(counts(after[stream])); err != nil {
			t.Errorf("%s: %v", stream, err)
		}
	}
}
