package qa

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
)

// here is where the repository's files are to be seen.
const here = "https://github.com/imob-data/airbyte-connectors"

// links finds links that lead nowhere: to a file or a heading that is not there, to this repository's pages under an address that it does not
// have, or to an address without TLS. What other hosts have is not asked.
func links(r Repository) (found []Finding, err error) {
	pages, err := r.pages()
	if err != nil {
		return nil, err
	}
	slugs := map[string][]string{}
	for _, p := range pages {
		for _, h := range p.headings {
			slugs[p.file] = append(slugs[p.file], h.slug)
		}
	}
	for _, p := range pages {
		for _, l := range p.links {
			if wrong := r.wrong(p.file, l.to, slugs); wrong != "" {
				found = append(found, Finding{p.file, l.line, fmt.Sprintf("the link to %s: %s", l.to, wrong)})
			}
		}
	}
	return found, nil
}

// wrong says what is wrong with a link in a file, or "".
func (r Repository) wrong(file, to string, slugs map[string][]string) string {
	u, err := url.Parse(to)
	if err != nil {
		return "is no address"
	}
	target := path.Join(path.Dir(file), u.Path)
	if u.Path == "" {
		target = file
	}
	if u.IsAbs() {
		inside, ours := strings.CutPrefix(to, here+"/")
		kind, rest, _ := strings.Cut(inside, "/main/")
		switch {
		case u.Scheme == "mailto":
			return ""
		case u.Scheme != "https" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1":
			return "is not https"
		case !ours || kind != "tree" && kind != "blob":
			return ""
		}
		target, _, _ = strings.Cut(rest, "#")
	}
	info, err := fs.Stat(r.Files, target)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return "there is no " + target
	}
	if err != nil {
		return err.Error()
	}
	if info.IsDir() && u.Fragment != "" {
		target = path.Join(target, "README.md") // which is what is shown of a folder
	}
	if u.Fragment != "" && !slices.Contains(slugs[target], u.Fragment) {
		return fmt.Sprintf("%s has no heading %q", target, u.Fragment)
	}
	return ""
}
