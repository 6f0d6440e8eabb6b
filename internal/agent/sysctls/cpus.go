package sysctls

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// mostCPUs is the largest accepted processor number in a list.
const mostCPUs = 1 << 16

// CPUs returns the number of online processors of the machine, from the kernel's
// list below root ("/"). [runtime.NumCPU] counts only the processors that the
// process may use, while the connection tracking table is for the whole node. CPUs
// falls back to it if the list cannot be read.
func CPUs(root string) int {
	text, err := os.ReadFile(filepath.Join(root, "sys/devices/system/cpu/online"))
	if n := countCPUs(strings.TrimSpace(string(text))); err == nil && n > 0 {
		return n
	}
	return runtime.NumCPU()
}

// countCPUs counts the processors in a list such as "0-3,8,10-11" (cpuset(7),
// "List format"); 0 means an invalid list.
func countCPUs(list string) int {
	n := 0
	for part := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.ParseUint(from, 10, 16)
		if err != nil {
			return 0
		}
		last, err := strconv.ParseUint(to, 10, 16)
		if err != nil || last < first {
			return 0
		}
		if n += int(last-first) + 1; n > mostCPUs {
			return 0
		}
	}
	return n
}
