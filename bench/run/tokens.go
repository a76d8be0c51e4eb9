package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/keywright/keywright/bench/internal/closedloop"
)

// measureTokens is the client credentials grant beside one signature behind
// net/http. RFC 6749 §4.4.
func (b *bench) measureTokens(ctx context.Context) error {
	for _, of := range []struct {
		algorithm, floor string
		on               *instance
	}{{"ES256", "/sign", &b.keywright}, {"EdDSA", "/edsign", &b.eddsa}} {
		if err := b.checkAlgorithm(ctx, of.on); err != nil {
			return err
		}
		best, err := b.interleave(ctx,
			repeat(b.issue(b.floor, of.floor, b.keywright.secret)),
			repeat(b.issue(of.on.server, "/token", of.on.secret)))
		if err != nil {
			return err
		}
		floor, ours := best[0], best[1]
		b.noteFloor(of.floor, floor)
		b.rows = append(b.rows, row{
			name:  fmt.Sprintf("client credentials, %s, %d connections", of.algorithm, connections),
			floor: "`" + of.floor + "` " + cost(floor), keywright: cost(ours), ratio: times(ours.CPU, floor.CPU),
			target:     "≤ 1.5 ×, p99 < 5 ms",
			conditions: []condition{atMost("ratio", ours.CPU/floor.CPU, 1.5, ""), atMost("p99", ours.P99, 5, " ms").here()},
			problem:    problemOf(floor, ours),
		})
	}
	return nil
}

// checkAlgorithm makes sure that what is measured is what the row says.
func (b *bench) checkAlgorithm(ctx context.Context, i *instance) error {
	tokens, err := take(ctx, b.issue(i.server, "/token", i.secret), 1, "access_token")
	if err != nil {
		return err
	}
	header, _, _ := strings.Cut(tokens[0], ".")
	text, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil || !strings.Contains(string(text), `"alg":"`+i.algorithm+`"`) {
		return fmt.Errorf("the server that should sign with %s writes the header %s", i.algorithm, text)
	}
	return nil
}

// noteFloor remembers what the floor costs here, to tell how fast the machine is.
func (b *bench) noteFloor(path string, r closedloop.Result) {
	if b.floorCPU == nil {
		b.floorCPU = map[string]float64{}
	}
	if had, ok := b.floorCPU[path]; !ok || r.CPU < had {
		b.floorCPU[path] = r.CPU
	}
}

// measureDocuments is what is rendered once, beside a static answer.
func (b *bench) measureDocuments(ctx context.Context) error {
	const discovery, jwks = "/.well-known/openid-configuration", "/jwks"
	best, err := b.interleave(ctx,
		repeat(b.plan(b.floor, "/json")), repeat(b.plan(b.keywright.server, discovery)), repeat(b.plan(b.keywright.server, jwks)))
	if err != nil {
		return err
	}
	floor := best[0]
	b.noteFloor("/json", floor)
	for i, name := range []string{"discovery", "JWKS"} {
		ours := best[i+1]
		b.rows = append(b.rows, row{
			name: name, floor: "`/json` " + cost(floor), keywright: cost(ours), ratio: times(ours.CPU, floor.CPU),
			target: "≤ 1.15 ×", conditions: []condition{atMost("ratio", ours.CPU/floor.CPU, 1.15, "")},
			problem: problemOf(floor, ours),
		})
	}
	return nil
}

// measureIntrospection asks about a client's own token, again and again. RFC 7662.
func (b *bench) measureIntrospection(ctx context.Context) error {
	tokens, err := take(ctx, b.issue(b.keywright.server, "/token", b.keywright.secret), connections, "access_token")
	if err != nil {
		return err
	}
	p := b.plan(b.keywright.server, "/introspect")
	p.Headers = []string{formType, basic("bench", b.keywright.secret)}
	p.Body, p.Tokens = "token={{token}}", tokens
	best, err := b.interleave(ctx, repeat(b.plan(b.floor, "/json")), repeat(p))
	if err != nil {
		return err
	}
	floor, ours := best[0], best[1]
	b.noteFloor("/json", floor)
	b.rows = append(b.rows, row{
		name: "introspection", floor: "`/json` " + cost(floor), keywright: cost(ours), ratio: times(ours.CPU, floor.CPU),
		target: "≤ 60 µs", conditions: []condition{atMost("CPU", ours.CPU, 60, " µs").here()}, problem: problemOf(floor, ours),
	})
	return nil
}
