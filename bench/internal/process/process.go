// Package process owns what is measured from outside of a program: on which
// core it runs, how long it takes to answer, the processor time and the memory
// that it has used. Most of it is Linux only; elsewhere the functions say so.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// A Process is a program that was started.
type Process struct {
	cmd   *exec.Cmd
	began time.Time
	ended chan struct{}
}

// Start starts a program that has one core for itself.
func Start(core int, cmd *exec.Cmd) (*Process, error) {
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	if err := OnCore(core, func() error {
		p.began = time.Now()
		return cmd.Start()
	}); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	go func() {
		cmd.Wait() // how it ended is in cmd.ProcessState
		close(p.ended)
	}()
	return p, nil
}

// OnCore runs do with this thread on one core; a process started in it stays there.
func OnCore(core int, do func() error) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := affinity()
	if err != nil {
		return err
	}
	if err := setAffinity(0, only(core)); err != nil {
		return fmt.Errorf("core %d: %w", core, err)
	}
	defer func() { err = errors.Join(err, setAffinity(0, before)) }()
	return do()
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// FirstAnswer waits until url answers 200 and returns how long that took from
// the start of the process.
func (p *Process) FirstAnswer(ctx context.Context, url string) (time.Duration, error) {
	const pause = 200 * time.Microsecond
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		if answers(ctx, client, url) {
			return time.Since(p.began), nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%s does not answer at %s: %w", p.cmd.Path, url, ctx.Err())
		case <-p.ended:
			return 0, fmt.Errorf("%s ended before it answered (%v); its output says why", p.cmd.Path, p.cmd.ProcessState)
		case <-time.After(pause):
		}
	}
}

func answers(ctx context.Context, client *http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == http.StatusOK
}

// Stop asks the process to end, a second time soon after (Keywright then skips
// the pause it makes for load balancers), and kills it when it does not.
func (p *Process) Stop() {
	const soon, patience = 100 * time.Millisecond, 5 * time.Second
	for _, wait := range []time.Duration{soon, patience} {
		p.cmd.Process.Signal(syscall.SIGTERM)
		if p.endsWithin(wait) {
			return
		}
	}
	p.cmd.Process.Signal(os.Kill)
	<-p.ended
}

func (p *Process) endsWithin(wait time.Duration) bool {
	select {
	case <-p.ended:
		return true
	case <-time.After(wait):
		return false
	}
}
