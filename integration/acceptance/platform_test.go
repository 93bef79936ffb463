package acceptance

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// largest is how large an image may be, in bytes.
const largest = 20 << 20

// TestImageItself looks at each connector's image without running a connector's command in it, but for spec.
func TestImageItself(t *testing.T) {
	eachImage(t, func(t *testing.T, c harness.Connector) {
		var images []struct {
			Size         int64
			Architecture string
			Config       struct {
				User       string
				Env        []string
				Entrypoint []string
				Cmd        []string
				WorkingDir string
				Labels     map[string]string
			}
		}
		if err := json.Unmarshal(docker(t, "image", "inspect", c.Image()), &images); err != nil {
			t.Fatal(err)
		}
		i := images[0]
		if i.Size > largest {
			t.Errorf("the image has %d bytes, more than %d", i.Size, largest)
		}
		t.Logf("%d bytes, %s", i.Size, i.Architecture)
		if name, version := i.Config.Labels["io.airbyte.name"], i.Config.Labels["io.airbyte.version"]; name != c.Repository || version != c.Tag {
			t.Errorf("the labels say %s:%s, metadata.yaml says %s:%s", name, version, c.Repository, c.Tag)
		}
		entrypoint := strings.Join(i.Config.Entrypoint, " ")
		if !slices.Contains(i.Config.Env, "AIRBYTE_ENTRYPOINT="+entrypoint) || !strings.HasPrefix(entrypoint, "/") {
			t.Errorf("the entrypoint is %q, the environment is %v", entrypoint, i.Config.Env)
		}
		if i.Config.User != "airbyte" && i.Config.User != "1000" && i.Config.User != "1000:1000" {
			t.Errorf("the user is %q", i.Config.User)
		}
		who := strings.Fields(string(docker(t, "run", "--rm", "--entrypoint", "sh", c.Image(), "-c",
			`echo "$(id -u) $(id -g) $(id -un)"; touch /airbyte/x && echo writable; for tool in sleep mv kill; do type $tool >/dev/null || echo no $tool; done`)))
		if want := []string{"1000", "1000", "airbyte", "writable"}; !slices.Equal(who, want) {
			t.Errorf("inside it is %v, not %v", who, want)
		}
		if spec := docker(t, "run", "--rm", c.Image(), "spec"); !strings.HasPrefix(string(spec), `{"type":"SPEC"`) {
			t.Errorf("docker run IMAGE spec said %s", spec)
		}
	})
}

// eachImage builds each connector's image and calls test.
func eachImage(t *testing.T, test func(t *testing.T, c harness.Connector)) {
	t.Helper()
	needDocker(t)
	connectors, err := harness.Connectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range connectors {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.BuildImage(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, c)
		})
	}
}

// docker runs a docker command and is its stdout.
func docker(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker", args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker %v: %v\n%s", args, err, stderr.String())
	}
	return out
}

// TestPlatform reads twice the platform's own way: whole, and from the state after some rows changed.
func TestPlatform(t *testing.T) {
	eachImage(t, func(t *testing.T, c harness.Connector) {
		if c.Writes() {
			return // see TestDestinationPlatform
		}
		f := fixture{connector: c, open: simulators.All()[simulators.Name(c.Name)], runner: harness.Image{Ref: c.Image()}}
		f.catalog = f.discover(t)
		f.runner = harness.Platform{Ref: c.Image(), ReadOnly: true}
		a := f.start(t, sim.Options{Size: small}, sim.Behaviour{})
		first := f.succeed(t, a, f.read(t, a, nil))
		compare(t, full(a), first)
		once(t, first)
		a.simulator.Change(10, 3)
		f.following(t, a, first.State(), f.succeed(t, a, f.read(t, a, first.State())))

		failed := f.run(t, a, harness.Read([]byte(`{}`), f.catalog.Configure(harness.Incremental), nil))
		if failed.Code != 1 || len(failed.Failures) != 1 {
			t.Errorf("without a configuration: %s", failed)
		}
	})
}
