package closedloop

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// A connection sends one request after the other.
type connection struct {
	run       *run
	socket    net.Conn // nil: to be opened
	reader    *bufio.Reader
	request   []byte
	answer    answer
	token     string
	latencies []time.Duration
	kept      []string
}

func (c *connection) loop() {
	r := c.run
	defer c.close()
	for !r.isOver() {
		number := r.counter.Add(1)
		if r.MaxRequests > 0 && number > r.MaxRequests {
			return
		}
		if err := c.exchange(number); err != nil {
			r.failed(err)
			if r.chain != nil {
				return
			}
		}
	}
}

// exchange sends one request and reads its answer.
func (c *connection) exchange(number int64) error {
	if err := c.open(); err != nil {
		return err
	}
	c.compose(number)
	measured, sent := c.run.measuring.Load(), time.Now()
	if _, err := c.socket.Write(c.request); err != nil {
		c.close()
		return fmt.Errorf("write: %w", err)
	}
	if err := c.answer.read(c.reader); err != nil {
		c.close()
		return fmt.Errorf("read: %w", err)
	}
	took := time.Since(sent)
	if c.answer.closes {
		c.close()
	}
	if c.answer.status/100 != 2 && c.answer.status != http.StatusSeeOther { // where a page sends the browser
		return fmt.Errorf("answer %d: %.200s", c.answer.status, c.answer.body)
	}
	c.run.answered.Add(1)
	if measured && c.run.measuring.Load() {
		c.latencies = append(c.latencies, took)
	}
	return c.take()
}

// take takes from the answer what the plan wants of it.
func (c *connection) take() error {
	r := c.run
	if r.chain != nil {
		found := r.chain.FindSubmatch(c.answer.body)
		if found == nil {
			return fmt.Errorf("there is no %q in the answer %.200s", r.Chain, c.answer.body)
		}
		c.token = string(found[1])
	}
	if r.keep != nil && r.kept.Load() < int64(r.KeepLimit) {
		if found := r.keep.FindSubmatch(c.answer.body); found != nil && r.kept.Add(1) <= int64(r.KeepLimit) {
			c.kept = append(c.kept, string(found[1]))
		}
	}
	return nil
}

func (c *connection) compose(number int64) {
	r := c.run
	c.request = r.head.append(c.request[:0], c, number)
	if r.Body == "" {
		c.request = append(c.request, "\r\n"...)
		return
	}
	body := r.body.append(nil, c, number)
	c.request = append(c.request, "Content-Length: "...)
	c.request = strconv.AppendInt(c.request, int64(len(body)), 10)
	c.request = append(c.request, "\r\n\r\n"...)
	c.request = append(c.request, body...)
}

func (c *connection) open() error {
	if c.socket != nil {
		return nil
	}
	socket, err := net.DialTimeout("tcp", c.run.address, patience)
	if err != nil {
		time.Sleep(10 * time.Millisecond) // a server that is not there is not asked in a tight loop
		return err
	}
	socket.SetDeadline(time.Now().Add(c.run.Warmup + c.run.Duration + patience))
	c.socket, c.reader = socket, bufio.NewReaderSize(socket, 16<<10)
	return nil
}

func (c *connection) close() {
	if c.socket != nil {
		c.socket.Close()
		c.socket = nil
	}
}
