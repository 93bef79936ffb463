// Command qa prints where the repository's pages say something else than its code, and exits with 1 if they do. make lint calls it.
//
//	go run ./cmd/qa ..             looks at the repository in the folder above
//	go run ./cmd/qa -write ..      writes the connectors' versions into pages and examples
//	go run ./cmd/qa -since REF ..  compares versions with those of a commit, instead of with what [qa.Before] says
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/imob-data/airbyte-connectors/integration/qa"
)

func main() {
	write := flag.Bool("write", false, "write the connectors' versions into pages and examples")
	since := flag.String("since", "", "the commit that versions are compared with")
	flag.Parse()
	root := flag.Arg(0)
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "qa wants one folder, that of the repository.")
		os.Exit(2)
	}
	found, err := run(context.Background(), root, *write, *since)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, root string, write bool, since string) ([]qa.Finding, error) {
	r := qa.Repository{Files: os.DirFS(root)}
	if write {
		changed, err := qa.Stamp(r)
		if err != nil {
			return nil, err
		}
		for file, data := range changed {
			if err := os.WriteFile(filepath.Join(root, file), data, 0o644); err != nil {
				return nil, fmt.Errorf("writing versions: %w", err)
			}
			fmt.Println("versions in", file)
		}
		return nil, nil
	}
	found, err := qa.Run(r)
	if err != nil {
		return nil, err
	}
	if since == "" {
		since = qa.Before(ctx, root)
	}
	if since == "" {
		fmt.Println("*** There is no commit to compare with: WHETHER CHANGES HAVE VERSIONS IS NOT KNOWN. ***")
		return found, nil
	}
	more, err := qa.Since(ctx, root, since)
	return append(found, more...), err
}
