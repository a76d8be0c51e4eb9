package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/keywright/keywright/bench/internal/closedloop"
)

// What a browser and an app ask for when somebody who is signed in comes to an
// app: the authorization redirect, the code's redemption, UserInfo.

const (
	callback  = "http://localhost:4200/callback"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	// codes are fewer than can be redeemed in the minute that they live.
	codes = 6000
)

// measureSignOn measures the three with one living session. The client is
// trusted, so that no page asks for consent.
func (b *bench) measureSignOn(ctx context.Context) error {
	if _, err := b.command(ctx, &b.keywright, "", "client", "add", "--id", "app", "--public", "--trusted", "--redirect-uri", callback); err != nil {
		return err
	}
	session, err := b.signInByPage(ctx)
	if err != nil {
		return err
	}
	if err := b.measureAuthorization(ctx, session); err != nil {
		return err
	}
	tokens, err := b.measureRedemption(ctx, session)
	if err != nil {
		return err
	}
	return b.measureUserInfo(ctx, tokens)
}

// issuer is where the pages are, by the name that their cookies go by.
func (b *bench) issuer() string {
	return strings.Replace(b.keywright.base, "127.0.0.1", "localhost", 1)
}

func (b *bench) authorizeURL() string {
	return b.issuer() + "/authorize?" + url.Values{
		"client_id": {"app"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid profile email"},
		"state": {"a state of some length"}, "nonce": {"a nonce of some length"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}.Encode()
}

var flowField = regexp.MustCompile(`name="flow" value="([^"]+)"`)

// signInByPage signs a person in as a browser does, and returns its cookies.
func (b *bench) signInByPage(ctx context.Context) (cookies string, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	page, err := browser.Get(b.issuer() + "/sign-in")
	if err != nil {
		return "", err
	}
	defer page.Body.Close()
	text, err := io.ReadAll(page.Body)
	if err != nil {
		return "", err
	}
	flow := flowField.FindSubmatch(text)
	if flow == nil {
		return "", fmt.Errorf("the sign-in page has no flow: %.300s", text)
	}
	form := url.Values{"flow": {string(flow[1])}, "email": {email(people[0])}, "password": {password}}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, b.issuer()+"/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	post.Header.Set("Origin", b.issuer())
	answer, err := browser.Do(post)
	if err != nil {
		return "", err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		return "", fmt.Errorf("signing in answered %s", answer.Status)
	}
	var all []string
	for _, c := range jar.Cookies(post.URL) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; "), nil
}

// measureAuthorization is a person who is signed in and comes to an app: one
// durable commit each.
func (b *bench) measureAuthorization(ctx context.Context, session string) error {
	p := b.plan(b.keywright.server, "")
	p.URL, p.Headers = b.authorizeURL(), []string{"Cookie: " + session}
	var disk rate
	best, err := b.interleave(ctx, func(ctx context.Context) (closedloop.Result, error) {
		commits, err := b.floorRate(ctx, "commit", "-in", b.home)
		if err != nil {
			return closedloop.Result{}, err
		}
		disk.keepBest(commits)
		return p.Run(ctx)
	})
	if err != nil {
		return err
	}
	b.rows = append(b.rows, row{
		name:  "authorization redirect, live session, 16 connections",
		floor: fmt.Sprintf("fsync one by one: %s/s", number(disk.PerSecond)), keywright: cost(best[0]),
		ratio: times(best[0].Rate, disk.PerSecond) + " fsync", problem: problemOf(best[0]),
	})
	return nil
}

// measureRedemption exchanges codes for an access token, an ID token and a
// refresh token: two signatures and one durable commit each.
func (b *bench) measureRedemption(ctx context.Context, session string) (tokens []string, err error) {
	p := b.plan(b.keywright.server, "/token")
	p.Headers = []string{formType}
	p.Body = "grant_type=authorization_code&client_id=app&code={{line}}&code_verifier=" + verifier + "&redirect_uri=" + url.QueryEscape(callback)
	p.Warmup, p.Keep, p.KeepLimit = 100*time.Millisecond, "access_token", codes
	best, err := b.interleave(ctx, repeat(b.issue(b.floor, "/sign", b.keywright.secret)), func(ctx context.Context) (closedloop.Result, error) {
		var err error
		if p.Lines, err = b.takeCodes(ctx, session, codes); err != nil {
			return closedloop.Result{}, err
		}
		p.MaxRequests = codes
		result, err := p.Run(ctx)
		tokens = result.Kept
		return result, err
	})
	if err != nil {
		return nil, err
	}
	b.rows = append(b.rows, row{
		name: "code redemption, ES256, with ID token, 16 connections", floor: "`/sign` " + cost(best[0]), keywright: cost(best[1]),
		ratio: times(best[1].CPU, best[0].CPU), problem: problemOf(best...),
	})
	return tokens, nil
}

// takeCodes asks for codes, none of which is redeemed.
func (b *bench) takeCodes(ctx context.Context, session string, n int) (all []string, err error) {
	web := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: connections},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer web.CloseIdleConnections()
	taken := make([]string, n)
	errs := make([]error, connections)
	var running sync.WaitGroup
	for c := range connections {
		running.Go(func() {
			for i := c; i < n && errs[c] == nil; i += connections {
				taken[i], errs[c] = b.takeCode(ctx, web, session)
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return taken, nil
}

func (b *bench) takeCode(ctx context.Context, web *http.Client, session string) (string, error) {
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, b.authorizeURL(), nil)
	if err != nil {
		return "", err
	}
	get.Header.Set("Cookie", session)
	answer, err := web.Do(get)
	if err != nil {
		return "", err
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	to, err := answer.Location()
	if err != nil {
		return "", fmt.Errorf("/authorize answered %s", answer.Status)
	}
	if code := to.Query().Get("code"); code != "" {
		return code, nil
	}
	return "", fmt.Errorf("/authorize refused: %s", to.RawQuery)
}

// measureUserInfo is UserInfo, with tokens that were not seen before and with one that was.
func (b *bench) measureUserInfo(ctx context.Context, tokens []string) error {
	seen := b.plan(b.keywright.server, "/userinfo")
	seen.Headers, seen.Tokens = []string{bearer + "{{token}}"}, tokens[:1]
	unseen := b.plan(b.keywright.server, "/userinfo")
	unseen.Headers, unseen.Warmup = []string{bearer + "{{line}}"}, 100*time.Millisecond
	floor, err := take(ctx, b.issue(b.floor, "/sign", b.keywright.secret), 1, "access_token")
	if err != nil {
		return err
	}
	verify := b.plan(b.floor, "/verify")
	verify.Headers = []string{bearer + floor[0]}
	per := len(tokens) / b.rounds
	best, err := b.interleave(ctx, repeat(verify), func(ctx context.Context) (closedloop.Result, error) {
		unseen.Lines, tokens = tokens[:per], tokens[per:]
		unseen.MaxRequests = int64(per)
		return unseen.Run(ctx)
	}, repeat(b.plan(b.floor, "/json")), repeat(seen))
	if err != nil {
		return err
	}
	b.addReads("/userinfo", best)
	return nil
}
