package judge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/proxy"
	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Options say what is judged and how. The zero values of limits stand for their defaults, see [Options.Defaults].
type Options struct {
	Config string // the file acceptance-test-config.yml
	Image  string // the image that is judged, or
	Binary string // the executable that is judged; if both are empty, the configuration's image

	Simulator     string            // the name of a built-in simulator, "" for none
	SimulatorSize int               // rows of its largest stream
	SimulatorSet  map[string]string // its own options
	Open          sim.Open          // makes a simulator of the caller's, instead of a built-in one; may be nil

	Record, Replay string // files of HTTP traffic: to write, or to replay instead of the API
	BaseURLField   string // the configuration's field with the API's address, which a proxy replaces

	Only, Skip []string // names of checks or suites; an empty Only means all
	Faults     bool     // run the checks of the suite faults, even if Only does not name them
	Online     bool     // request links
	Previous   string   // what backward compatibility is checked against: an image, or a folder with spec.json and catalog.json
	Seed       uint64   // of what is random: configurations, moments
	Jobs       int      // number of concurrent checks

	WriteCatalog, WriteMessages string // what a destination is given to write

	SpecLimit, CheckLimit time.Duration // how long spec and check may take
	StopLimit             time.Duration // how long a connector may run after it was asked to stop
	Heartbeat             time.Duration // the longest silence of a source
	RunLimit              time.Duration // of every run; 0: the usual limit of its suite
	Memory                int64         // bytes that a read may take
	ImageSize             int64         // bytes
	States                int           // from how many states at most reads are resumed
	Kills                 int           // how many reads are killed
	Much                  int           // rows of a simulator's largest stream if a read must not have ended before it is stopped
	Spread                time.Duration // how long a read of much is made to take, so that it has states in the middle

	Log io.Writer // gets a line for each run; may be nil
}

// Defaults returns o with the defaults for what is not set.
func (o Options) Defaults() Options {
	o.Config = cmp.Or(o.Config, "acceptance-test-config.yml")
	o.SimulatorSize = cmp.Or(o.SimulatorSize, 120)
	o.Seed = cmp.Or(o.Seed, 1)
	o.Jobs = cmp.Or(o.Jobs, 4)
	o.SpecLimit = cmp.Or(o.SpecLimit, time.Second)
	o.CheckLimit = cmp.Or(o.CheckLimit, 7*time.Second)
	o.StopLimit = cmp.Or(o.StopLimit, time.Minute)
	o.Heartbeat = cmp.Or(o.Heartbeat, 3*time.Hour)
	o.Memory = cmp.Or(o.Memory, 512<<20)
	o.ImageSize = cmp.Or(o.ImageSize, 1<<30)
	o.States = cmp.Or(o.States, 6)
	o.Kills = cmp.Or(o.Kills, 3)
	o.Much = cmp.Or(o.Much, 1000)
	o.Spread = cmp.Or(o.Spread, 25*time.Second)
	return o
}

// Subject is the connector that is judged, from Open to Close. Safe for concurrent use.
type Subject struct {
	Config   *Config
	Metadata *Metadata // nil if there is no metadata.yaml beside the configuration

	options Options
	runner  harness.Runner
	image   string
	api     *api         // nil without a simulator
	front   *api         // replaces the API in configurations: a proxy in front of it; nil for the API itself
	proxied []string     // the environment that sends requests through a proxy
	tape    *proxy.Proxy // records or replays; nil for neither
	schemas harness.Schemas
	memos   sync.Map

	mu      sync.Mutex
	runs    []*Run
	apis    []*api
	given   map[string]string          // the file of each configuration that a run got
	updated map[string]json.RawMessage // by file: the configuration that the connector made of it
	known   []string                   // the secrets, once they were determined
}

// Metadata is the part of a metadata.yaml that checks need.
type Metadata struct {
	Repository   string `yaml:"dockerRepository"`
	Tag          string `yaml:"dockerImageTag"`
	Kind         string `yaml:"connectorType"`
	AllowedHosts struct {
		Hosts []string `yaml:"hosts"`
	} `yaml:"allowedHosts"`
	Suggested struct {
		Streams []string `yaml:"streams"`
	} `yaml:"suggestedStreams"`
	Silence int `yaml:"maxSecondsBetweenMessages"`
}

// Open reads the configuration and prepares the connector.
func Open(ctx context.Context, o Options) (*Subject, error) {
	o = o.Defaults()
	config, err := ReadConfig(o.Config)
	if err != nil {
		return nil, err
	}
	s := &Subject{Config: config, options: o, given: map[string]string{}, updated: map[string]json.RawMessage{}}
	switch {
	case o.Binary != "" && o.Image != "":
		return nil, errors.New("opening the connector: it is an image or an executable, not both")
	case o.Binary != "":
		path, err := exec.LookPath(o.Binary)
		if err == nil || errors.Is(err, exec.ErrDot) {
			path, err = filepath.Abs(cmp.Or(path, o.Binary))
		}
		if err != nil {
			return nil, fmt.Errorf("opening the connector: %w", err)
		}
		s.runner = harness.Binary{Path: path}
	default:
		s.image = cmp.Or(o.Image, config.Image)
		image := harness.Image{Ref: s.image}
		if err := image.Pull(ctx); err != nil {
			return nil, fmt.Errorf("opening the connector: %w", err)
		}
		s.runner = image
	}
	if s.Metadata, err = readMetadata(filepath.Join(filepath.Dir(o.Config), "metadata.yaml")); err != nil {
		return nil, err
	}
	if o.Simulator != "" || o.Open != nil {
		if s.api, err = s.simulate(o.SimulatorSize); err != nil {
			return nil, err
		}
	}
	if o.Record != "" || o.Replay != "" {
		if err := s.record(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// record puts the proxy that records or replays in front of the API.
func (s *Subject) record(ctx context.Context) error {
	if s.options.Replay != "" && s.api != nil {
		return errors.New("opening the connector: a simulator answers, or a recording, not both")
	}
	known, _, err := s.secrets(ctx)
	if err != nil {
		return err
	}
	place, err := s.stand(s.api, proxy.Options{Record: s.options.Record, Replay: s.options.Replay, Secrets: known})
	if err != nil {
		return err
	}
	s.tape, s.front, s.proxied = place.Proxy, place.api, place.env
	s.runner = s.through(place)
	return nil
}

// Unknown returns the requests that the replayed recording lacked.
func (s *Subject) Unknown() []string {
	if s.tape == nil {
		return nil
	}
	return s.tape.Unknown()
}

// Close ends what was started.
func (s *Subject) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []error
	if s.tape != nil {
		all = append(all, s.tape.Close())
	}
	for _, a := range s.apis {
		all = append(all, a.Close())
	}
	return errors.Join(all...)
}

func readMetadata(file string) (*Metadata, error) {
	body, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the metadata: %w", err)
	}
	var whole struct {
		Data Metadata `yaml:"data"`
	}
	if err := yaml.Unmarshal(body, &whole); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return &whole.Data, nil
}

// Writes reports whether the connector is a destination, according to its metadata or else its image's name.
func (s *Subject) Writes() bool {
	if s.Metadata != nil && s.Metadata.Kind != "" {
		return s.Metadata.Kind == "destination"
	}
	name := s.Config.Image
	return strings.HasPrefix(name[strings.LastIndexByte(name, '/')+1:], "destination-")
}

// api is a running simulator.
type api struct {
	*sim.Server

	simulator sim.Simulator
	config    map[string]any // for reading from it
	addresses []string       // the fields of config with its address
}

// simulate starts the chosen simulator, with size rows.
func (s *Subject) simulate(size int) (*api, error) {
	open := s.options.Open
	if open == nil {
		open = simulators.All()[simulators.Name(s.options.Simulator)]
	}
	if open == nil {
		return nil, fmt.Errorf("starting the simulator: %q is none of %s", s.options.Simulator,
			strings.Join(slices.Sorted(maps.Keys(simulators.All())), ", "))
	}
	simulator, err := open(sim.Options{Size: size, Seed: s.options.Seed, Set: s.options.SimulatorSet})
	if err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	return s.serve(simulator, sim.Behaviour{})
}

// serve serves a simulator, which may have been read before, with a server of its own.
func (s *Subject) serve(simulator sim.Simulator, with sim.Behaviour) (*api, error) {
	server, err := sim.Start(simulator, "", with)
	if err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	a := &api{Server: server, simulator: simulator, config: server.Config()}
	for field, value := range a.config {
		if text, ok := value.(string); ok && strings.HasPrefix(text, server.URL) {
			a.addresses = append(a.addresses, field)
		}
	}
	s.mu.Lock()
	s.apis = append(s.apis, a)
	s.mu.Unlock()
	return a, nil
}

// over changes a configuration so that it reads from the simulator. The simulator's members replace those of the file, or only its addresses if whole
// is false, because the file's other members are meant to be wrong.
func (a *api) over(config map[string]any, whole bool) {
	for field, value := range a.config {
		if whole || slices.Contains(a.addresses, field) {
			config[field] = value
		}
	}
}

// config returns the configuration of a test: the file, or what the connector has made of it since. With a simulator, the configuration reads from
// that. whole is false if the configuration is meant to be wrong.
func (s *Subject) config(path string, whole bool) ([]byte, error) {
	return s.configFor(s.api, path, whole)
}

func (s *Subject) configFor(a *api, path string, whole bool) ([]byte, error) {
	if a == nil {
		a = cmp.Or(s.front, s.api)
	}
	file := s.Config.Path(path)
	config := map[string]any{}
	s.mu.Lock()
	newest := s.updated[file]
	s.mu.Unlock()
	if newest != nil {
		if err := json.Unmarshal(newest, &config); err != nil {
			return nil, fmt.Errorf("reading what the connector made of %s: %w", file, err)
		}
	} else if err := readFile(file, &config); err != nil && (a == nil || !whole || !errors.Is(err, os.ErrNotExist)) {
		return nil, fmt.Errorf("reading a configuration: %w", err)
	}
	if a != nil {
		a.over(config, whole)
	}
	return s.give(file, config)
}

// give returns a configuration as a run gets it. If the run updates it, the update belongs to file.
func (s *Subject) give(file string, config map[string]any) ([]byte, error) {
	body, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("writing a configuration: %w", err)
	}
	s.mu.Lock()
	s.given[string(body)] = file
	s.mu.Unlock()
	return body, nil
}

// readFile reads a file of JSON or YAML.
func readFile(file string, into any) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if filepath.Ext(file) == ".json" {
		err = json.Unmarshal(body, into)
	} else {
		err = yaml.Unmarshal(body, into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// principal returns the configuration for checks that belong to no suite of the file: the first one that is meant to work.
func (s *Subject) principal() (string, error) {
	t := s.Config.Tests
	for _, test := range t.BasicRead.Tests {
		return test.ConfigPath, nil
	}
	for _, test := range t.Connection.Tests {
		if test.Status == "succeed" {
			return test.ConfigPath, nil
		}
	}
	for _, test := range t.Discovery.Tests {
		return test.ConfigPath, nil
	}
	for _, test := range t.Spec.Tests {
		return test.ConfigPath, nil
	}
	return "", errors.New("looking for a configuration that works: acceptance-test-config.yml names none")
}

// environment returns what is added to the environment of every run.
func (s *Subject) environment() []string {
	env := slices.Clone(s.proxied)
	for _, name := range slices.Sorted(maps.Keys(s.Config.Environment)) {
		env = append(env, name+"="+s.Config.Environment[name])
	}
	return env
}

// deployment returns the environment for a test's deployment mode.
func (c Common) deployment() []string {
	if c.Deployment == "" {
		return nil
	}
	return []string{"DEPLOYMENT_MODE=" + strings.ToUpper(c.Deployment)}
}

// files returns the configurations of the tests, each once, and whether they are meant to work.
func (s *Subject) files() map[string]bool {
	all := map[string]bool{}
	t := s.Config.Tests
	for _, test := range t.Spec.Tests {
		all[test.ConfigPath] = true
	}
	for _, test := range t.Discovery.Tests {
		all[test.ConfigPath] = true
	}
	for _, test := range t.BasicRead.Tests {
		all[test.ConfigPath] = true
	}
	for _, test := range t.Connection.Tests {
		all[test.ConfigPath] = test.Status == "succeed"
	}
	return all
}

// secrets returns the values that no output may show: those of fields that the specification marks, in all configurations, and those that a simulator
// knows. learnt returns more of them, which come up while the simulator is used.
func (s *Subject) secrets(ctx context.Context) (known []string, learnt func() []string, err error) {
	known, err = memo(s, "secrets", func() (all []string, err error) {
		defer func() {
			s.mu.Lock()
			s.known = all
			s.mu.Unlock()
		}()
		spec, err := s.quietSpec(ctx)
		if err != nil {
			return nil, err
		}
		files := s.files()
		for _, path := range slices.Sorted(maps.Keys(files)) {
			body, err := s.config(path, files[path])
			if err != nil {
				continue // the test that needs it reports this
			}
			var config any
			if err := json.Unmarshal(body, &config); err != nil {
				return nil, err
			}
			all = append(all, secretValues(spec, config)...)
		}
		if s.api != nil {
			all = append(all, s.api.simulator.Secrets()...)
		}
		slices.Sort(all)
		return slices.Compact(all), nil
	})
	if s.api != nil {
		learnt = s.learnt
	}
	return known, learnt, err
}

// learnt returns the secrets that simulators have learnt. Secrets made of words are left out: they came from a configuration and are known.
func (s *Subject) learnt() (all []string) {
	s.mu.Lock()
	apis := slices.Clone(s.apis)
	s.mu.Unlock()
	for _, a := range apis {
		if knows, ok := a.simulator.(sim.Confidant); ok {
			all = append(all, knows.Learnt()...)
		}
	}
	return slices.DeleteFunc(all, phrase)
}

// quietSpec returns the specification's schema, from a run that no check sees. It is nil if the connector has none.
func (s *Subject) quietSpec(ctx context.Context) (map[string]any, error) {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	command := harness.Spec()
	command.Env = s.environment()
	res, err := harness.Run(limited, s.runner, command, harness.Options{})
	if err != nil {
		return nil, fmt.Errorf("asking for the specification: %w", err)
	}
	var spec struct {
		Schema map[string]any `json:"connectionSpecification"`
	}
	if len(res.Specs) > 0 {
		if err := json.Unmarshal(res.Specs[0], &spec); err != nil {
			return nil, fmt.Errorf("reading the specification: %w", err)
		}
	}
	return spec.Schema, nil
}

// shortest is the least length of a secret that is searched for: shorter ones occur in any output.
const shortest = 6

// secretValues returns the values of a configuration whose fields a schema marks as secret.
func secretValues(schema map[string]any, config any) (all []string) {
	if schema["airbyte_secret"] == true {
		return texts(config)
	}
	object, ok := config.(map[string]any)
	if !ok {
		return nil
	}
	for name, property := range mapOf(schema["properties"]) {
		all = append(all, secretValues(mapOf(property), object[name])...)
	}
	for _, variant := range listOf(schema["oneOf"]) {
		all = append(all, secretValues(mapOf(variant), config)...)
	}
	return all
}

// texts returns the texts in a value that are long enough to be searched for.
func texts(value any) (all []string) {
	switch v := value.(type) {
	case string:
		if len(v) >= shortest {
			all = append(all, v)
		}
	case float64:
		if text := fmt.Sprint(v); len(text) >= shortest {
			all = append(all, text)
		}
	case map[string]any:
		for _, member := range v {
			all = append(all, texts(member)...)
		}
	case []any:
		for _, element := range v {
			all = append(all, texts(element)...)
		}
	}
	return all
}

// mapOf returns a JSON object, or nil for anything else.
func mapOf(value any) map[string]any {
	object, _ := value.(map[string]any)
	return object
}

// listOf returns a JSON array, or nil for anything else.
func listOf(value any) []any {
	list, _ := value.([]any)
	return list
}

// log writes a line about a run.
func (s *Subject) log(r *Run) {
	if s.options.Log != nil {
		text := s.blank(r.String())
		s.mu.Lock()
		defer s.mu.Unlock()
		_, _ = fmt.Fprintln(s.options.Log, text) // nobody is left to tell
	}
}

// blank returns a text without the known secrets.
func (s *Subject) blank(text string) string {
	s.mu.Lock()
	known := s.known
	s.mu.Unlock()
	for _, secret := range slices.Concat(known, s.learnt()) {
		for _, form := range harness.Forms(secret) {
			if len(form) >= shortest {
				text = strings.ReplaceAll(text, form, "****")
			}
		}
	}
	return text
}
