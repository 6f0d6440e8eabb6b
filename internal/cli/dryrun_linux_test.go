package cli_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestDryRuns has clean remove, with every backend, what its dry run listed, and rollback change
// what its dry run listed. While an apply waits for its confirmation and holds the lock, both
// answer.
func TestDryRuns(t *testing.T) {
	for name, make := range kernels() {
		t.Run(name, func(t *testing.T) {
			k := make(t)
			k.must(k.apply(change))
			k.must(k.apply(before))
			say := func(args ...string) string {
				t.Helper()
				code, said := k.run(k.command(append(args, "--state-dir", k.state)...))
				if code != 0 {
					t.Fatalf("%v: exit code %d: %s", args, code, said)
				}
				return said
			}
			would := say("rollback", "--dry-run")
			if err := k.has(before); err != nil {
				t.Error(err)
			}
			if did := say("rollback"); would == "" || !strings.HasPrefix(did, would) {
				t.Errorf("it was to change\n%s\nand changed\n%s", would, did)
			}
			k.must(k.apply(before))
			a := k.ask(nil, "--confirm-within", "1h")
			<-a.asks
			say("rollback", "--dry-run")
			would = say("clean", "--dry-run")
			fmt.Fprintln(a.in, "yes")
			if code, said := a.end(); code != 0 {
				t.Fatalf("exit code %d: %s", code, said)
			}
			if err := k.has(change); err != nil {
				t.Error(err)
			}
			if did := say("clean"); did != would {
				t.Errorf("it was to remove\n%s\nand removed\n%s", would, did)
			}
			if said := say("clean", "--dry-run"); said != "nothing would be removed\n" {
				t.Errorf("afterwards: %s", said)
			}
		})
	}
}
