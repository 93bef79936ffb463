package cli

import (
	"crypto/x509"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// trustRoots has TLS trust the certificate authorities that Mozilla does where the system has none, as in an image without certificates. It may be
// called once in a process. The package above bundle does it as a program starts, for `spec` too, which takes a tenth longer with it.
func trustRoots() {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		certificate, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			panic(err)
		}
		if root.Constraint == nil {
			pool.AddCert(certificate)
		} else {
			pool.AddCertWithConstraint(certificate, root.Constraint)
		}
	}
	x509.SetFallbackRoots(pool)
}
