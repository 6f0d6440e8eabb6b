package main

import (
	"os"
	"os/exec"
	"syscall"
)

// processCPU returns the CPU time of this process so far, in seconds.
func processCPU() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return seconds(r)
}

func seconds(r syscall.Rusage) float64 {
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

// processUsage returns the kernel's account of a finished child.
func processUsage(s *os.ProcessState) usage {
	r, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return usage{}
	}
	return usage{cpu: seconds(*r), peakMB: float64(r.Maxrss) / 1024}
}

func canLoad() bool {
	_, err := exec.LookPath("nft")
	return err == nil && os.Geteuid() == 0
}

// loadCommand returns a command that loads rules in a temporary network namespace.
func loadCommand(path string) *exec.Cmd {
	cmd := exec.Command("nft", "-f", path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	return cmd
}
