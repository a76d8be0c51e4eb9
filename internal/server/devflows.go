package server

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/pages"
)

// A flowRecorder keeps the last flows in memory for /dev/flows, in dev only.
// What would be a secret elsewhere stands in it too: it is the developer's own.
type flowRecorder struct {
	mu    sync.Mutex
	flows []*pages.Flow
	named map[string]*pages.Flow // by what belongs to one: its id, code, grant, session
}

const (
	recordedFlows = 20
	recordedSteps = 100 // of one flow, whose app may refresh all day
)

func newFlowRecorder() *flowRecorder { return &flowRecorder{named: map[string]*pages.Flow{}} }

// A step is what an exchange adds to a flow.
type step struct {
	keys []string
	app  string
	page pages.Step
}

// inFlow says which flow the exchange belongs to.
func (s *step) inFlow(id string, c *oauth.Client) {
	if s == nil {
		return
	}
	if c != nil {
		s.app = c.Title()
	}
	s.joins("flow", id)
}

// joins says that the exchange belongs to the flow that any of these belongs to,
// and that they all do from now on.
func (s *step) joins(kind, id string) {
	if s != nil {
		s.keys = append(s.keys, kind+":"+id)
	}
}

// note says what was decided, or why not.
func (s *step) note(decision, refusal string) {
	if s != nil {
		s.page.Decision, s.page.Refusal = decision, refusal
	}
}

// show decodes a token that was issued.
func (s *step) show(name, token string) {
	if s == nil {
		return
	}
	if parts := strings.Split(token, "."); len(parts) == 3 {
		s.page.Tokens = append(s.page.Tokens, pages.Token{Name: name, Header: decoded(parts[0]), Claims: decoded(parts[1])})
	}
}

func decoded(part string) string {
	raw, _ := base64.RawURLEncoding.DecodeString(part)
	var pretty bytes.Buffer
	if json.Indent(&pretty, raw, "", "  ") != nil {
		return ""
	}
	return pretty.String()
}

// record adds the exchange to its flow, when it has ended.
func (r *flowRecorder) record(x *exchange) {
	if r == nil || x.step == nil || len(x.step.keys) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	flow := r.find(x.step.keys)
	if flow == nil {
		flow = &pages.Flow{Title: x.method() + " " + x.route, App: x.step.app, When: x.began}
		r.flows = append(r.flows, flow)
		r.forget()
	}
	for _, key := range x.step.keys {
		r.named[key] = flow
	}
	s := x.step.page
	s.At, s.From, s.To, s.Request = x.began, "browser", "keywright", x.method()+" "+x.route
	if x.r.Header.Get("Sec-Fetch-Mode") == "" && x.r.Header.Get("Cookie") == "" {
		s.From = "app"
	}
	s.Params = append(s.Params, shownParameters(x.r)...)
	if s.Refusal == "" && x.status >= http.StatusBadRequest {
		s.Refusal = http.StatusText(x.status)
	}
	if len(flow.Steps) < recordedSteps {
		flow.Steps = append(flow.Steps, s)
	}
}

// find goes by the flow's own id, where there is one: a session has many flows.
func (r *flowRecorder) find(keys []string) *pages.Flow {
	if strings.HasPrefix(keys[0], "flow:") {
		keys = keys[:1]
	}
	for _, key := range keys {
		if flow := r.named[key]; flow != nil {
			return flow
		}
	}
	return nil
}

func (r *flowRecorder) forget() {
	if len(r.flows) <= recordedFlows {
		return
	}
	oldest := r.flows[0]
	r.flows = r.flows[1:]
	for key, flow := range r.named {
		if flow == oldest {
			delete(r.named, key)
		}
	}
}

// shownParameters are those of the address; what is long is cut.
func shownParameters(r *http.Request) (fields []pages.Field) {
	p, _ := parseParameters(r.URL.RawQuery)
	for name, value := range p.values {
		if len(value) > 200 {
			value = value[:200] + "…"
		}
		fields = append(fields, pages.Field{Name: name, Value: value})
	}
	slices.SortFunc(fields, func(a, b pages.Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// devFlows shows the last flows, the newest first.
func (s *Server) devFlows(x *exchange) {
	s.flows.mu.Lock()
	var shown []pages.Flow
	for _, f := range slices.Backward(s.flows.flows) {
		copied := *f
		copied.Steps = slices.Clone(f.Steps)
		shown = append(shown, copied)
	}
	s.flows.mu.Unlock()
	x.page(http.StatusOK, pages.Flows{Flows: shown})
}
