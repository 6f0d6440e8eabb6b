package traffic

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

const (
	// conntrackMax is the number of connections that the kernel tracks in each
	// network namespace.
	conntrackMax = "/proc/sys/net/netfilter/nf_conntrack_max"
	// remembered is how many seconds the kernel tracks a connection after its end
	// (nf_conntrack_tcp_timeout_time_wait, 120), and some more until it looks.
	remembered = 150
	// fastest is the highest rate per second of a load, with a larger table: the
	// control plane of the test and the program under test share its machine.
	fastest = 4000
)

// sustained is the number of connections per second that a node can serve for
// any time. A faster load fills the table of tracked connections; then the
// kernel drops new ones, those of the program under test too, and the fault is
// no program's.
func sustained() (int, error) {
	text, err := os.ReadFile(conntrackMax)
	if err != nil {
		return 0, fmt.Errorf("the size of the conntrack table: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", conntrackMax, err)
	}
	return max(1, min(fastest, n/remembered)), nil
}
