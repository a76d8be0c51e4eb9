package server

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/keywright/keywright/internal/store"
)

// A pgTap stands between the server and PostgreSQL and notes the statements.
type pgTap struct {
	mu    sync.Mutex
	heard []string
}

// tap puts a tap into the options' database URL.
func tap(t *testing.T, o *store.Options) *pgTap {
	u, err := url.Parse(o.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &pgTap{}
	target := u.Host
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(client, target)
		}
	}()
	u.Host = l.Addr().String()
	o.DatabaseURL = u.String()
	return p
}

func (p *pgTap) serve(client net.Conn, target string) {
	defer client.Close()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(client, server)
		client.Close()
	}()
	p.listen(client, server)
}

// listen follows the frontend's half of the protocol: a message without a type
// first, then a type byte, a length and a body each. Parse (P) names a statement
// and its text, Bind (B) says which one runs. A message is noted before it is
// passed on, so that it is never answered unheard.
func (p *pgTap) listen(from io.Reader, to io.Writer) {
	prepared := map[string]string{}
	var pending bytes.Buffer
	for first := true; ; first = false {
		kind, body, err := message(io.TeeReader(from, &pending), first)
		if err != nil {
			return
		}
		fields := strings.SplitN(body, "\x00", 3)
		switch kind {
		case 'P':
			prepared[fields[0]] = fields[1]
		case 'B':
			p.note(prepared[fields[1]])
		case 'Q':
			p.note(fields[0])
		}
		if _, err := pending.WriteTo(to); err != nil {
			return
		}
	}
}

func message(r io.Reader, first bool) (kind byte, body string, err error) {
	var head [5]byte
	at := head[:]
	if first {
		at = head[1:]
	}
	if _, err := io.ReadFull(r, at); err != nil {
		return 0, "", err
	}
	text := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
	_, err = io.ReadFull(r, text)
	return head[0], string(text), err
}

func (p *pgTap) note(statement string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, statement)
}

func (p *pgTap) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = nil
}

func (p *pgTap) statements() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard
}
