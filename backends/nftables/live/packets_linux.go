package live

import (
	"time"

	"golang.org/x/sys/unix"
)

// graceTime is longer than a packet is on its way through the rules.
const graceTime = 100 * time.Millisecond

// awaitPackets returns when no packet is on its way any more that met the rules of
// before the call: the kernel walks rules within a read-side section of RCU, and
// MEMBARRIER_CMD_GLOBAL waits for those (kernel/sched/membarrier.c). A kernel without
// it, or with CPUs that never tick, refuses; then the time has to do.
func awaitPackets() {
	const global = 1
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, global, 0, 0); errno != 0 {
		time.Sleep(graceTime)
	}
}
