package judge

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// client runs a command in a test's client container. Its image is built from the test's Dockerfile, with the test's secrets at /client/secrets, as
// in Airbyte's tests.
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

// setUp runs the setup_command of every client container.
func (s *Subject) setUp(ctx context.Context) error {
	for _, c := range s.Config.clients() {
		if len(c.Setup) > 0 {
			if err := s.client(ctx, c, c.Setup); err != nil {
				return fmt.Errorf("running a test's setup_command: %w", err)
			}
		}
	}
	return nil
}

// tearDown runs every teardown_command, even if the checks were stopped. It logs failures.
func (s *Subject) tearDown(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	for _, c := range s.Config.clients() {
		for _, command := range [][]string{c.Teardown, c.FinalTeardown} {
			if len(command) == 0 {
				continue
			}
			if err := s.client(ctx, c, command); err != nil && s.options.Log != nil {
				_, _ = fmt.Fprintln(s.options.Log, s.blank(err.Error())) // nobody is left to tell
			}
		}
	}
}

// clients returns the client containers of the configuration.
func (c *Config) clients() (all []*Client) {
	t := c.Tests
	add := func(client *Client) {
		if client != nil && client.Dockerfile != "" {
			all = append(all, client)
		}
	}
	for _, test := range t.BasicRead.Tests {
		add(test.Client)
	}
	for _, test := range t.FullRefresh.Tests {
		add(test.Client)
	}
	for _, test := range t.Incremental.Tests {
		add(test.Client)
	}
	add(t.Client)
	return all
}
