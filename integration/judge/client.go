package judge

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// client runs a command of a test's client container: an image that is built from the test's Dockerfile, with the test's secrets at
// /client/secrets, as in Airbyte's tests.
func (s *Subject) client(ctx context.Context, c *Client, command []string) error {
	image, err := memo(s, "client "+c.Dockerfile, func() (string, error) {
		file := s.Config.Path(c.Dockerfile)
		out, err := docker(ctx, "build", "--quiet", "--file", file, filepath.Dir(file))
		return string(bytes.TrimSpace(out)), err
	})
	if err != nil {
		return err
	}
	args := []string{"run", "--rm", "--network", "host"}
	if c.SecretsPath != "" {
		folder, err := filepath.Abs(s.Config.Path(c.SecretsPath))
		if err != nil {
			return err
		}
		args = append(args, "--volume", folder+":/client/secrets:ro")
	}
	_, err = docker(ctx, append(append(args, image), command...)...)
	return err
}

func docker(ctx context.Context, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "docker", args...)
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("docker %s: %w\n%s", args[0], err, said.Bytes())
	}
	return out, nil
}

// clients are all client containers of the configuration.
func (c *Config) clients() (all []*Client) {
	t := c.Tests
	for _, test := range t.BasicRead.Tests {
		all = append(all, test.Client)
	}
	for _, test := range t.FullRefresh.Tests {
		all = append(all, test.Client)
	}
	for _, test := range t.Incremental.Tests {
		all = append(all, test.Client)
	}
	return append(all, t.Client)
}
