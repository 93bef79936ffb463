package judge

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func keyOrExcuse(ctx context.Context, t *Trial) error {
	for _, test := range t.Config.Tests.Attributes.Tests {
		catalog, ok, err := t.catalog(ctx, test.Common)
		if !ok {
			return err
		}
		for _, s := range without(catalog.Streams, test.WithoutKey) {
			if len(s.SourceDefinedPrimaryKey) == 0 {
				t.failf("a primary key, or an excuse in streams_without_primary_key", "%s has neither", s.Called())
			}
		}
		for _, e := range test.WithoutKey {
			if e.BypassReason == "" && t.Config.High() {
				t.failf("a bypass_reason, at the strictness level high", "%s has none", e.Name)
			}
		}
	}
	return nil
}

func allowedHosts(_ context.Context, t *Trial) error {
	for _, test := range t.Config.Tests.Attributes.Tests {
		switch {
		case test.AllowedHosts != nil && test.AllowedHosts.BypassReason != "":
			t.skip("bypassed: %s", test.AllowedHosts.BypassReason)
		case t.Metadata == nil:
			t.skip("there is no metadata.yaml")
		case len(t.Metadata.AllowedHosts.Hosts) == 0:
			t.failf("allowedHosts.hosts in metadata.yaml", "none")
		}
	}
	return nil
}

func suggestedStreams(ctx context.Context, t *Trial) error {
	for _, test := range t.Config.Tests.Attributes.Tests {
		switch {
		case test.SuggestedStreams != nil && test.SuggestedStreams.BypassReason != "":
			t.skip("bypassed: %s", test.SuggestedStreams.BypassReason)
			continue
		case t.Metadata == nil:
			t.skip("there is no metadata.yaml")
			continue
		case len(t.Metadata.Suggested.Streams) == 0:
			t.failf("suggestedStreams.streams in metadata.yaml", "none")
			continue
		}
		catalog, ok, err := t.catalog(ctx, test.Common)
		if !ok {
			return err
		}
		for _, name := range t.Metadata.Suggested.Streams {
			if _, ok := catalog.Stream(name); !ok {
				t.failf("suggested streams that are discovered", "%s is not", name)
			}
		}
	}
	return nil
}

// documentation returns the connector's documentation page: the one in Airbyte's repository, or else README.md beside the configuration.
func (t *Trial) documentation() (string, bool) {
	folder := filepath.Dir(t.options.Config)
	name := strings.TrimPrefix(strings.TrimPrefix(filepath.Base(folder), "source-"), "destination-")
	kind := map[bool]string{false: "sources", true: "destinations"}[t.Writes()]
	for _, file := range []string{
		filepath.Join(folder, "..", "..", "..", "docs", "integrations", kind, name+".md"), filepath.Join(folder, "README.md"),
	} {
		if body, err := os.ReadFile(file); err == nil {
			return string(body), true
		}
	}
	t.skip("there is no documentation beside the configuration")
	return "", false
}

// section returns the text below a heading, up to the next heading of its level or a higher one.
func section(page, heading string) (string, bool) {
	level := strings.IndexFunc(heading, func(c rune) bool { return c != '#' })
	var body []string
	in := false
	for line := range strings.SplitSeq(page, "\n") {
		hashes := len(line) - len(strings.TrimLeft(line, "#"))
		switch {
		case strings.EqualFold(strings.TrimSpace(line), heading):
			in = true
		case in && hashes > 0 && hashes <= level:
			return strings.Join(body, "\n"), true
		case in:
			body = append(body, line)
		}
	}
	return strings.Join(body, "\n"), in
}

func prerequisites(ctx context.Context, t *Trial) error {
	page, ok := t.documentation()
	if !ok {
		return nil
	}
	spec, ok, err := t.spec(ctx)
	if !ok {
		return err
	}
	text, found := section(page, "## Prerequisites")
	if !found {
		t.failf("a section Prerequisites", "none")
		return nil
	}
	text = strings.ToLower(text)
	for _, name := range listOf(spec.schema["required"]) {
		field, _ := name.(string)
		title, _ := mapOf(mapOf(spec.schema["properties"])[field])["title"].(string)
		if !strings.Contains(text, strings.ToLower(title)) && !strings.Contains(text, strings.ToLower(field)) {
			t.failf("the title of each required field among the Prerequisites", "%q is not named", title)
		}
	}
	return nil
}

// templateHeadings returns the headings of Airbyte's template that a page must have, in their order.
func templateHeadings() []string {
	return []string{"## Prerequisites", "## Setup guide", "## Supported sync modes", "## Supported Streams", "## Changelog"}
}

func docHeadings(_ context.Context, t *Trial) error {
	page, ok := t.documentation()
	if !ok {
		return nil
	}
	if !regexp.MustCompile(`(?m)^# \S`).MatchString(page) {
		t.failf("a heading of the first level with the connector's name", "none")
	}
	wanted := templateHeadings()
	if t.Writes() {
		wanted = slices.DeleteFunc(wanted, func(h string) bool { return h == "## Supported Streams" })
	}
	last := -1
	for _, heading := range wanted {
		place := regexp.MustCompile(`(?mi)^` + regexp.QuoteMeta(heading) + `\s*$`).FindStringIndex(page)
		switch {
		case place == nil:
			t.failf("the heading "+heading, "none")
		case place[0] < last:
			t.failf("the headings in the order "+strings.Join(wanted, ", "), "%s comes before the one that it should follow", heading)
		default:
			last = place[0]
		}
	}
	return nil
}

// docTexts checks that no section of the template is empty. It does not compare texts, because the template's own texts name products of Airbyte's
// cloud, which a connector outside of it does not have.
func docTexts(_ context.Context, t *Trial) error {
	page, ok := t.documentation()
	if !ok {
		return nil
	}
	for _, heading := range templateHeadings() {
		if text, found := section(page, heading); found && len(strings.TrimSpace(text)) < 20 {
			t.failf("a text in "+heading, "%q", strings.TrimSpace(text))
		}
	}
	if text, found := section(page, "## Changelog"); found && t.Metadata != nil && !strings.Contains(text, t.Metadata.Tag) {
		t.failf("a row of the Changelog for version "+t.Metadata.Tag, "none")
	}
	return nil
}

var link = regexp.MustCompile(`\]\((https?://[^)\s]+)\)`)

func docLinks(ctx context.Context, t *Trial) error {
	if !t.options.Online {
		t.skip("it runs with --online")
		return nil
	}
	page, ok := t.documentation()
	if !ok {
		return nil
	}
	addresses := map[string]bool{}
	for _, found := range link.FindAllStringSubmatch(page, -1) {
		addresses[found[1]] = true
	}
	client := &http.Client{Timeout: 30 * time.Second}
	for _, address := range slices.Sorted(maps.Keys(addresses)) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			t.failf("a link", "%s: %v", address, err)
			continue
		}
		answer, err := client.Do(request)
		if err != nil {
			t.failf("an answer", "%v", err)
			continue
		}
		_ = answer.Body.Close() // nothing of it is read
		if !slices.Contains([]int{200, 401, 403, 405}, answer.StatusCode) {
			t.failf("200, 401, 403 or 405", "%s", fmt.Sprintf("%s answers %d", address, answer.StatusCode))
		}
	}
	return nil
}
