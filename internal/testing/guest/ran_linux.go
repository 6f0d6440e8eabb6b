package guest

import (
	"strings"
	"testing"
	"time"
)

// Arguments are those with which a test binary runs the named tests only, and says so.
func Arguments(names ...string) []string {
	return []string{"-test.run=^(" + strings.Join(names, "|") + ")$", "-test.v"}
}

// Passed wants all named tests to have run inside, and to have passed: a test that was skipped has
// not run.
func Passed(t testing.TB, r Result, names ...string) {
	t.Helper()
	if r.Code != 0 {
		t.Fatalf("exit status %d:\n%s", r.Code, r.Output)
	}
	for _, name := range names {
		if !strings.Contains(r.Output, "--- PASS: "+name+" (") {
			t.Errorf("nothing says that %s ran:\n%s", name, r.Output)
		}
	}
	t.Logf("ready in %v, tests took %v", r.Ready.Round(time.Millisecond), r.Took.Round(time.Millisecond))
}
