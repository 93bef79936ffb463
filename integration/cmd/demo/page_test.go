package main

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// examplePage returns a page of one source and one destination, written to a folder of the test's.
func examplePage(t *testing.T) string {
	t.Helper()
	out := t.TempDir()
	if err := os.Mkdir(filepath.Join(out, "source-a"), 0o755); err != nil {
		t.Fatal(err)
	}
	var messages strings.Builder
	for i := range 40 {
		extra := `null`
		if i%4 == 0 {
			extra = fmt.Sprintf(`"day %d"`, i)
		}
		fmt.Fprintf(&messages, `{"type":"RECORD","record":{"stream":"cars","data":{"id":%d,"name":"<b>car</b> %d","extra":%s,"list":["a",%d]},"emitted_at":1}}`+"\n",
			(i*7)%40-20, i, extra, i)
	}
	messages.WriteString(`{"type":"RECORD","record":{"stream":"colours","data":{"id":12345678901234567890},"emitted_at":1}}` + "\n")
	if err := os.WriteFile(filepath.Join(out, "source-a", "read.jsonl"), []byte(messages.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	schema := func(text string) json.RawMessage { return json.RawMessage(text) }
	d := demo{options: options{out: out}, page: page{When: time.Now().Add(-3 * time.Second)}}
	cars := row{connector: "source-a", stream: "cars", records: 40, bytes: 123456, took: 2 * time.Second, second: 3, incremental: true}
	colours := row{connector: "source-a", stream: "colours", records: 1, bytes: 10, second: 1}
	catalog := harness.Catalog{Streams: []harness.Stream{
		{Name: "cars", JSONSchema: schema(`{"properties":{"id":{"type":"integer"},"name":{"type":["null","string"]},
			"extra":{"type":["null","string"],"format":"date-time"},"list":{"type":["null","array"]},"never":{"type":["null","number"]}}}`)},
		{Name: "colours", JSONSchema: schema(`{"properties":{"id":{"type":"integer"}}}`)},
	}}
	warned := &harness.Result{Logs: []harness.Log{{Level: "WARN", Message: "A value & more did not fit."}, {Level: "INFO", Message: "unimportant"}}}
	if err := d.show(harness.Connector{Name: "source-a", Tag: "0.1.0"}, catalog, []row{cars, colours}, warned, warned); err != nil {
		t.Fatal(err)
	}
	orders := []row{{connector: "destination-b", stream: "cancel", records: 25, took: time.Second, writes: true}}
	if err := d.show(harness.Connector{Name: "destination-b", Tag: "0.2.0"}, harness.Catalog{}, orders); err != nil {
		t.Fatal(err)
	}
	if err := d.finish(fmt.Errorf("second read of cars: missing <3> rows")); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(out, pageName)
}

func TestPage(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(examplePage(t))
	if err != nil {
		t.Fatal(err)
	}
	text := string(body)
	for _, want := range []string{
		"source-a <small>0.1.0</small>", "41 records in 2 streams", "A value &amp; more did not fit.", "missing &lt;3&gt; rows",
		`<td>cars</td><td class="n">40</td><td class="n" data-n="123456">123 kB</td><td class="n">20</td><td class="n">3</td>`,
		`<td>colours</td><td class="n">1</td><td class="n" data-n="10">10 B</td><td class="n">-</td><td class="n">1 <span class="soft">(whole)</span></td>`,
		`<td>cancel</td><td class="n">25</td><td class="n">25</td><td class="n">0</td>`,
		`<td>id</td><td>integer</td><td data-n="40"><span class="meter" aria-hidden="true"><i style="width:100%"></i></span>100 %</td>`,
		`<td>extra</td><td>date-time</td><td data-n="10"><span class="meter" aria-hidden="true"><i style="width:25%"></i></span>25 %</td>`,
		`<td>never</td><td>number</td><td data-n="0">`, "The first 25 of 40 rows", "All rows",
		`<td data-n="-20">-20</td><td>&lt;b&gt;car&lt;/b&gt; 0</td><td>day 0</td><td>[&#34;a&#34;,0]</td><td class="null">–</td>`,
		`<td data-n="12345678901234567890">12345678901234567890</td>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if n := strings.Count(text, "A value &amp; more"); n != 1 {
		t.Errorf("a warning is there %d times", n)
	}
	// Nothing comes from outside.
	if outside := regexp.MustCompile(`(?i)(https?:)?//[a-z]|@import|url\(|\bsrc=|<link[^>]*href="[^d]`).FindString(regexp.MustCompile(`(?m)^ *//.*$`).
		ReplaceAllString(text, "")); outside != "" {
		t.Errorf("the page asks for something from outside: %q", outside)
	}
	// Each element that is opened is closed, in order.
	var open []string
	for _, tag := range regexp.MustCompile(`<(/?)([a-z0-9]+)[^>]*>`).FindAllStringSubmatch(regexp.MustCompile(`(?s)<(script|style)>.*?</(script|style)>`).
		ReplaceAllString(text, ""), -1) {
		switch {
		case slices.Contains([]string{"meta", "link", "input", "br"}, tag[2]):
		case tag[1] == "":
			open = append(open, tag[2])
		case len(open) == 0 || open[len(open)-1] != tag[2]:
			t.Fatalf("</%s> closes %v", tag[2], open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("these are not closed: %v", open)
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ filled, of, want int }{{0, 0, 0}, {0, 9, 0}, {1, 1000, 1}, {999, 1000, 99}, {1000, 1000, 100}, {1, 4, 25}} {
		if got := (pageColumn{Filled: test.filled}).Share(test.of); got != test.want {
			t.Errorf("%d of %d: %d %%, want %d", test.filled, test.of, got, test.want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1 kB", 123456: "123 kB", 9876543: "9.88 MB", 5e12: "5e+03 GB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// probe uses the page as a reader does, and tells the window around it what it finds.
const probe = `<script>
addEventListener("load", () => {
  const found = {};
  document.querySelectorAll("details").forEach(d => d.open = true);
  found.inner = innerWidth;
  found.wide = document.documentElement.scrollWidth - innerWidth;
  const rows = document.querySelector("table[data-searchable]");
  const firsts = i => [...rows.tBodies[0].rows].map(r => r.cells[i].textContent);
  const head = i => rows.tHead.rows[0].cells[i].querySelector("button");
  head(0).click(); found.up = firsts(0).slice(0, 3);
  head(0).click(); found.down = firsts(0).slice(0, 3);
  head(2).click(); found.nullLast = firsts(2).at(-1); found.dayFirst = firsts(2)[0];
  const input = document.querySelector("input[type=search]");
  input.value = "CAR</b> 1"; input.dispatchEvent(new Event("input"));
  found.shown = [...rows.tBodies[0].rows].filter(r => r.offsetHeight > 0).length;
  const light = text => { const [r, g, b] = text.match(/[\d.]+/g).map(Number).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== "rgba(0, 0, 0, 0)") return c; } return "rgb(255, 255, 255)"; };
  found.contrast = Math.min(...[...document.querySelectorAll("h1, h2, h3, p, td, th, button, a, li, summary span, summary b, small, pre")].map(e => {
    const [a, b] = [light(getComputedStyle(e).color), light(back(e))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
  found.dark = light(back(document.body)) < 0.2;
  parent.postMessage(JSON.stringify(found), "*");
});
</script>`

// frame shows the page in a window of any width, of which a browser's own has a least one, and writes what the probe finds into its title.
const frame = `<!doctype html><meta name="color-scheme" content="light dark"><title></title>
<script>addEventListener("message", e => { document.title = e.data; });</script>
<iframe src="probed.html" width="%d" height="900" style="border: 0"></iframe>`

// The page in a browser: light and dark, on a telephone and on a desk; sorted and searched.
func TestPageInABrowser(t *testing.T) {
	t.Parallel()
	var browser string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && browser == "" {
			browser = path
		}
	}
	if browser == "" {
		t.Skip("*** There is no Chromium here (Debian's package chromium): THE PAGE IS NOT LOOKED AT. ***")
	}
	path := examplePage(t)
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	probed := filepath.Join(t.TempDir(), "probed.html")
	if err := os.WriteFile(probed, []byte(strings.Replace(string(body), "</body>", probe+"</body>", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{360, 1280} {
		for _, dark := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d dark %v", width, dark), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				framed := filepath.Join(filepath.Dir(probed), fmt.Sprintf("%d-%v.html", width, dark))
				if err := os.WriteFile(framed, fmt.Appendf(nil, frame, width), 0o644); err != nil {
					t.Fatal(err)
				}
				args := []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=" + t.TempDir(),
					"--window-size=1400,900", "--virtual-time-budget=5000", "--dump-dom",
					fmt.Sprintf("--blink-settings=preferredColorScheme=%d", map[bool]int{true: 0, false: 1}[dark]), "file://" + framed}
				out, err := exec.CommandContext(ctx, browser, args...).Output()
				if err != nil {
					t.Fatalf("%s: %v", browser, err)
				}
				title := regexp.MustCompile(`(?s)<title>(.*?)</title>`).FindStringSubmatch(string(out))
				var found struct {
					Inner, Wide, Shown int
					Up, Down           []string
					NullLast, DayFirst string
					Contrast           float64
					Dark               bool
				}
				if title == nil || json.Unmarshal([]byte(html.UnescapeString(title[1])), &found) != nil {
					t.Fatalf("the browser did not run the page: %.500s", out)
				}
				if found.Inner != width {
					t.Errorf("the window is %d pixels wide", found.Inner)
				}
				if found.Wide > 0 {
					t.Errorf("the page is %d pixels wider than the window", found.Wide)
				}
				if got := fmt.Sprint(found.Up, found.Down); got != "[-20 -19 -18] [19 17 15]" {
					t.Errorf("sorted: %s", got)
				}
				if found.NullLast != "–" || found.DayFirst != "day 0" {
					t.Errorf("sorted by a column with gaps: first %q, last %q", found.DayFirst, found.NullLast)
				}
				if found.Shown != 11 { // 1 and 10 to 19
					t.Errorf("the search shows %d rows", found.Shown)
				}
				if found.Contrast < 4.5 {
					t.Errorf("the weakest contrast is %.1f", found.Contrast)
				}
				if found.Dark != dark {
					t.Errorf("dark: %v", found.Dark)
				}
			})
		}
	}
}
