package peers

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The defaults are those of a check that everything works. `make bench-peers` has others.
var (
	sizes    = flag.String("sizes", "100", "numbers of Services, separated by commas")
	only     = flag.String("only", "", "parts of names of what to measure, separated by commas: planec, kube-proxy, a backend, policies")
	limit    = flag.Duration("limit", 5*time.Minute, "time for one cell")
	connects = flag.Int("connects", 200, "connects for a cell")
	repeat   = flag.Int("repeat", 1, "nodes of which the medians count, unless they take long")
	revision = flag.String("revision", "(devel)", "the revision of planec")
	document = flag.String("document", "", "a document to write the tables into, between its two lines")
)

func TestMain(m *testing.M) {
	Child()
	os.Exit(m.Run())
}

// TestPeers measures, and prints the tables. It asserts that everything was measured and
// had its effect, but nothing about time.
func TestPeers(t *testing.T) {
	o := Options{Limit: *limit, Connects: *connects, Repeat: *repeat, Progress: os.Stderr}
	for text := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 3 {
			t.Fatalf("-sizes %q: want numbers of Services, 3 or more: %v", *sizes, err)
		}
		o.Sizes = append(o.Sizes, n)
	}
	if o.Connects < rounds {
		t.Fatalf("-connects %d: want %d or more", o.Connects, rounds)
	}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	r := Run(t, o)
	var out bytes.Buffer
	if err := r.Report(&out, *revision, time.Now()); err != nil {
		t.Fatal(err)
	}
	fmt.Print("\n" + out.String())
	for _, what := range r.Unmeasured() {
		t.Errorf("not measured, and no reason: %s", what)
	}
	if *document != "" && !t.Failed() {
		if err := Write(*document, out.Bytes()); err != nil {
			t.Error(err)
		}
	}
}

// TestLate wants a cell that takes too long to say so, and those after it that they were
// not tried. No process starts in the time that it has.
func TestLate(t *testing.T) {
	e := Engine{Planec, "nftables"}
	r := Run(t, Options{Sizes: []int{10}, Only: []string{e.String()}, Limit: time.Millisecond, Connects: rounds, Progress: os.Stderr})
	for figure, want := range map[string]string{First: "> 0.001 s", peakOf + First: "> 0.001 s", Slice: "not tried", Restart: "not without the first apply", p50: "not without the first apply"} {
		if got := r.cells[cell{figure, e, 10}].Reason; got != want {
			t.Errorf("%s: got %q, want %q", figure, got, want)
		}
	}
	if left := r.Unmeasured(); len(left) > 0 {
		t.Errorf("neither a number nor a reason: %q", left)
	}
}
