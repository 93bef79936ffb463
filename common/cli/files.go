package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
	"unicode/utf16"

	"go.yaml.in/yaml/v3"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

const (
	maxFile  = 64 << 20         // bytes of a file, far more than any real one has
	silence  = 8 * time.Second  // how long a pipe may deliver nothing
	patience = 30 * time.Second // how long reading a whole file may take
)

var (
	errTooLarge = errors.New("it is too large")
	errSilent   = errors.New("nothing came")
	errEndless  = errors.New("it did not end")
)

// readFile reads the JSON file that a flag names. The file may be a pipe and may begin with a byte order mark; the result is UTF-8 without one. An
// error is ctx's cause or a [fault.Config] error that names the flag, the path and what is wrong, but nothing of the file's content. A path that may
// itself be a configuration is not named. readFile always ends: after 64 MiB, after 30 seconds, or when nothing comes for 8 seconds.
func readFile(ctx context.Context, flag, path string) ([]byte, error) {
	start := strings.TrimLeft(path, " \t\r\n'\"") // cmd.exe passes quotes on
	if strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[") {
		return nil, fault.Configf("The flag --%s takes the path of a file, not JSON itself.", flag)
	}
	name := path
	if strings.ContainsAny(path, `{="'`) || strings.HasPrefix(start, "-") {
		name = "…"
	}
	wrong := func(how string, err error) error {
		if opening, ok := errors.AsType[*fs.PathError](err); ok {
			err = opening.Err // the text of err has the path
		}
		return &fault.Error{Kind: fault.Config, Message: fmt.Sprintf("The file %s (--%s) %s.", name, flag, how), Err: err}
	}
	data, err := readWhole(ctx, func() (io.ReadCloser, error) { return os.Open(path) })
	data = unmarked(data)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, fs.ErrNotExist):
		return nil, wrong("does not exist", err)
	case errors.Is(err, fs.ErrPermission):
		return nil, wrong(forbidden(path), err)
	case errors.Is(err, syscall.EISDIR):
		return nil, wrong("is a directory", err)
	case errors.Is(err, errTooLarge):
		return nil, wrong("is larger than 64 MiB", err)
	case errors.Is(err, errSilent):
		return nil, wrong("cannot be read: nothing came from it for 8 seconds", err)
	case errors.Is(err, errEndless):
		return nil, wrong("did not end within 30 seconds", err)
	case err != nil:
		return nil, wrong("cannot be read", err)
	case len(bytes.TrimSpace(data)) == 0:
		return nil, wrong("is empty", nil)
	}
	var value json.RawMessage
	if err := json.Unmarshal(data, &value); err != nil {
		position, _ := protocol.Broken(data, err)
		return nil, wrong("is broken JSON at "+position, nil) // the cause quotes the file
	}
	return data, nil
}

// forbidden says why the process may not read a file, and what helps. In a container the process is not the user who wrote the file.
func forbidden(path string) string {
	how := fmt.Sprintf("may not be read by this user (uid %d)", os.Getuid())
	info, err := os.Stat(path)
	if err != nil {
		return how + ": one of the folders above it may not be entered"
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		how += fmt.Sprintf(": it belongs to uid %d and has the mode %04o; chmod o+r makes it readable, or docker run --user %d:%d runs the container "+
			"as its owner", owner.Uid, info.Mode().Perm(), owner.Uid, owner.Gid)
	}
	return how
}

// readWhole reads what open opens to its end, within the limits above or until ctx is done. Opening or reading a pipe may block for ever; then the
// goroutine that does it is left behind.
func readWhole(ctx context.Context, open func() (io.ReadCloser, error)) ([]byte, error) {
	type piece struct {
		data []byte
		err  error
	}
	ctx, stop := context.WithTimeoutCause(ctx, patience, errEndless)
	defer stop()
	pieces := make(chan piece)
	go func() {
		file, err := open()
		if err == nil {
			defer file.Close()
		}
		buffer := make([]byte, 64<<10)
		for err == nil {
			var n int
			n, err = file.Read(buffer)
			select {
			case pieces <- piece{data: bytes.Clone(buffer[:n])}:
			case <-ctx.Done():
				return
			}
		}
		select {
		case pieces <- piece{err: err}:
		case <-ctx.Done():
		}
	}()
	var all [][]byte // joined at the end, so that a file that is too large does not take twice the memory
	for size := 0; ; {
		select {
		case p := <-pieces:
			all, size = append(all, p.data), size+len(p.data)
			switch {
			case size > maxFile:
				return nil, errTooLarge
			case errors.Is(p.err, io.EOF):
				return bytes.Join(all, nil), nil
			case p.err != nil:
				return nil, p.err
			}
		case <-time.After(silence):
			return nil, errSilent
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// unmarked returns a text as UTF-8 without a byte order mark. The mark tells the encoding: editors and shells of Windows write UTF-16 too.
func unmarked(text []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(text, []byte("\xEF\xBB\xBF")):
		return text[3:]
	case bytes.HasPrefix(text, []byte("\xFF\xFE")):
		order = binary.LittleEndian
	case bytes.HasPrefix(text, []byte("\xFE\xFF")):
		order = binary.BigEndian
	default:
		return text
	}
	var units []uint16
	for at := 2; at+1 < len(text); at += 2 {
		units = append(units, order.Uint16(text[at:]))
	}
	return []byte(string(utf16.Decode(units)))
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
