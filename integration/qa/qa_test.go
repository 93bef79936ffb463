package qa

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/imob-data/airbyte-connectors/integration/form"
)

// TestRepository holds this repository to all that needs nothing but its files.
func TestRepository(t *testing.T) {
	found, err := Run(Repository{os.DirFS("../..")})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

// good returns a repository in which nothing is found.
func good() fstest.MapFS {
	fsys := fstest.MapFS{}
	for file, text := range map[string]string{
		"README.md":        "# Shop\n\n[page](connectors/source-shop/README.md#set-up--go) and <https://example.com>\n",
		"README.pt-BR.md":  "# Loja\n",
		"examples/run.sh":  "#!/bin/sh\nset -e\necho one\necho two\necho three\n",
		"common/engine.go": "package engine\n\nconst a = \"The answer of %s was late\" + \" by %d minutes\"\n",
		"docs/personal-data.md": "# Data\n## source-shop\n| Stream | Columns |\n|---|---|\n| `items` | `seller_*`, `buyer`: with all |\n| `buyers` | all |\n" +
			"## Not of people\n`shop_email`, `items.shop_fone`\n",
		"docs/personal-data.pt-BR.md": "# Dados\n## source-shop\n| Stream | Colunas |\n|---|---|\n| `items` | `seller_*`, `buyer`: com tudo |\n" +
			"| `buyers` | todas |\n## O que não é de pessoas\n",
		"specs/source-shop/streams/items.json":  `{"properties":{"id":{},"seller_cpf":{},"buyer":{},"shop_email":{},"shop_fone":{}}}`,
		"specs/source-shop/streams/buyers.json": `{"properties":{"email":{}}}`,
		"specs/source-park/streams/cars.json":   `{"properties":{"email":{}}}`,
		"docs/forms/sums.txt":                   "SUM source-shop\n",
		"specs/source-shop/spec.json":           `{"connectionSpecification":{"title":"Shop","properties":{"token":{"title":"Token","type":"string"}}}}`,
		"connectors/source-shop/metadata.yaml":  "data:\n  dockerRepository: ghcr.io/imob-data/source-shop\n  dockerImageTag: 1.2.3\n",
		"connectors/source-shop/source.go":      "package main\n\nvar b = say(\"nothing is for sale\", 1)\n",
		"connectors/source-shop/README.md": `# Shop
## Set up & go
` + "```sh\ndocker run ghcr.io/imob-data/source-shop:1.2.3 spec\n```" + `

<!-- From examples/run.sh -->
` + "```sh\nset -e\n# …\necho two\n```" + `

| Stream | Key |
|---|---|
| ` + "`items`" + ` | a |

| Message | What to do |
|---|---|
| … was late by 5 minutes … | Wait. |
| nothing is for sale: ` + "`closed`" + ` | Come back. |

| Version | Date |
|---|---|
| 1.2.3 | today |
`,
	} {
		fsys[file] = &fstest.MapFile{Data: []byte(text)}
	}
	sum, err := form.Sum("source-shop", fsys["specs/source-shop/spec.json"].Data)
	if err != nil {
		panic(err)
	}
	fsys["docs/forms/sums.txt"].Data = []byte(sum + " source-shop\n")
	page := string(fsys["connectors/source-shop/README.md"].Data)
	page = strings.NewReplacer("# Shop", "# Loja", "Message", "Mensagem", "Version", "Versão", "today", "hoje", "Wait.", "Espere.").Replace(page)
	fsys["connectors/source-shop/README.pt-BR.md"] = &fstest.MapFile{Data: []byte(page)}
	return fsys
}

// Each check finds what is there for it to find, and nothing in what is good.
func TestChecks(t *testing.T) {
	const shop, loja = "connectors/source-shop/README.md", "connectors/source-shop/README.pt-BR.md"
	for name, c := range map[string]struct{ file, old, by, want string }{
		"good":                      {"README.md", "", "", ""},
		"link to no file":           {"README.md", "README.md#", "READ.md#", "README.md:3: the link to connectors/source-shop/READ.md#set-up--go: there is no connectors/source-shop/READ.md"},
		"link to no heading":        {"README.md", "set-up--go", "set-up-go", `has no heading "set-up-go"`},
		"link out of the tree":      {"README.md", "connectors/source-shop/README.md#set-up--go", "../other.md", "there is no ../other.md"},
		"plain address":             {"README.md", "https://example.com", "http://example.com", "is not https"},
		"picture":                   {"README.md", "<https://example.com>", `<img src="docs/none.svg">`, "there is no docs/none.svg"},
		"own address":               {"README.md", "https://example.com", here + "/tree/main/connectors/source-none", "there is no connectors/source-none"},
		"own address, heading":      {"README.md", "https://example.com", here + "/tree/main/connectors/source-shop#none", `has no heading "none"`},
		"own address, good":         {"README.md", "https://example.com", here + "/tree/main/connectors/source-shop#set-up--go", ""},
		"shell":                     {shop, "source-shop:1.2.3 spec", "source-shop:1.2.3 'spec", "the block of code"},
		"no language":               {shop, "```sh\ndocker", "```\ndocker", "does not say its language"},
		"unknown language":          {shop, "```sh\ndocker", "```shel\ndocker", `"shel"`},
		"old version":               {shop, "source-shop:1.2.3", "source-shop:dev", "source-shop is at version 1.2.3"},
		"version in an example":     {"examples/run.sh", "echo one", "docker run ghcr.io/imob-data/source-shop:1.2.2", "examples/run.sh:3: source-shop is at version 1.2.3"},
		"unknown connector":         {shop, "source-shop:1.2.3", "source-stop:1.2.3", "there is no connector source-stop"},
		"excerpt":                   {shop, "echo two", "echo 2", "not part of examples/run.sh"},
		"excerpt in another order":  {shop, "set -e\n# …\necho two", "echo two\n# …\nset -e", "not part of examples/run.sh"},
		"excerpt that leaves out":   {shop, "# …\n", "", "not part of examples/run.sh"},
		"excerpt of nothing":        {shop, "From examples/run.sh", "From examples/none.sh", "there is no examples/none.sh"},
		"message":                   {shop, "was late by 5 minutes", "came late by 5 minutes", `nothing in the code says "came late by 5 minutes"`},
		"message of a hole only":    {"common/engine.go", "The answer of %s was late", "%s", "nothing in the code says"},
		"message translated":        {loja, "nothing is for sale", "nada está à venda", "nothing in the code says"},
		"message, other connector":  {"connectors/source-shop/source.go", "nothing is", "something is", `nothing in the code says "nothing is for sale"`},
		"translation, heading":      {loja, "## Set up & go", "### Set up & go", loja + ":2: the heading is ###"},
		"translation, heading less": {loja, "## Set up & go\n", "", "there is no heading for ##"},
		"translation, code":         {loja, "source-shop:1.2.3 spec", "source-shop:1.2.3 check", "the block of code is"},
		"translation, stream":       {loja, "| `items` | a |", "| `itens` | a |", "the row of a table is `itens`, and `items` in"},
		"translation, stream more":  {loja, "| `items` | a |", "| `items` | a |\n| `more` | a |", "the row of a table is `more`"},
		"personal data, column":     {"docs/personal-data.md", "buyer", "tenant", "docs/personal-data.md:5: items has no column tenant"},
		"personal data, columns":    {"specs/source-shop/streams/items.json", "seller_cpf", "seller", "items has no column seller_*"},
		"personal data, stream":     {"docs/personal-data.md", "`items`", "`offers`", "source-shop has no stream offers"},
		"personal data, unlisted":   {"specs/source-shop/streams/items.json", "id", "Telefone", "docs/personal-data.md:2: the column items.Telefone looks personal"},
		"personal data, not all":    {"docs/personal-data.md", "| all |", "| some |", "the column buyers.email looks personal"},
		"personal data, of people":  {"docs/personal-data.md", "`shop_email`", "no", "the column items.shop_email looks personal"},
		"personal data, of stream":  {"docs/personal-data.md", "`items.shop_fone`", "`buyers.shop_fone`", "the column items.shop_fone looks personal"},
		"personal data, translated": {"docs/personal-data.pt-BR.md", "buyer`", "tenant`", "the row of a table is `items`, `seller_*`, `tenant`, and `items`, `seller_*`, `buyer` in"},
		"personal data, section":    {"docs/personal-data.md", "## Not", "## source-park\n## Not", "docs/personal-data.md:7: the column cars.email looks personal"},
		"picture of another form":   {"specs/source-shop/spec.json", "Token", "Key", "the form of source-shop is another one by now"},
		"picture of no connector":   {"docs/forms/sums.txt", "source-shop", "source-stop", "there is no specification of source-stop"},
		"translation, version":      {loja, "| 1.2.3 | hoje |", "| 1.2.2 | hoje |", "the version is 1.2.2"},
	} {
		t.Run(name, func(t *testing.T) {
			files := good()
			text := string(files[c.file].Data)
			if !strings.Contains(text, c.old) {
				t.Fatalf("%q is not in %s", c.old, c.file)
			}
			files[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, c.old, c.by, 1))}
			expect(t, Repository{files}, c.want)
		})
	}
	files := good()
	delete(files, loja)
	expect(t, Repository{files}, "there is no README.pt-BR.md")
}

// expect holds that one finding has wanted in it, or that there is none where wanted is "".
func expect(t *testing.T, r Repository, wanted string) {
	t.Helper()
	found, err := Run(r)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(found); wanted == "" && len(found) > 0 || !strings.Contains(text, wanted) {
		t.Errorf("found %s; want %q", text, wanted)
	}
}

func TestCodeBlocks(t *testing.T) {
	for language, c := range map[string]struct{ good, bad string }{
		"json":  {`{"a": [1]}`, `{"a": [1}`},
		"jsonl": {"{}\n[1]\n", "{}\n{\n"},
		"yaml":  {"a: 1\n---\nb: [2]\n", "a: [1\n"},
		"go":    {"x := f(1)\nreturn x\n", "x := = 1\n"},
		"hcl":   {"resource \"a\" \"b\" {\n  c = 1\n}\n", "resource \"a\" {\n"},
		"bash":  {"for f in *; do echo \"$f\"; done\n", "for f in *; do echo\n"},
	} {
		if err := parses(language, c.good); err != nil {
			t.Errorf("%s: %v", language, err)
		}
		if err := parses(language, c.bad); err == nil {
			t.Errorf("%s: %q was taken", language, c.bad)
		}
	}
}

func TestStamp(t *testing.T) {
	files := good()
	files["examples/run.sh"] = &fstest.MapFile{Data: []byte("a ghcr.io/imob-data/source-shop:dev. b ghcr.io/imob-data/source-shop:0.9.1-rc.2 c ghcr.io/imob-data/source-shop:${TAG}\n" +
		"  docker_repository = \"ghcr.io/imob-data/source-shop\"\n  docker_image_tag  = \"0.9.0\"\nimage=ghcr.io/imob-data/source-shop tag=0.9.0\n")}
	changed, err := Stamp(Repository{files})
	if err != nil {
		t.Fatal(err)
	}
	want := "a ghcr.io/imob-data/source-shop:1.2.3. b ghcr.io/imob-data/source-shop:1.2.3 c ghcr.io/imob-data/source-shop:${TAG}\n" +
		"  docker_repository = \"ghcr.io/imob-data/source-shop\"\n  docker_image_tag  = \"1.2.3\"\nimage=ghcr.io/imob-data/source-shop tag=1.2.3\n"
	if names := slices.Collect(maps.Keys(changed)); len(names) != 1 || string(changed["examples/run.sh"]) != want {
		t.Errorf("changed %v: %s", names, changed["examples/run.sh"])
	}
}

func TestCompare(t *testing.T) {
	ordered := []string{"", "0.9.10-rc.2", "0.9.10-rc.10", "0.9.10", "0.10.0", "1.0.0"}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := compare(a, b); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("compare(%q, %q) = %d", a, b, got)
			}
		}
	}
}

// What a connector does cannot change without its version, which cannot fall.
func TestSince(t *testing.T) {
	root := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", root, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	put := func(file, text string) {
		t.Helper()
		file = filepath.Join(root, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const golden = "connectors/source-shop/testdata/golden/full/want.jsonl"
	metadata := func(version string) {
		put("connectors/source-shop/metadata.yaml", "data:\n  dockerImageTag: "+version+"\n")
	}
	run("init", "--quiet")
	metadata("0.9.0")
	put(golden, "a\n")
	run("add", ".")
	run("commit", "--quiet", "-m", "one")

	look := func(want string) {
		t.Helper()
		found, err := Since(t.Context(), root, "HEAD")
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(found); (want == "") != (len(found) == 0) || !strings.Contains(text, want) {
			t.Errorf("found %s; want %q", text, want)
		}
	}
	look("")
	put("connectors/source-shop/testdata/golden/full/exchanges.json", "[]")
	look("")
	put(golden, "b\n")
	look("does something else since HEAD, and its version is 0.9.0 still")
	put("connectors/source-shop/testdata/golden/more/want.jsonl", "c\n") // another case is no change
	metadata("0.10.0")
	look("")
	metadata("0.8.9")
	look("fell from 0.9.0 to 0.8.9")
	if _, err := Since(t.Context(), root, "none"); err == nil {
		t.Error("a commit that is not there was compared with")
	}

	first, err := git(t.Context(), root, "rev-parse", "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if before := Before(t.Context(), root); before != "" {
		t.Errorf("the first commit is compared with %q", before)
	}
	run("commit", "--quiet", "-a", "-m", "two")
	if before := Before(t.Context(), root); before+"\n" != first {
		t.Errorf("the second commit is compared with %q, not %q", before, first)
	}
	if before := Before(t.Context(), t.TempDir()); before != "" {
		t.Errorf("no checkout is compared with %q", before)
	}
}
