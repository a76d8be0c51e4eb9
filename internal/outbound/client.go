package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	patience       = 3 * time.Second // for a whole request, the name's resolution included
	maxBodyBytes   = 1 << 20
	maxHeaderBytes = 64 << 10
	maxURLBytes    = 2048
)

// Client makes requests to addresses that somebody else chose. It may be used by
// many goroutines at once. Its errors name the URL and what failed, for a log:
// whoever chose the address must not learn from them what is where.
type Client struct {
	rules     Rules
	dialer    *net.Dialer
	transport *http.Transport
	patience  time.Duration
}

// New returns a client that reaches public addresses, and what the rules add.
func New(rules Rules) *Client {
	dialer := &net.Dialer{Control: rules.control}
	return &Client{
		rules: rules, dialer: dialer, patience: patience,
		transport: &http.Transport{ // without Proxy: a proxy would resolve names itself
			DialContext:            dialer.DialContext,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeaderBytes,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		},
	}
}

// Get returns the body of a 200, of at most 1 MiB.
func (c *Client) Get(ctx context.Context, location string) (body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	response, err := c.do(ctx, http.MethodGet, location, nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: answers %d, want 200 (redirects are not followed)", location, response.StatusCode)
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, maxBodyBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", location, reason(ctx, err))
	}
	if len(body) > maxBodyBytes {
		return nil, fmt.Errorf("%s: answers more than %d bytes", location, maxBodyBytes)
	}
	return body, nil
}

// PostForm sends a form and returns the status of the answer, whose body is not
// read. A redirect is an answer like any other.
func (c *Client) PostForm(ctx context.Context, location string, form url.Values) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	response, err := c.do(ctx, http.MethodPost, location, form)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return response.StatusCode, nil
}

// do makes one round trip: below http.Client there are neither redirects nor cookies.
func (c *Client) do(ctx context.Context, method, location string, form url.Values) (*http.Response, error) {
	if err := c.checkURL(location); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, location, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, refused("not a URL")
	}
	request.Header.Set("User-Agent", "keywright")
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		request.Header.Set("Accept", "application/json")
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", location, reason(ctx, err))
	}
	return response, nil
}

// checkURL refuses what no address could make good.
func (c *Client) checkURL(location string) error {
	if len(location) > maxURLBytes {
		return refused("a URL of more than %d bytes", maxURLBytes)
	}
	u, err := url.Parse(location)
	switch {
	case err != nil:
		return refused("not a URL")
	case u.User != nil:
		return refused("a URL with a user name") // which may hold a password: it is not repeated
	case u.Scheme != "https" && !(c.rules.Dev && u.Scheme == "http"):
		return refused("%s is not https", location)
	case u.Hostname() == "":
		return refused("%s names no host", location)
	case strings.Contains(location, "#"):
		return refused("%s has a fragment", location)
	}
	return nil
}

// reason says why there is no answer. What net/http says of an answer that it
// cannot read quotes it, so only errors that come from this side are kept.
func reason(ctx context.Context, err error) error {
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("no answer in time: %w", ctx.Err())
	case errors.As(err, &network):
		return network
	case errors.As(err, &certificate):
		return certificate
	}
	return errors.New("the answer is not one in HTTP, over TLS where the URL is https")
}
