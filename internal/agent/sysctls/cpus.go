package sysctls

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// mostCPUs bounds what is believed of a list of processors.
const mostCPUs = 1 << 16

// CPUs counts the processors of the machine, by the kernel's list of those online
// below root ("/"). [runtime.NumCPU] is not it: that counts the processors which the
// process may use, and the table of connections is the whole node's. Where the list
// cannot be read it is the answer all the same.
func CPUs(root string) int {
	text, err := os.ReadFile(filepath.Join(root, "sys/devices/system/cpu/online"))
	if n := countCPUs(strings.TrimSpace(string(text))); err == nil && n > 0 {
		return n
	}
	return runtime.NumCPU()
}

// countCPUs counts a list such as "0-3,8,10-11" (cpuset(7), "List format"); 0 is a
// list that is none.
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
