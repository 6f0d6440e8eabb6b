//go:build !linux

package main

import (
	"os"
	"os/exec"
	"time"
)

var start = time.Now()

// processCPU returns wall time, because there is no getrusage.
func processCPU() float64 { return time.Since(start).Seconds() }

func processUsage(s *os.ProcessState) usage {
	return usage{cpu: (s.UserTime() + s.SystemTime()).Seconds()}
}

func canLoad() bool { return false }

func loadCommand(path string) *exec.Cmd { return exec.Command("nft", "-f", path) }
