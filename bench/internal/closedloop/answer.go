package closedloop

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const maxAnswer = 1 << 20

// An answer is one HTTP/1.1 response. It is read again and again, into the same memory.
type answer struct {
	status int
	body   []byte
	closes bool // the server closes the connection after it

	length  int
	chunked bool
}

// read reads the next response. RFC 9112 §4 to §7.
func (a *answer) read(r *bufio.Reader) error {
	*a = answer{body: a.body[:0]}
	if err := a.readStatus(r); err != nil {
		return err
	}
	for {
		header, err := readLine(r)
		if err != nil {
			return err
		}
		if len(header) == 0 {
			return a.readBody(r)
		}
		if err := a.readHeader(header); err != nil {
			return err
		}
	}
}

func (a *answer) readStatus(r *bufio.Reader) error {
	status, err := readLine(r)
	if err != nil {
		return err
	}
	const at = len("HTTP/1.1 ")
	if len(status) < at+3 || !bytes.HasPrefix(status, []byte("HTTP/1.1 ")) {
		return fmt.Errorf("no HTTP/1.1 status line: %.80q", status)
	}
	a.status, err = strconv.Atoi(string(status[at : at+3]))
	return err
}

func (a *answer) readHeader(header []byte) (err error) {
	name, value, _ := bytes.Cut(header, []byte(":"))
	switch { // the lengths spare most comparisons
	case len(name) == 14 && strings.EqualFold(string(name), "Content-Length"):
		a.length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		if err == nil && (a.length < 0 || a.length > maxAnswer) {
			err = errors.New("the answer is too long")
		}
	case len(name) == 17 && strings.EqualFold(string(name), "Transfer-Encoding"):
		a.chunked = true
	case len(name) == 10 && strings.EqualFold(string(name), "Connection"):
		a.closes = strings.EqualFold(string(bytes.TrimSpace(value)), "close")
	}
	return err
}

func (a *answer) readBody(r *bufio.Reader) error {
	if !a.chunked {
		return a.readBytes(r, a.length)
	}
	for {
		text, err := readLine(r)
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(text), 16, 20)
		if err != nil {
			return err
		}
		if len(a.body)+int(size) > maxAnswer {
			return errors.New("the answer is too long")
		}
		if err := a.readBytes(r, int(size)); err != nil {
			return err
		}
		if _, err := readLine(r); err != nil || size == 0 {
			return err
		}
	}
}

func (a *answer) readBytes(r *bufio.Reader, n int) error {
	had := len(a.body)
	for cap(a.body) < had+n {
		a.body = append(a.body[:cap(a.body)], 0)
	}
	a.body = a.body[:had+n]
	_, err := io.ReadFull(r, a.body[had:])
	return err
}

// readLine returns a line without its end, valid until the next read.
func readLine(r *bufio.Reader) ([]byte, error) {
	text, err := r.ReadSlice('\n')
	return bytes.TrimRight(text, "\r\n"), err
}
