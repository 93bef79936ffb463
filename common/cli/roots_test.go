package cli

import (
	"crypto/x509"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// TestTrustRoots checks that the authorities are trusted once they are needed. It runs in a process of its own in which the system has no
// certificates.
func TestTrustRoots(t *testing.T) {
	if os.Getenv("SSL_CERT_FILE") != "/nowhere" {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTrustRoots$")
		child.Env = append(os.Environ(), "SSL_CERT_FILE=/nowhere", "SSL_CERT_DIR=/nowhere")
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	for root := range bundle.Roots() {
		certificate, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		then := x509.VerifyOptions{CurrentTime: certificate.NotBefore.Add(time.Hour)} // it is valid then for good
		if _, err := certificate.Verify(then); err == nil {
			t.Fatalf("%s is trusted before", certificate.Subject)
		}
		trustRoots()
		if _, err := certificate.Verify(then); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("there are no authorities")
}

// TestOnline checks that each command calls online once, except spec, which calls no API.
func TestOnline(t *testing.T) {
	for _, args := range [][]string{{"spec"}, {"check", "--config", config(t)}, {"read", "--config", config(t), "--catalog", write(t, "catalog.json", catalog)}} {
		calls, want := 0, 1
		if args[0] == "spec" {
			want = 0
		}
		code := run(t.Context(), program{
			commands: sourceCommands(fake{}), spec: fake{}.Spec, metadata: []byte(metadata), args: args,
			stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, online: func() { calls++ },
		})
		if code != 0 || calls != want {
			t.Errorf("%v: exit %d, told %d times, want %d", args, code, calls, want)
		}
	}
}
