package outbound

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// canary counts the connections to a listener that nobody may reach.
type canary struct {
	port  string
	count atomic.Int32
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	c := &canary{}
	listener, err := net.Listen("tcp", ":0") // on every address of this machine
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	_, c.port, _ = net.SplitHostPort(listener.Addr().String())
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			c.count.Add(1)
			connection.Close()
		}
	}()
	return c
}

// refuses says that neither request goes out.
func refuses(t *testing.T, c *Client, location string) {
	t.Helper()
	if body, err := c.Get(t.Context(), location); err == nil || body != nil {
		t.Errorf("GET %s: %q, %v", location, body, err)
	}
	if status, err := c.PostForm(t.Context(), location, url.Values{"logout_token": {"x"}}); err == nil || status != 0 {
		t.Errorf("POST %s: %d, %v", location, status, err)
	}
}

// Class 16 of the attacks.
func TestNothingInsideIsReached(t *testing.T) {
	inside := newCanary(t)
	names := newNames(t, "127.0.0.1")
	c := New(Rules{})
	c.dialer.Resolver = names.resolver()
	for _, host := range []string{
		"127.0.0.1", "127.1", "127.0.0.2", "localhost", "localhost.", "LOCALHOST", "0", "0.0.0.0", "0x7f000001", "0x7f.1", "017700000001",
		"2130706433", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
		"[fe80::1%25lo]", "[::1%25lo]", "169.254.169.254", "[fd00:ec2::254]", "100.64.0.1", "inside.example", "inside.example.",
		"１２７.０.０.１", "127。0。0。1",
	} {
		refuses(t, c, "https://"+host+":"+inside.port+"/jwks")
		refuses(t, c, "https://"+host+"/jwks")
		refuses(t, c, "http://"+host+":"+inside.port+"/jwks")
	}
	for _, location := range []string{
		"", "/", "jwks", "//127.0.0.1:" + inside.port, "https:", "https://", "https:///jwks", "https://:" + inside.port, "https:127.0.0.1",
		"file:///etc/passwd", "gopher://127.0.0.1:" + inside.port + "/_x", "ftp://127.0.0.1", "data:application/json,{}", "unix:///var/run/docker.sock",
		"https://user@127.0.0.1:" + inside.port, "https://user:pass@inside.example", "https://@inside.example", "https://inside.example/#",
		"https://inside.example/#a", "https://inside.example\n.evil", "https://inside.example/" + strings.Repeat("a", maxURLBytes),
		"https://[::1", "https://inside.example:99999", "https://inside.example:-1", "https://%31%32%37.0.0.1:" + inside.port,
	} {
		refuses(t, c, location)
	}
	if n := inside.count.Load(); n != 0 {
		t.Errorf("the canary saw %d connections", n)
	}
	// It would have seen them.
	New(Rules{Dev: true}).Get(t.Context(), "http://127.0.0.1:"+inside.port)
	if inside.count.Load() != 1 {
		t.Error("the canary sees nothing: the test proves nothing")
	}
}

func TestTheAddressIsWhatIsRefused(t *testing.T) {
	c := New(Rules{})
	c.dialer.Resolver = newNames(t, "10.1.2.3").resolver()
	for location, want := range map[string]string{
		"https://inside.example":      "10.1.2.3 is not a public address",
		"https://127.0.0.1":           "127.0.0.1 is not a public address",
		"https://[::ffff:127.0.0.1]":  "127.0.0.1 is not a public address",
		"https://1.1.1.1:8443":        "port 8443 is not 443",
		"http://1.1.1.1":              "http://1.1.1.1 is not https",
		"https://u:secret@1.1.1.1":    "refused: a URL with a user name",
		"https://1.1.1.1/a#b":         "has a fragment",
		"https://[fd00::1]":           "fd00::1 is not a public address",
		"https://[64:ff9b::7f00:1]":   "64:ff9b::7f00:1 is not a public address",
		"https://169.254.169.254/foo": "169.254.169.254 is not a public address",
	} {
		_, err := c.Get(t.Context(), location)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %s", location, err, want)
		}
	}
}

// site is a TLS server whose certificate is good for example.com, and a client
// that trusts it, may reach 127.0.0.1 and asks the given name server.
func site(t *testing.T, names *names, handler http.HandlerFunc) (*Client, string) {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	c := New(Rules{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	c.transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	c.transport.TLSClientConfig.RootCAs.AddCert(server.Certificate())
	c.dialer.Resolver = names.resolver()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	return c, "https://example.com:" + port
}

func TestRequestsArriveAsTheyShould(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	c, at := site(t, newNames(t, "127.0.0.1"), func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && (r.PostFormValue("logout_token") != "a b&c" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded") {
			t.Errorf("%v, %v", r.Header, r.PostForm)
		}
		if r.Method == http.MethodGet && (r.Header.Get("Accept") != "application/json" || r.ContentLength != 0) {
			t.Errorf("%v", r.Header)
		}
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusNoContent)
		}
		io.WriteString(w, r.URL.RequestURI())
	})
	if body, err := c.Get(t.Context(), at+"/a?b=c"); err != nil || string(body) != "/a?b=c" {
		t.Errorf("%q, %v", body, err)
	}
	if status, err := c.PostForm(t.Context(), at+"/logout", url.Values{"logout_token": {"a b&c"}}); err != nil || status != http.StatusNoContent {
		t.Errorf("%d, %v", status, err)
	}
}

// TestNameServerThatChangesItsAnswer (DNS rebinding): the first answer is good,
// the second points inside.
func TestNameServerThatChangesItsAnswer(t *testing.T) {
	inside := newCanary(t)
	names := newNames(t, "127.0.0.1")
	c, at := site(t, names, func(http.ResponseWriter, *http.Request) {})
	if _, err := c.Get(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	names.answer("127.0.0.2")
	there := "https://example.com:" + inside.port
	if _, err := c.Get(t.Context(), there); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	names.answer("127.0.0.2", "127.0.0.3") // the next address is tried when one fails
	refuses(t, c, there)
	if n := inside.count.Load(); n != 0 {
		t.Errorf("the canary saw %d connections", n)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	inside := newCanary(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		c, at := site(t, newNames(t, "127.0.0.1"), func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://127.0.0.1:"+inside.port, status) // which the rules allow
		})
		if body, err := c.Get(t.Context(), at); err == nil || body != nil {
			t.Errorf("%d: %q", status, body)
		}
		if got, err := c.PostForm(t.Context(), at, url.Values{}); err != nil || got != status {
			t.Errorf("%d: %d, %v", status, got, err)
		}
	}
	if n := inside.count.Load(); n != 0 {
		t.Errorf("the canary saw %d connections", n)
	}
}

func TestAnswerOfAnyOtherStatusIsNone(t *testing.T) {
	for _, status := range []int{201, 204, 206, 400, 404, 500} {
		c, at := site(t, newNames(t, "127.0.0.1"), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, "secret")
		})
		if body, err := c.Get(t.Context(), at); err == nil || body != nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d: %q, %v", status, body, err)
		}
	}
}

func TestAnswerThatIsTooLargeIsRefused(t *testing.T) {
	size, asHeader, packed := maxBodyBytes, 0, false
	c, at := site(t, newNames(t, "127.0.0.1"), func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Error("an answer that is packed would do")
		}
		if packed {
			w.Header().Set("Content-Encoding", "gzip")
		}
		w.Header().Set("X-Filler", strings.Repeat("x", asHeader))
		w.Write(bytes.Repeat([]byte("x"), size))
	})
	if body, err := c.Get(t.Context(), at); err != nil || len(body) != maxBodyBytes {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	size++
	if body, err := c.Get(t.Context(), at); err == nil || body != nil || len(err.Error()) > 200 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	size, asHeader = 1, 2*maxHeaderBytes
	if body, err := c.Get(t.Context(), at); err == nil || len(err.Error()) > 200 {
		t.Errorf("%q, %v", body, err)
	}
	size, asHeader, packed = 1, 1, true
	if body, err := c.Get(t.Context(), at); err != nil || string(body) != "x" {
		t.Errorf("packed content was unpacked: %q, %v", body, err)
	}
}

func TestAnswerThatIsTooSlowIsRefused(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"nothing at all": func(http.ResponseWriter) {},
		"half a body": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "secret")
			w.(http.Flusher).Flush()
		},
	} {
		c, at := site(t, newNames(t, "127.0.0.1"), func(w http.ResponseWriter, r *http.Request) {
			begin(w)
			<-r.Context().Done() // the client has gone
		})
		if c.patience != 3*time.Second {
			t.Error(c.patience)
		}
		c.patience = 200 * time.Millisecond
		if body, err := c.Get(t.Context(), at); !errors.Is(err, context.DeadlineExceeded) || body != nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %q, %v", name, body, err)
		}
		c.patience = time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := c.Get(ctx, at); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, its caller gone: %v", name, err)
		}
	}
	// A name server that says nothing.
	c, at := site(t, newNames(t), func(http.ResponseWriter, *http.Request) {})
	c.patience = 200 * time.Millisecond
	if _, err := c.Get(t.Context(), at); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestErrorsRepeatNothingOfAnAnswer(t *testing.T) {
	for _, banner := range []string{
		"SSH-2.0-OpenSSH_9.6 secret\r\n", "-ERR secret\r\n", "HTTP/1.1 secret\r\n\r\n", "HTTP/1.1 200 OK\r\nsecret\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\n", "HTTP/1.1 404 secret\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: secret\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n", "",
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				connection, err := listener.Accept()
				if err != nil {
					return
				}
				connection.Read(make([]byte, 4096))
				io.WriteString(connection, banner)
				connection.Close()
			}
		}()
		for _, scheme := range []string{"http://", "https://"} {
			_, err = New(Rules{Dev: true}).Get(t.Context(), scheme+listener.Addr().String())
			if err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s %q: %v", scheme, banner, err)
			}
		}
		listener.Close()
	}
}

func TestCertificateMustBeTheHosts(t *testing.T) {
	c, at := site(t, newNames(t, "127.0.0.1"), func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	if _, err := c.Get(t.Context(), strings.Replace(at, "example.com", "elsewhere.test", 1)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
	c.transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	if _, err := c.Get(t.Context(), at); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
}

// names is a name server that gives every name the same IPv4 addresses.
type names struct {
	conn    net.PacketConn
	answers atomic.Pointer[[]string]
}

// newNames starts a name server; without addresses it says nothing at all.
func newNames(t *testing.T, addresses ...string) *names {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	n := &names{conn: conn}
	n.answer(addresses...)
	go n.serve()
	return n
}

func (n *names) answer(addresses ...string) { n.answers.Store(&addresses) }

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
}

func (n *names) serve() {
	buffer := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if addresses := *n.answers.Load(); len(addresses) > 0 {
			n.conn.WriteTo(dnsAnswer(buffer[:size], addresses), from)
		}
	}
}

// dnsAnswer answers a query with A records. RFC 1035 §4.
func dnsAnswer(query []byte, addresses []string) []byte {
	end := 12
	for query[end] != 0 { // labels of the name
		end += int(query[end]) + 1
	}
	end += 5 // the root, type, class
	const typeA = 1
	if binary.BigEndian.Uint16(query[end-4:]) != typeA {
		addresses = nil
	}
	answer := append([]byte(nil), query[:end]...)
	copy(answer[2:], []byte{0x81, 0x80, 0, 1, 0, byte(len(addresses)), 0, 0, 0, 0}) // a response, without error
	for _, address := range addresses {
		answer = append(answer, 0xc0, 12, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4) // the same name, for 0 seconds
		answer = append(answer, netip.MustParseAddr(address).AsSlice()...)
	}
	return answer
}
