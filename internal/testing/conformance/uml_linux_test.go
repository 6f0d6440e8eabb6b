package conformance

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
)

var umlCases = flag.Int("uml-cases", 20, "how many cases of each dialect to try with IPVS, in User Mode Linux, at most")

// TestMain also serves User Mode Linux: inside, this binary is the init process.
func TestMain(m *testing.M) { uml.Main(m) }

// passedCase is what a case that was tried prints.
var passedCase = regexp.MustCompile(`--- PASS: TestDialectKernel/ipvs/\S+-\d+ `)

// TestDialectUserModeLinux tries a sample of the dialects' cases with IPVS, in the only
// kernel with IPVS that can be counted on.
func TestDialectUserModeLinux(t *testing.T) {
	if *data == "" || uml.Inside() {
		t.Skip("minutes of connections: name the tables with -data, or use make conformance")
	}
	uml.Require(t, testkit.IPVS().Tools...)
	want := len(dialectSample(t, *umlCases))
	dir, err := filepath.Abs(*data)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	r, err := uml.Run(ctx, uml.Config{Modules: testkit.IPVSModules(), Args: []string{
		"-test.run=^TestDialectKernel$", "-test.v", "-test.parallel=4", "-test.timeout=30m",
		"-data=" + dir, fmt.Sprintf("-dialect-cases=%d", *umlCases),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 {
		t.Fatalf("exit status %d:\n%s", r.Code, r.Output)
	}
	if got := len(passedCase.FindAllString(r.Output, -1)); got != want {
		t.Fatalf("%d cases were tried, want %d:\n%s", got, want, r.Output)
	}
	t.Logf("%d cases; User Mode Linux ready in %v, tests took %v", want, r.Ready.Round(time.Millisecond), r.Took.Round(time.Millisecond))
}
