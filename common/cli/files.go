package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// readFile reads the JSON file that a flag names. An error is a [fault.Config] error that names the flag, the path and what is wrong, and
// nothing of what the file holds.
func readFile(flag, path string) ([]byte, error) {
	if start := strings.TrimSpace(path); strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[") {
		return nil, fault.Configf("The flag --%s takes the path of a file, not JSON itself.", flag)
	}
	wrong := func(how string, err error) error {
		return &fault.Error{Kind: fault.Config, Message: fmt.Sprintf("The file %s (--%s) %s.", path, flag, how), Err: err}
	}
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, wrong("does not exist", err)
	case errors.Is(err, fs.ErrPermission):
		return nil, wrong("may not be read by this user", err)
	case errors.Is(err, syscall.EISDIR):
		return nil, wrong("is a directory", err)
	case err != nil:
		return nil, wrong("cannot be read", err)
	case len(bytes.TrimSpace(data)) == 0:
		return nil, wrong("is empty", nil)
	}
	var value json.RawMessage
	if err := json.Unmarshal(data, &value); err != nil {
		position, _ := protocol.Broken(data, err)
		return nil, wrong("is broken JSON at "+position, nil) // the cause quotes what it found
	}
	return data, nil
}

// about is what a connector's metadata.yaml says about it.
type about struct{ name, version string }

// parseMetadata reads metadata.yaml: the name is the last part of data.dockerRepository, the version is data.dockerImageTag.
func parseMetadata(metadata []byte) (about, error) {
	var file struct {
		Data struct {
			Repository string `yaml:"dockerRepository"`
			Tag        string `yaml:"dockerImageTag"`
		} `yaml:"data"`
	}
	if err := yaml.Unmarshal(metadata, &file); err != nil {
		return about{}, fmt.Errorf("reading metadata.yaml: %w", err)
	}
	if file.Data.Repository == "" || file.Data.Tag == "" {
		return about{}, errors.New("reading metadata.yaml: data.dockerRepository or data.dockerImageTag is missing")
	}
	return about{name: path.Base(file.Data.Repository), version: file.Data.Tag}, nil
}
