package session_test

import (
	"flag"

	"golang.org/x/sys/unix"
)

var histories = flag.Int("histories", 300, "how many random histories of changes are applied")

// processCPU is this process's CPU time in seconds.
func processCPU() float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
