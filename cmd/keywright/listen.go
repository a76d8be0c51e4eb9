package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"syscall"
)

func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, explainListen(address, "--listen", err)
	}
	return l, nil
}

// explainListen says who has the port, or why it cannot be had, and which flag
// chooses another.
func explainListen(address, flag string, err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: choose another address with %s", err, flag)
	}
	owner := cmp.Or(portOwner(address), "another process")
	return fmt.Errorf("%s is in use by %s: stop it, or choose another address with %s", address, owner, flag)
}

// listenLoopback listens on a loopback address and, at the same port, on all that
// localhost may stand for: nobody else shall answer there. The flag is what
// chose the address.
func listenLoopback(address, flag string) (listeners []net.Listener, port string, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, "", err
	}
	hosts := []string{"127.0.0.1", "::1"}
	if host != "localhost" {
		host = net.ParseIP(host).String()
		hosts = append([]string{host}, slices.DeleteFunc(hosts, func(h string) bool { return h == host })...)
	}
	for _, host := range hosts {
		address := net.JoinHostPort(host, port)
		l, err := net.Listen("tcp", address)
		switch {
		case err == nil:
			listeners = append(listeners, l)
			port = strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
		case listeners == nil || errors.Is(err, syscall.EADDRINUSE):
			closeAll(listeners)
			return nil, "", explainListen(address, flag, err)
		} // else this machine has no such address
	}
	return listeners, port, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
