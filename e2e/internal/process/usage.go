package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is the resource usage of a running process.
type Usage struct {
	RSS         int64         // resident memory in bytes
	Peak        int64         // the maximum of resident memory in bytes
	CPU         time.Duration // user and system time since its start
	Descriptors int           // open files
	Threads     int           // kernel threads
}

// Usage reads the resource usage of the running process from /proc (proc(5)).
func (p *Program) Usage() (u Usage, err error) {
	dir := fmt.Sprintf("/proc/%d", p.PID())
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return u, fmt.Errorf("usage of %s: %w", p.name, err)
	}
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		words := strings.Fields(value)
		if len(words) == 0 {
			continue
		}
		n, _ := strconv.ParseInt(words[0], 10, 64)
		switch key {
		case "VmRSS":
			u.RSS = n << 10
		case "VmHWM":
			u.Peak = n << 10
		case "Threads":
			u.Threads = int(n)
		}
	}
	open, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return u, fmt.Errorf("usage of %s: %w", p.name, err)
	}
	u.Descriptors = len(open)
	u.CPU, err = cpu(dir)
	return u, err
}

// cpu returns the CPU time of all threads of a process, including ended ones.
func cpu(dir string) (sum time.Duration, err error) {
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	words := strings.Fields(after)
	const utime, stime = 11, 12 // fields 14 and 15 of proc_pid_stat(5)
	if len(words) <= stime {
		return 0, fmt.Errorf("%s/stat: %q", dir, stat)
	}
	for _, w := range words[utime : stime+1] {
		ticks, err := strconv.ParseInt(w, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s/stat: %w", dir, err)
		}
		sum += time.Duration(ticks) * tick
	}
	return sum, nil
}

// tick is 1/USER_HZ, which is 100 on every Linux architecture of Go.
const tick = 10 * time.Millisecond
