//go:build !js

package cli

import (
	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/apply/applier"
)

// kernelCommands are the commands about this machine: its kernel, its network plugin, and its port
// for a page; and those for which the program of a page, whose size is bounded, has no room.
func kernelCommands(s *Streams) []*cobra.Command {
	return []*cobra.Command{newProve(s), newAddresses(s), newAnnounce(s), newDNS(s), newCNI(s), newPlay(s), newShow(s), newStatus(s), newApply(s), newVerify(s), newRollback(s), newClean(s), newBundle(s), newGuard(s)}
}

// liveEntry is what this machine applied last.
func liveEntry(stateDir string) (applier.Entry, error) {
	return lastApplied(newApplier(stateDir, ""), "live")
}
