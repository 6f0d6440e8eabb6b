package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Require skips the test if rigs cannot be built here (root, namespaces, veth) or
// a named program is missing. In CI (CI=true) the test fails instead, so that a
// lane cannot pass without running its tests.
func Require(t testing.TB, tools ...string) {
	t.Helper()
	err := missing(tools)
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI=true, but this machine cannot run real-kernel tests: %v", err)
	}
	t.Skipf("SKIPPED, NOTHING WAS TESTED: this machine cannot run real-kernel tests: %v", err)
}

func missing(tools []string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("not root")
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			return err
		}
	}
	r, err := Build(Spec{})
	if err != nil {
		return fmt.Errorf("no network namespaces: %w", err)
	}
	return r.Close()
}
