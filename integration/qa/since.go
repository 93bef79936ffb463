package qa

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Since finds connectors in the repository at root whose behaviour changed since a commit, as their golden files show, and whose version did
// not; and those whose version fell. A commit that is not known is an error.
func Since(ctx context.Context, root, commit string) (found []Finding, err error) {
	r := Repository{os.DirFS(root)}
	connectors, err := r.connectors()
	if err != nil {
		return nil, err
	}
	base, err := git(ctx, root, "rev-parse", "--verify", commit+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("comparing versions: %w", err)
	}
	base = strings.TrimSpace(base)
	for _, connector := range connectors {
		file := "connectors/" + connector + "/metadata.yaml"
		old, err := git(ctx, root, "show", base+":"+file)
		if err != nil {
			continue // a new connector
		}
		var before metadata
		if err := yaml.Unmarshal([]byte(old), &before); err != nil {
			return nil, fmt.Errorf("reading %s of %s: %w", file, commit, err)
		}
		now, err := r.metadata(connector)
		if err != nil {
			return nil, err
		}
		changed, err := git(ctx, root, "diff", "--name-only", "--diff-filter=MDR", base, "--", "connectors/"+connector+"/testdata/golden/*want.jsonl")
		if err != nil {
			return nil, err
		}
		switch order := compare(before.Data.Tag, now.Data.Tag); {
		case order > 0:
			found = append(found, Finding{file, 0, fmt.Sprintf("the version fell from %s to %s", before.Data.Tag, now.Data.Tag)})
		case order == 0 && changed != "":
			found = append(found, Finding{file, 0, fmt.Sprintf("the connector does something else since %s, and its version is %s still; see %s",
				commit, now.Data.Tag, strings.Join(strings.Fields(changed), ", "))})
		}
	}
	return found, nil
}

// Before returns the commit with which a change is compared where nobody names one: the one at which this branch left main, or on main itself the
// one before the last. It is "" where there is none, as in a folder that is no checkout.
func Before(ctx context.Context, root string) string {
	head, err := git(ctx, root, "rev-parse", "HEAD")
	if err != nil {
		return ""
	}
	for _, main := range []string{"origin/main", "main"} {
		if base, err := git(ctx, root, "merge-base", "HEAD", main); err == nil && base != head {
			return strings.TrimSpace(base)
		}
	}
	parent, err := git(ctx, root, "rev-parse", "--verify", "HEAD^")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(parent)
}

// git returns what git says in a folder.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("running git %s: %w", args[0], err)
	}
	return string(out), nil
}

// compare returns a number below 0 where version a is before b, above 0 where it is after it. A release candidate (1.2.3-rc.1) is before its
// version; a text that is no version is before all.
func compare(a, b string) int {
	x, y := numbers(a), numbers(b)
	for i := range x {
		if x[i] != y[i] {
			return x[i] - y[i]
		}
	}
	return 0
}

// numbers returns the three numbers of a version and that of its candidate, which is greater than any where there is none.
func numbers(version string) (n [4]int) {
	release, candidate, is := strings.Cut(version, "-rc.")
	if n[3] = 1 << 30; is {
		n[3], _ = strconv.Atoi(candidate)
	}
	for i, part := range strings.SplitN(release, ".", 3) {
		n[i], _ = strconv.Atoi(part)
	}
	return n
}
