package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// kill -9 says nothing about the disk, since the page cache survives it. This
// test reads the system calls: before each answer that acknowledges a commit,
// the log's last write was followed by a flush of the log.
func TestAcknowledgedCommitsAreFlushed(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	p := startDev(t, t.TempDir(), []string{strict}, "strace", "-f", "-y", "-s", "40", "-o", trace,
		"-e", "trace=write,pwrite64,fsync,fdatasync")
	for n := range 10 {
		who := newPerson(n)
		must(t, 200)(p.register(who))
		got, status, err := p.signIn(who)
		must(t, 200)(status, err)
		next, status, err := p.refresh(got.Refresh)
		must(t, 200)(status, err)
		must(t, 200)(p.revoke(next.Refresh))
	}
	p.kill()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls := strings.Split(string(text), "\n")
	answers, unflushed := readTrace(calls)
	if answers < 40 {
		t.Fatalf("the trace shows %d answers, not 40", answers)
	}
	if unflushed != nil {
		t.Errorf("answers before their flush: %v", unflushed)
	}

	// The check must be able to fail: with no flushes, it does.
	without := slices.DeleteFunc(calls, func(call string) bool { return flush.MatchString(call) })
	if _, unflushed := readTrace(without); len(unflushed) < 40 {
		t.Errorf("without flushes the check still finds only %d unflushed answers", len(unflushed))
	}
}

var (
	logWrite = regexp.MustCompile(`pwrite64\(\d+<[^>]*keywright\.db-wal>`)
	flush    = regexp.MustCompile(`(fsync|fdatasync)\(\d+<[^>]*keywright\.db-wal>|(fsync|fdatasync) resumed`)
	answer   = regexp.MustCompile(`write\(\d+<(socket|TCP)[^>]*>, "HTTP/1\.1 200`)
)

// readTrace counts the answers, and lists those that came while a write of the
// log was not flushed. The requests are made one by one, so an answer follows
// its own commit.
func readTrace(calls []string) (answers int, unflushed []string) {
	dirty := false
	for i, call := range calls {
		switch {
		case logWrite.MatchString(call):
			dirty = true
		case flush.MatchString(call) && !strings.Contains(call, "unfinished"):
			dirty = false
		case answer.MatchString(call):
			answers++
			if dirty {
				unflushed = append(unflushed, fmt.Sprintf("line %d: %s", i+1, call))
			}
		}
	}
	return answers, unflushed
}

func must(t *testing.T, want int) func(status int, err error) {
	t.Helper()
	return func(status int, err error) {
		t.Helper()
		if err != nil || status != want {
			t.Fatalf("status %d, error %v, want %d", status, err, want)
		}
	}
}
