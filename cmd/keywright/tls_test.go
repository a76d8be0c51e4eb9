package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writeCertificate writes a self-signed certificate for a host and its key.
func writeCertificate(t *testing.T, folder, host string, serial int64) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert},
		keyFile:  {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// trusting is a client that takes any certificate.
func trusting() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
}

// presented returns the serial number of the server's certificate.
func presented(t *testing.T, address string) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestTLSIsVersion12AndUp(t *testing.T) {
	t.Parallel()
	folder := initFolder(t)
	address, plain := freeAddress(t)
	url := strings.Replace(plain, "http:", "https:", 1)
	certFile, keyFile := writeCertificate(t, filepath.Dir(folder), "localhost", 1)
	web := trusting()
	p := startReady(t, web, url, "serve", "--data", folder, "--listen", address, "--issuer", url, "--tls-cert", certFile, "--tls-key", keyFile)

	for version, accepted := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if (err == nil) != accepted {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			conn.Close()
		}
	}
	resp, err := web.Get(url + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Errorf("it speaks %s, not HTTP/2", resp.Proto)
	}
	if strings.Contains(p.output.String(), "WARN") {
		t.Error("it warns of a good certificate")
	}
}

func TestHangupReloadsTheCertificate(t *testing.T) {
	t.Parallel()
	folder := initFolder(t)
	address, plain := freeAddress(t)
	url := strings.Replace(plain, "http:", "https:", 1)
	certFile, keyFile := writeCertificate(t, filepath.Dir(folder), "localhost", 1)
	p := startReady(t, trusting(), url, "serve", "--data", folder, "--listen", address, "--issuer", url, "--tls-cert", certFile, "--tls-key", keyFile)
	if got := presented(t, address); got != 1 {
		t.Fatalf("certificate %d", got)
	}

	writeCertificate(t, filepath.Dir(folder), "elsewhere.example.com", 2)
	p.signal(syscall.SIGHUP)
	p.eventually("the TLS certificate was reloaded")
	if got := presented(t, address); got != 2 {
		t.Errorf("after a reload, certificate %d", got)
	}
	p.eventually("the TLS certificate is not for the issuer's host")

	if err := os.WriteFile(certFile, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.eventually("the TLS certificate was not reloaded")
	if got := presented(t, address); got != 2 {
		t.Errorf("after a failed reload, certificate %d", got)
	}
}
