package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/internal/input/manifest"
)

// TestDecodedObjectsStayAsTheyAre runs one command after the other on the same decoded objects,
// as the page of planec play does: a command that changed an object would change
// what the next one prints.
func TestDecodedObjectsStayAsTheyAre(t *testing.T) {
	cases, err := filepath.Glob("../../golden/cases/*")
	if err != nil || len(cases) < 100 {
		t.Fatalf("%d golden cases, %v", len(cases), err)
	}
	lines := []string{
		"report --format json --all-nodes", "lint -o json", "matrix -o json", "synth", "report --format json --all-nodes --synth --backend iptables",
		"compile --all-nodes --backend ipvs --ir", "report --format json --all-nodes",
	}
	decoded := manifest.NewMemo()
	for i := 0; i < len(cases); i += 3 {
		input := filepath.Join(cases[i], "input.yaml")
		if _, err := os.Stat(input); err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			args := append(strings.Fields(line), "-f", input)
			if d := cmp.Diff(printed(args, nil), printed(args, decoded)); d != "" {
				t.Fatalf("planec %s prints otherwise after other commands (-alone, +after others):\n%s", strings.Join(args, " "), d)
			}
		}
	}
}

// printed is what a command line prints.
func printed(args []string, decoded *manifest.Memo) [2]string {
	var out, errs strings.Builder
	Run(args, Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Decoded: decoded})
	return [2]string{out.String(), errs.String()}
}
