package cli

import (
	"crypto/x509"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// TestTrustRoots holds, in a process of its own where the system has no certificates, that the authorities are trusted once they are needed.
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
		if _, err := certificate.Verify(x509.VerifyOptions{}); err == nil {
			t.Fatalf("%s is trusted before", certificate.Subject)
		}
		trustRoots()
		if _, err := certificate.Verify(x509.VerifyOptions{}); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("there are no authorities")
}
