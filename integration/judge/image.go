package judge

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// description returns the image's metadata.
func (t *Trial) description(ctx context.Context) (harness.Description, error) {
	return memo(t.Subject, "image", func() (harness.Description, error) { return harness.Image{Ref: t.image}.Describe(ctx) })
}

func imageLabels(ctx context.Context, t *Trial) error {
	d, err := t.description(ctx)
	if err != nil {
		return err
	}
	if t.Metadata == nil {
		t.skip("there is no metadata.yaml")
		return nil
	}
	for label, want := range map[string]string{"io.airbyte.name": t.Metadata.Repository, "io.airbyte.version": t.Metadata.Tag} {
		if got := d.Labels[label]; got != want {
			t.failf(label+" is "+want+", as in metadata.yaml", "%q", got)
		}
	}
	return nil
}

func imageEnvironment(ctx context.Context, t *Trial) error {
	d, err := t.description(ctx)
	if err != nil {
		return err
	}
	want := strings.Join(d.Entrypoint, " ")
	for _, e := range d.Env {
		if got, ok := strings.CutPrefix(e, "AIRBYTE_ENTRYPOINT="); ok {
			if got != want {
				t.failf("AIRBYTE_ENTRYPOINT is the entrypoint, "+want, "%s", got)
			}
			return nil
		}
	}
	t.failf("AIRBYTE_ENTRYPOINT in the image's environment", "it is not set")
	return nil
}

func imageUser(ctx context.Context, t *Trial) error {
	d, err := t.description(ctx)
	if err != nil {
		return err
	}
	user, _, _ := strings.Cut(d.User, ":")
	if user != "airbyte" && user != "1000" {
		t.failf("the user airbyte, 1000", "%q", d.User)
	}
	said, err := t.shell(ctx)
	if err == nil && said.user != "1000" {
		t.failf("id -u to say 1000 inside", "%q", said.user)
	}
	return err
}

func imageWritable(ctx context.Context, t *Trial) error {
	said, err := t.shell(ctx)
	if err == nil && said.written != "written" {
		t.failf("a folder /airbyte that its user can write to", "it cannot")
	}
	return err
}

// inside is what the image's shell says: the user, whether it could write, and which tools are missing. tools ends with "end" if the script got that
// far.
type inside struct{ user, written, tools string }

// shell runs all commands that checks need in the image's shell, once.
func (t *Trial) shell(ctx context.Context) (inside, error) {
	return memo(t.Subject, "shell", func() (inside, error) {
		const next = "-- next --"
		script := strings.Join([]string{
			`id -u`, `touch /airbyte/acceptance && echo written`,
			`for tool in sh sleep mv kill; do type $tool >/dev/null 2>&1 || echo $tool; done; echo end`,
		}, "; echo '"+next+"'; ")
		r, err := t.run(ctx, order{
			label: "the image's shell", apart: true, command: harness.Command{Text: true}, runner: harness.Image{Ref: t.image, Script: script},
		})
		if err != nil {
			return inside{}, err
		}
		answers := append(strings.Split(string(r.Output), next), "", "")
		return inside{strings.TrimSpace(answers[0]), strings.TrimSpace(answers[1]), strings.TrimSpace(answers[2])}, nil
	})
}

func imageSize(ctx context.Context, t *Trial) error {
	d, err := t.description(ctx)
	if err != nil {
		return err
	}
	if d.Size > t.options.ImageSize {
		t.failf(fmt.Sprintf("at most %d MiB", t.options.ImageSize>>20), "%d MiB", d.Size>>20)
	}
	return nil
}

func imageShell(ctx context.Context, t *Trial) error {
	said, err := t.shell(ctx)
	if err != nil {
		t.failf("sh in the image", "%v", err)
		return nil
	}
	if missing, ended := strings.CutSuffix(said.tools, "end"); !ended || missing != "" {
		t.failf("sh, sleep, mv and kill in the image", "missing: %s", strings.Join(strings.Fields(missing), ", "))
	}
	return nil
}

func imageSpec(ctx context.Context, t *Trial) error {
	r, err := t.specRun(ctx)
	if err == nil && (len(r.Specs) != 1 || r.Code != 0) {
		t.fail("a SPEC and exit 0", r.String(), "")
	}
	return err
}

// rewritable runs a command with the configuration mounted writable, as Airbyte's CDK does, because a connector may rewrite it.
func (t *Trial) rewritable(ctx context.Context, label string, config []byte, c harness.Command) (*Run, error) {
	folder, err := os.MkdirTemp("", "secrets-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, harness.ConfigFile)
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	if err := os.Chmod(file, 0o666); err != nil { // whoever the image's user is
		return nil, err
	}
	for i, argument := range c.Args {
		if argument == "{"+harness.ConfigFile+"}" {
			c.Args[i] = "/secrets/config.json"
		}
	}
	return t.run(ctx, order{
		label: label, command: c, limit: 10 * time.Minute,
		runner: harness.Image{Ref: t.image, Binds: []string{file + ":/secrets/config.json"}},
	})
}

// scenarios returns the configurations that the CDK's tests collect, with the outcome that they expect of check.
func (t *Trial) scenarios() map[string]string {
	all := map[string]string{}
	for path, works := range t.files() {
		all[path] = map[bool]string{true: "succeed", false: "failed"}[works]
	}
	for _, test := range t.Config.Tests.Connection.Tests {
		all[test.ConfigPath] = test.Status
	}
	return all
}

func imageCheck(ctx context.Context, t *Trial) error {
	for path, status := range t.scenarios() {
		config, err := t.config(path, status == "succeed")
		if err != nil {
			t.fail("a configuration in "+path, err.Error(), "")
			continue
		}
		r, err := t.rewritable(ctx, "check of "+path+", which may be rewritten", config, harness.Check(config))
		if err != nil {
			return err
		}
		succeeded := len(r.Checks) == 1 && r.Checks[0].Status == "SUCCEEDED" && r.Code == 0
		if succeeded != (status == "succeed") {
			t.fail(path+": "+status, r.String()+fmt.Sprint(r.Checks), "")
		}
	}
	return nil
}

func imageRead(ctx context.Context, t *Trial) error {
	path, err := t.principal()
	if err != nil {
		return err
	}
	catalog, ok, err := t.everything(ctx)
	if !ok {
		return err
	}
	streams := catalog.Streams
	if t.Metadata != nil && len(t.Metadata.Suggested.Streams) > 0 {
		streams = slices.DeleteFunc(slices.Clone(streams), func(s harness.Stream) bool { return !slices.Contains(t.Metadata.Suggested.Streams, s.Name) })
	}
	config, err := t.config(path, true)
	if err != nil {
		return err
	}
	r, err := t.rewritable(ctx, "read with "+path+", which may be rewritten", config, harness.Read(config, harness.Configured("", streams...), nil))
	if err != nil {
		return err
	}
	if r.complete() != "" || len(r.rows) == 0 {
		t.fail("exit 0 and a record", r.String(), "")
	}
	return nil
}
