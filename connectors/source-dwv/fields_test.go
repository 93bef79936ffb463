package main

import (
	"encoding/json"
	"net/url"
	"slices"
	"testing"
)

func TestChosenFields(t *testing.T) {
	for _, test := range []struct{ fields, want, choice string }{
		{`[]`, ``, ``},
		{`["id"]`, `["deleted","id","last_updated_at"]`, `id`},
		{`["title","title","new_one"]`, `["deleted","id","last_updated_at","new_one","title"]`, `new_one,title`},
		{`["building.title","building.gallery.url"]`, `[{"building":[{"gallery":["url"]},"title"]},"deleted","id","last_updated_at"]`,
			`building.gallery.url,building.title`},
		{`["unit.section","unit.rent","unit.section.name"]`, `["deleted","id","last_updated_at",{"unit":["rent",{"section":["name"]}]}]`,
			`unit.rent,unit.section,unit.section.name`},
		{`["construction_company.logo","construction_company.logo.url"]`, `[{"construction_company":[{"logo":[{"sizes":["circle","large","medium",` +
			`"small","xfullhd","xlarge","xmedium","xmediumhd"]},"url"]}]},"deleted","id","last_updated_at"]`,
			`construction_company.logo,construction_company.logo.url`},
		{`["building.rooms.size","building.rooms"]`, `[{"building":[{"rooms":["size"]}]},"deleted","id","last_updated_at"]`,
			`building.rooms,building.rooms.size`},
	} {
		var c chosen
		if err := json.Unmarshal([]byte(test.fields), &c); err != nil {
			t.Fatal(err)
		}
		if got := c.query(url.Values{}).Get("fields"); got != test.want || c.choice() != test.choice {
			t.Errorf("%s asks for %s, called %s", test.fields, got, c.choice())
		}
	}
	if left := (chosen{"title"}).left(); !slices.Contains(left, "building") || !slices.Contains(left, "selected_photos") || slices.Contains(left, "title") ||
		slices.Contains(left, "last_updated_at") {
		t.Errorf("left out are %v", left)
	}
	if left := (chosen{}).left(); left != nil {
		t.Errorf("left out are %v although all was chosen", left)
	}
	whole := (chosen{"unit", "building", "third_party_property", "construction_company"}).tree()
	if len(whole["unit"]) != 16 || len(whole["building"]) != 14 || whole["building"]["address"] == nil || len(whole["third_party_property"]) != 18 {
		t.Errorf("the objects have %d, %d and %d fields", len(whole["unit"]), len(whole["building"]), len(whole["third_party_property"]))
	}
}
