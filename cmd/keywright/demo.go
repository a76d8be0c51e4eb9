package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/keywright/keywright/internal/operator"
	"github.com/keywright/keywright/internal/server"
	"github.com/keywright/keywright/web"
)

// demoApps are two apps that show what an app does with Keywright: folders of
// web/dist and what people call them.
var demoApps = []struct{ name, title string }{{"demo", "Demo"}, {"second", "Second app"}}

// demoPorts are where the apps are served; none: they are not.
type demoPorts []string

func (p *demoPorts) Type() string   { return "ports" }
func (p *demoPorts) String() string { return strings.Join(*p, ",") }

// Set reads two ports, of which 0 is any that is free.
func (p *demoPorts) Set(text string) error {
	ports := strings.Split(text, ",")
	for i, port := range ports {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return fmt.Errorf("%q is no port: two are needed, such as --demo=4200,4300", port)
		}
		ports[i] = strconv.FormatUint(number, 10)
	}
	if len(ports) != len(demoApps) || ports[0] == ports[1] && ports[0] != "0" {
		return errors.New("two ports are needed, such as --demo=4200,4300")
	}
	*p = ports
	return nil
}

// demoApp is one of them, at a port of this machine.
type demoApp struct {
	name, title, port string
	listeners         []net.Listener
}

// host is where browsers find it, and url its start page.
func (a *demoApp) host() string { return withPort("localhost", a.port) }
func (a *demoApp) url() string  { return "http://" + a.host() + "/" }

// clientID is another one at another port, where the app has other addresses.
func (a *demoApp) clientID() string { return a.name + "-" + a.port }

// openDemo listens at the ports of the demo apps. What keeps one of them from
// being served is printed, and keeps nothing else.
func (c *command) openDemo(ports demoPorts) (apps []*demoApp) {
	for i, port := range ports {
		a := &demoApp{name: demoApps[i].name, title: demoApps[i].title}
		if !web.HasApp(a.name) {
			fmt.Fprintf(c.err, "%s is not in this program: `make build` builds it in\n", a.title)
			continue
		}
		var err error
		if a.listeners, a.port, err = listenLoopback(net.JoinHostPort("127.0.0.1", port), "--demo"); err != nil {
			fmt.Fprintf(c.err, "%s is not served: %v\n", a.title, err)
			continue
		}
		apps = append(apps, a)
	}
	return apps
}

func closeDemo(apps []*demoApp) {
	for _, a := range apps {
		closeAll(a.listeners)
	}
}

// demoURL is where the demo is served; empty: nowhere.
func demoURL(apps []*demoApp) string {
	if len(apps) == 0 || apps[0].name != demoApps[0].name {
		return ""
	}
	return apps[0].url()
}

// startDemo registers the apps and begins to serve them.
func startDemo(ctx context.Context, srv *server.Server, apps []*demoApp, issuer, apiURL string, log *slog.Logger) error {
	via := &caller{web: &http.Client{Transport: handlerTransport{srv.Operator()}}}
	for i, a := range apps {
		if err := a.register(ctx, via); err != nil {
			return err
		}
		settings := web.Settings{Issuer: issuer, ClientID: a.clientID(), API: cmp.Or(apiURL, issuer+"/profile")}
		if len(apps) == len(demoApps) {
			settings.Other = apps[1-i].url()
		}
		handler, err := web.App(a.name, a.host(), settings)
		if err != nil {
			return err
		}
		for _, l := range a.listeners {
			go newHTTPServer(handler, log).Serve(l)
		}
	}
	return nil
}

// register makes the app a client, unless an earlier run has. Nobody is asked
// for consent: both apps are this server's own.
func (a *demoApp) register(ctx context.Context, via *caller) error {
	var known []operator.Client
	if err := via.call(ctx, http.MethodGet, "/clients", nil, &known); err != nil {
		return err
	}
	for _, client := range known {
		if client.ID == a.clientID() {
			return nil
		}
	}
	return via.call(ctx, http.MethodPost, "/clients", operator.Client{
		ID: a.clientID(), Name: "Keywright " + strings.ToLower(a.title), Public: true, Trusted: true,
		RedirectURIs: []string{a.url() + "callback"}, PostLogoutRedirectURIs: []string{a.url()},
	}, &operator.Client{})
}
