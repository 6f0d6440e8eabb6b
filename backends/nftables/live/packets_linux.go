package live

import (
	"time"

	"golang.org/x/sys/unix"
)

// graceTime is longer than any packet takes to traverse the rules.
const graceTime = 100 * time.Millisecond

// awaitPackets waits until no packet traverses rules from before the call. The kernel
// walks rules in a read-side section of RCU, and MEMBARRIER_CMD_GLOBAL waits for
// those (kernel/sched/membarrier.c). A kernel without it, or with CPUs that never
// tick, refuses; then awaitPackets sleeps for graceTime.
func awaitPackets() {
	const global = 1
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, global, 0, 0); errno != 0 {
		time.Sleep(graceTime)
	}
}
