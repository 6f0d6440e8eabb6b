package cli_test

import (
	"os"

	agentcmd "github.com/planec/planec/internal/agent/cmd"
)

// addAgent adds planec-agent to the commands that tests can start.
func addAgent(commands map[string]func()) {
	commands["planec-agent"] = func() { os.Exit(agentcmd.Main(os.Args[1:], os.Stderr)) }
}
