package cli

import (
	"crypto/x509"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// trustRoots makes TLS trust Mozilla's certificate authorities if the system has none, as in an image without certificates. It may be called once per
// process. The parent package of bundle does this when a program starts, even for `spec`, which then takes a tenth longer.
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
