package proxy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// authority signs certificates for the hosts that are asked for, with a key that is made with it and never leaves it. It is written on the
// standard library: the proxy libraries that sign too, goproxy among them, answer inside a tunnel by themselves, and cannot cut or reset there.
type authority struct {
	file        string // its certificate in PEM, alone in a folder of its own
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	mu          sync.Mutex
	signed      map[string]*tls.Certificate // by host
}

func newAuthority() (*authority, error) {
	a := &authority{signed: map[string]*tls.Certificate{}}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	template := valid("Acceptance proxy")
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "proxy-")
	if err != nil {
		return nil, err
	}
	a.file = filepath.Join(folder, "ca.pem")
	if err := os.Chmod(folder, 0o755); err != nil { // the user of a container is another
		return nil, err
	}
	return a, os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

// valid returns the beginning of a certificate, with room for clocks that differ.
func valid(name string) *x509.Certificate {
	now := time.Now()
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // rand.Reader never fails
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.AddDate(0, 0, -2), NotAfter: now.AddDate(0, 1, 0),
	}
}

// sign returns the certificate of a host, which may be an address.
func (a *authority) sign(host string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.signed[host]; ok {
		return c, nil
	}
	template := valid(host)
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, a.key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	a.signed[host] = &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: a.key}
	return a.signed[host], nil
}

func (a *authority) remove() error { return os.RemoveAll(filepath.Dir(a.file)) }
