package peers

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/planec/planec/internal/base/buildinfo"
)

// machine says when, where and what was measured.
func machine(revision string, now time.Time) string {
	return fmt.Sprintf("%s, Linux %s, %s, %d processors, %s, %s, %s; planec %s, kube-proxy %s. %s",
		now.UTC().Format("2006-01-02 15:04 UTC"), kernel(), cpu(), runtime.NumCPU(), runtime.Version(),
		tool("nft"), tool("iptables-"+variant), revision, version(), load())
}

// cpu is the model of the first processor.
func cpu() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// tool is the first line of a program's version.
func tool(name string) string {
	text, err := exec.Command(name, "--version").Output()
	if err != nil {
		return name + ": " + err.Error()
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return string(line)
}

// load says how busy the machine was during the last minutes.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	averages := strings.Fields(string(text))
	if err != nil || len(averages) < 3 {
		return "The load is unknown."
	}
	return fmt.Sprintf("The load was %s in the last 5 minutes and %s in the last 15; the run itself makes 1 to 2.", averages[1], averages[2])
}

// kernel is the version of the kernel, without what its distribution adds.
func kernel() string {
	version, _, _ := strings.Cut(buildinfo.KernelRelease(), "-")
	return version
}
