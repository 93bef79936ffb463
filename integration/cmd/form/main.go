// Command form draws the form that Airbyte makes of each connector's specification, as docs/forms/NAME.png, with headless Chromium. `make forms`
// calls it. docs/forms/sums.txt says of which forms the pictures are; package qa holds them to the specifications.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/form"
	"github.com/imob-data/airbyte-connectors/integration/harness"
)

func main() {
	if err := draw(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "form:", err)
		os.Exit(1)
	}
}

func draw(ctx context.Context) error {
	root, err := harness.Root()
	if err != nil {
		return err
	}
	connectors, err := harness.Connectors()
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "forms")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(scratch)
	to := filepath.Join(root, "docs", "forms")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	var sums strings.Builder
	for _, c := range connectors {
		specification, err := os.ReadFile(filepath.Join(root, "specs", c.Name, "spec.json"))
		if err != nil {
			return fmt.Errorf("reading the specification: %w", err)
		}
		drawn, err := form.Draw(c.Name, specification)
		if err != nil {
			return err
		}
		sum, err := form.Sum(c.Name, specification)
		if err != nil {
			return err
		}
		page := filepath.Join(scratch, c.Name+".html")
		if err := os.WriteFile(page, drawn, 0o600); err != nil {
			return fmt.Errorf("writing the form: %w", err)
		}
		if err := shoot(ctx, page, filepath.Join(to, c.Name+".png")); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s %s\n", sum, c.Name)
	}
	if err := os.WriteFile(filepath.Join(to, "sums.txt"), []byte(sums.String()), 0o644); err != nil {
		return fmt.Errorf("writing of which forms the pictures are: %w", err)
	}
	return nil
}

// shoot takes a picture of a page in its whole height.
func shoot(ctx context.Context, page, to string) error {
	measured, err := os.ReadFile(page)
	if err != nil {
		return fmt.Errorf("measuring the form: %w", err)
	}
	measure := strings.TrimSuffix(page, ".html") + "-measured.html"
	script := `<script>document.title = "height " + document.documentElement.scrollHeight</script>`
	if err := os.WriteFile(measure, append(measured, script...), 0o600); err != nil {
		return fmt.Errorf("measuring the form: %w", err)
	}
	out, err := chromium(ctx, "--window-size=720,200", "--dump-dom", "file://"+measure)
	if err != nil {
		return err
	}
	height := regexp.MustCompile(`<title>height (\d+)</title>`).FindStringSubmatch(string(out))
	if height == nil {
		return fmt.Errorf("measuring the form: Chromium told no height")
	}
	_, err = chromium(ctx, "--window-size=720,"+height[1], "--screenshot="+to, "file://"+page)
	return err
}

// chromium runs headless Chromium and returns what it prints.
func chromium(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "chromium", append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running chromium, which Debian has as a package: %w", err)
	}
	return out, nil
}
