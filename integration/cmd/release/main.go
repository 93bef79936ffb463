// Command release publishes each connector whose version (dockerImageTag in metadata.yaml) the registry does not have yet, for amd64 and arm64,
// with an SBOM and its provenance; see package release. `make publish` calls it. It takes the registry's credentials from where docker login puts
// them, and what it can say of the run from GitHub's environment, where there is one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/release"
)

func main() {
	base := flag.String("base", "busybox:1.37-musl", "the base image by its tag; what is built stands on the digest that it has now")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := publish(ctx, *base, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// publish publishes the named connectors, or all.
func publish(ctx context.Context, base string, names []string) error {
	root, err := harness.Root()
	if err != nil {
		return err
	}
	found, err := harness.Connectors()
	if err != nil {
		return err
	}
	var connectors []release.Connector
	for _, c := range found {
		if len(names) == 0 || slices.Contains(names, c.Name) {
			connectors = append(connectors, release.Connector{Name: c.Name, Image: c.Repository, Version: c.Tag})
		}
	}
	if len(connectors) == 0 || len(names) > len(connectors) {
		return fmt.Errorf("looking for the connectors %v: not all are in connectors/", names)
	}
	run, err := about(ctx, root)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "release")
	if err != nil {
		return fmt.Errorf("making a folder for images: %w", err)
	}
	r := release.Release{
		Registry: release.Registry{remote.WithAuthFromKeychain(authn.DefaultKeychain)},
		Build:    release.Docker(root, scratch), Base: base, Run: run,
		Say: func(format string, args ...any) { fmt.Printf(format+"\n", args...) },
	}
	return errors.Join(r.Publish(ctx, connectors), os.RemoveAll(scratch))
}

// about returns what is known of this run. A tree with changes has no commit that it could be built again from, and is refused.
func about(ctx context.Context, root string) (release.Run, error) {
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output()
		if err != nil {
			return "", fmt.Errorf("running git %s: %w", args[0], err)
		}
		return strings.TrimSpace(string(out)), nil
	}
	commit, err := git("rev-parse", "HEAD")
	if err != nil {
		return release.Run{}, err
	}
	changed, err := git("status", "--porcelain", "--untracked-files=no")
	if err != nil {
		return release.Run{}, err
	}
	if changed != "" {
		return release.Run{}, fmt.Errorf("looking at the source: it has changes that are not committed:\n%s", changed)
	}
	const repository = "https://github.com/imob-data/airbyte-connectors"
	run := release.Run{Repository: repository, Commit: commit, Builder: repository + "/blob/main/integration/cmd/release", Began: time.Now()}
	if workflow := os.Getenv("GITHUB_WORKFLOW_REF"); workflow != "" {
		run.Builder = os.Getenv("GITHUB_SERVER_URL") + "/" + workflow
		run.Invocation = os.Getenv("GITHUB_SERVER_URL") + "/" + os.Getenv("GITHUB_REPOSITORY") + "/actions/runs/" + os.Getenv("GITHUB_RUN_ID")
	}
	return run, nil
}
