package alertmanagertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// writeCertificate makes a throw-away authority and a certificate of it for
// 127.0.0.1, writes them beside the configuration, and returns the pool that
// trusts the authority.
func (s *Server) writeCertificate() *x509.CertPool {
	s.tb.Helper()
	authorityKey, authority := s.certificate(&x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Nightstand test authority"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}, nil, nil)
	serverKey, server := s.certificate(&x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "Nightstand test server"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, authority, authorityKey)

	key, err := x509.MarshalECPrivateKey(serverKey)
	if err != nil {
		s.tb.Fatalf("cannot write the test server's key: %v", err)
	}
	authorityPEM := pemText("CERTIFICATE", authority.Raw)
	s.CAFile = s.write("authority.pem", authorityPEM)
	s.write("server.pem", pemText("CERTIFICATE", server.Raw))
	s.write("server.key", pemText("EC PRIVATE KEY", key))
	return authorityPool([]byte(authorityPEM))
}

// certificate signs template with the issuer's key, or with its own when there
// is no issuer.
func (s *Server) certificate(template, issuer *x509.Certificate, issuerKey *ecdsa.PrivateKey) (*ecdsa.PrivateKey, *x509.Certificate) {
	s.tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.tb.Fatalf("cannot make a test key: %v", err)
	}
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(24 * time.Hour)
	if issuer == nil {
		issuer, issuerKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, issuerKey)
	if err != nil {
		s.tb.Fatalf("cannot sign a test certificate: %v", err)
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		s.tb.Fatalf("cannot read a test certificate: %v", err)
	}
	return key, signed
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
