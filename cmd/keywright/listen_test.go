package main

import (
	"net"
	"strings"
	"testing"
)

func TestDevRefusesAPortThatAnotherHasOnTheOtherLoopback(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	defer other.Close()
	_, port, err := net.SplitHostPort(other.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, "dev", "--data", t.TempDir()+"/data", "--listen", "127.0.0.1:"+port)
	p.exit(exitFailed)
	if got := p.output.String(); !strings.Contains(got, "[::1]:"+port+" is in use by ") {
		t.Error(got)
	}
}

func TestLoopbackAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true, "localhost:1": true, "[0:0:0:0:0:0:0:1]:1": true,
		"[::ffff:127.0.0.1]:1": true,
		":1":                   false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "localhost.example.com:1": false,
		"127.0.0.1.example.com:1": false, "127.0.0.1": false, "0x7f.1:1": false, "[::1%lo]:1": false, "": false,
	} {
		if got := isLoopback(address); got != want {
			t.Errorf("%q: %v, want %v", address, got, want)
		}
	}
}

func TestEverySpellingOfALoopbackAddressIsListenedOnOnce(t *testing.T) {
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]"} {
		listeners, port, err := listenLoopback(host+":0", "--listen")
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		if len(listeners) > 2 || port == "0" {
			t.Errorf("%s gives %d listeners at port %s", host, len(listeners), port)
		}
		closeAll(listeners)
	}
}
