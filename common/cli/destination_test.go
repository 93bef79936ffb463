package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// taker is a Destination that counts its input lines and gives the last state back.
type taker struct{ check, write error }

func (taker) Spec() (json.RawMessage, error) { return fake{}.Spec() }

func (d taker) Check(context.Context, []byte) error { return d.check }

func (taker) Discover(context.Context, []byte) (*protocol.DestinationCatalog, error) {
	return &protocol.DestinationCatalog{Operations: []protocol.DestinationOperation{{ObjectName: "close", JSONSchema: json.RawMessage(`{}`)}}}, nil
}

func (d taker) Write(ctx context.Context, config []byte, cat *protocol.ConfiguredCatalog, in io.Reader, out *protocol.Emitter) error {
	if !strings.Contains(string(config), "token") || len(cat.Streams) != 1 {
		return fault.Systemf("got %s and %v", config, cat)
	}
	count := protocol.Count(0)
	for m, err := range protocol.Read(in) {
		switch {
		case err != nil:
			return err
		case m.Type == protocol.TypeRecord:
			count++
		case m.Type == protocol.TypeState:
			if err := out.Echo(m.State, protocol.StateStats{RecordCount: count}); err != nil {
				return err
			}
		}
	}
	protocol.Logger(ctx).Info("done with " + secret)
	return d.write
}

func TestDestinationCommands(t *testing.T) {
	configPath, catalogPath := config(t), write(t, "catalog.json", catalog)
	const stdin = `{"type":"RECORD","record":{"stream":"deals","data":{"id":1}}}` + "\n" + `{"type":"STATE","state":{"type":"STREAM",` +
		`"stream":{"stream_descriptor":{"name":"deals"},"stream_state":{"n":1}},"id":5}}`
	const echoed = `{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"deals"},"stream_state":{"n":1}},"id":5,` +
		`"destinationStats":{"recordCount":1.0,"rejectedRecordCount":0.0}}}` + "\n" +
		`{"type":"LOG","log":{"level":"INFO","message":"done with ****"}}` + "\n"
	refused := fault.Configf("The token is wrong.")
	for _, test := range []struct {
		args, want string
		dst        taker
		code       int
	}{
		{args: "spec", want: `{"type":"SPEC"`},
		{args: "check --config CONFIG", want: `{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}`},
		{args: "check --config CONFIG", dst: taker{check: refused}, want: `"status":"FAILED","message":"The token is wrong."`},
		{args: "discover --config CONFIG", want: `{"type":"DESTINATION_CATALOG","destination_catalog":{"operations":[{"object_name":"close"`},
		{args: "write --config CONFIG --catalog CATALOG", want: echoed},
		{args: "write --config CONFIG --catalog CATALOG", dst: taker{write: refused}, code: 1, want: echoed + `{"type":"TRACE"`},
		{args: "write --config CONFIG", code: 1, want: "The command write needs --catalog FILE."},
		{args: "read", code: 1, want: "There is no such command; the commands are spec, check, discover and write."},
	} {
		var stdout, stderr bytes.Buffer
		args := strings.Fields(strings.NewReplacer("CONFIG", configPath, "CATALOG", catalogPath).Replace(test.args))
		code := RunDestination(t.Context(), test.dst, []byte(metadata), args, strings.NewReader(stdin), &stdout, &stderr)
		if code != test.code || stderr.Len() > 0 || !strings.Contains(stdout.String(), test.want) {
			t.Errorf("%s %v: exit %d, want %d; on stdout %s, want %s; on stderr %s", test.args, test.dst, code, test.code, &stdout, test.want, &stderr)
		}
		if strings.Contains(stdout.String(), fmt.Sprintf("%.4s", secret)) {
			t.Errorf("%s: a secret is in %s", test.args, &stdout)
		}
	}
}
