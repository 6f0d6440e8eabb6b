package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/planec/planec/internal/testing/testkit"
)

// TestKernelScripts runs testdata/kernel: commands that change a kernel, each
// script in a network namespace of its own, $NS.
func TestKernelScripts(t *testing.T) {
	testkit.Require(t, "ip", "ipset", "nft", "iptables-nft-restore", "iptables-legacy-restore")
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/kernel",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			n++
			name := fmt.Sprintf("planec-cli-%d-%d", os.Getpid(), n)
			if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			env.Defer(func() { exec.Command("ip", "netns", "delete", name).Run() }) // it may be gone
			env.Setenv("EXAMPLES", examples)
			env.Setenv("NS", "ip netns exec "+name)
			env.Setenv("NETNS", name)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exit": exitCode,
		},
	})
}
