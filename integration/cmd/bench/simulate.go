package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// simulateCommand is the first argument of a simulator's process; the others are its name, its size and the latency of its answers.
const simulateCommand = "simulate"

// offer is what a simulator's process says first.
type offer struct {
	URL     string
	Config  json.RawMessage
	Secrets []string
}

// traffic is what it says of the requests it has had, for each line that it is sent.
type traffic struct {
	Requests []request
	AtOnce   int // how many were in the works at one time; see usual
}

// room is for answers that are kept: those of 100,000 rows, and of a million where they are small. Memory is taken as it is needed.
const room = 4 << 30

// simulate serves a simulator until stdin ends.
func simulate(name, size, latency string, stdin io.Reader, stdout io.Writer) error {
	rows, err := strconv.Atoi(size)
	if err != nil {
		return fmt.Errorf("reading the size: %w", err)
	}
	late, err := time.ParseDuration(latency)
	if err != nil {
		return fmt.Errorf("reading the latency: %w", err)
	}
	open := simulators.All()[name]
	if open == nil {
		return fmt.Errorf("there is no simulator %q", name)
	}
	simulator, err := open(sim.Options{Size: rows})
	if err != nil {
		return err
	}
	server, err := sim.Start(simulator, "", sim.Behaviour{LogSize: 1_000_000, LogBodies: true, Keep: room, Latency: late})
	if err != nil {
		return err
	}
	defer server.Close()
	config := server.Config()
	if _, ok := config["requests_per_minute"]; ok {
		config["requests_per_minute"] = 1_000_000_000
	}
	body, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	out := json.NewEncoder(stdout)
	if err := out.Encode(offer{URL: server.URL, Config: body, Secrets: simulator.Secrets()}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(stdin); lines.Scan(); {
		log := server.Log()
		t := traffic{AtOnce: usual(log)}
		if _, ok := simulator.(sim.Placed); ok { // whose readers go on one request after the other
			t.AtOnce = 1
		}
		slices.SortStableFunc(log, func(a, b sim.Request) int { return a.Time.Compare(b.Time) }) // as they came: the log has them as they ended
		for _, r := range log {
			for _, name := range []string{"Accept-Encoding", "Connection", "Content-Length"} {
				r.Header.Del(name) // the relay's own
			}
			t.Requests = append(t.Requests, request{Method: r.Method, URI: r.URI, Header: r.Header, Body: r.Body})
		}
		if err := out.Encode(t); err != nil {
			return err
		}
	}
	return nil
}

// usual returns how many requests were in the works when one came, itself included, for nineteen of twenty. A listing whose pages lead from one to
// the next has one, though another listing's request may have stood beside its first.
func usual(log []sim.Request) int {
	inside := make([]int, 0, len(log))
	for _, r := range log {
		inside = append(inside, r.Inside)
	}
	if len(inside) == 0 {
		return 1
	}
	slices.Sort(inside)
	return inside[(len(inside)-1)*19/20]
}

// simulator is a simulator in a process of its own, so that its work is not counted as the bench's and not in its memory.
type simulator struct {
	offer

	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func startSimulator(ctx context.Context, name string, size int, latency time.Duration) (*simulator, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	s := &simulator{cmd: exec.CommandContext(ctx, self, simulateCommand, name, strconv.Itoa(size), latency.String())}
	s.cmd.Stderr = os.Stderr
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	s.in, s.out = in, json.NewDecoder(out)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	if err := s.out.Decode(&s.offer); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the simulator: %w", err), s.close())
	}
	return s, nil
}

// traffic asks for the requests so far.
func (s *simulator) traffic() (t traffic, err error) {
	if _, err := io.WriteString(s.in, "\n"); err != nil {
		return t, fmt.Errorf("asking the simulator: %w", err)
	}
	if err := s.out.Decode(&t); err != nil {
		return t, fmt.Errorf("asking the simulator: %w", err)
	}
	return t, nil
}

func (s *simulator) close() error { return errors.Join(s.in.Close(), s.cmd.Wait()) }
