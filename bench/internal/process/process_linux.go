package process

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func only(core int) *unix.CPUSet {
	var set unix.CPUSet
	set.Set(core)
	return &set
}

func affinity() (*unix.CPUSet, error) {
	var set unix.CPUSet
	return &set, unix.SchedGetaffinity(0, &set)
}

func setAffinity(thread int, set *unix.CPUSet) error { return unix.SchedSetaffinity(thread, set) }

// MoveTo puts every thread of this process on one core, and those to come.
func MoveTo(core int) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		if err := setAffinity(id, only(core)); err != nil && err != unix.ESRCH {
			return fmt.Errorf("core %d: %w", core, err)
		}
	}
	return nil
}

// CPUTime returns the processor time, to the nanosecond, that processes and
// their living descendants have used.
func CPUTime(pids ...int) (total time.Duration, err error) {
	for _, pid := range tree(pids) {
		// The clock of another process, as clock_getcpuclockid(3) makes it.
		const clockSched = 2
		var used unix.Timespec
		if err := unix.ClockGettime(int32(^pid<<3|clockSched), &used); err != nil {
			if slices.Contains(pids, pid) {
				return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
			}
			continue // a child that has just ended
		}
		total += time.Duration(used.Nano())
	}
	return total, nil
}

// tree adds to processes all that descend from them.
func tree(pids []int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		if pid, parent, ok := parentOf(file); ok {
			children[parent] = append(children[parent], pid)
		}
	}
	all := slices.Clone(pids)
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// parentOf reads proc_pid_stat(5): the id, the name in parentheses, which may
// hold anything, the state, the parent's id.
func parentOf(file string) (pid, parent int, ok bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, false
	}
	head, tail := string(text), ""
	if i := strings.LastIndexByte(head, ')'); i >= 0 {
		head, tail = head[:i], head[i+1:]
	}
	fields := strings.Fields(tail)
	if len(fields) < 2 {
		return 0, 0, false
	}
	id, _, _ := strings.Cut(head, " ")
	pid, err = strconv.Atoi(id)
	if err != nil {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return pid, parent, err == nil
}

// Memory returns the bytes that a process has in memory now, and the most it had.
func Memory(pid int) (now, most int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		switch fields[0] {
		case "VmRSS:":
			now, err = strconv.ParseInt(fields[1], 10, 64)
		case "VmHWM:":
			most, err = strconv.ParseInt(fields[1], 10, 64)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	return now << 10, most << 10, nil // the file counts in KiB
}

// Busy returns the processor time that the whole machine has used since it
// started, and what a hypervisor gave to others meanwhile.
func Busy() (used, stolen time.Duration, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	// proc_stat(5): cpu user nice system idle iowait irq softirq steal …
	const idle, iowait, steal = 4, 5, 8
	for i, field := range strings.Fields(line) {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if i == 0 || i > steal || i == idle || i == iowait {
			continue
		}
		if err != nil {
			return 0, 0, err
		}
		const tick = 10 * time.Millisecond
		if i == steal {
			stolen = time.Duration(ticks) * tick
		} else {
			used += time.Duration(ticks) * tick
		}
	}
	return used, stolen, nil
}

// OwnTime returns the processor time of this process and of its children that
// have ended.
func OwnTime() (total time.Duration, err error) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var usage unix.Rusage
		if err := unix.Getrusage(who, &usage); err != nil {
			return 0, err
		}
		total += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return total, nil
}
