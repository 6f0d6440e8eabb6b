package proof

import (
	"os"
	"strings"
	"testing"
)

// TestMeantIsDocumented wants a line of each class in the document, with its modes and text.
func TestMeantIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/proof.md")
	if err != nil {
		t.Fatal(err)
	}
	names := []struct {
		mode mode
		name string
	}{{nftMode, "nftables"}, {iptablesMode, "iptables"}, {ipvsMode, "IPVS"}}
	for _, c := range classes {
		var modes []string
		for _, n := range names {
			if c.modes&n.mode != 0 {
				modes = append(modes, n.name)
			}
		}
		if c.modes == allModes {
			modes = []string{"all"}
		}
		if row := "| `" + c.name + "` | " + strings.Join(modes, ", ") + " | " + c.text + " |\n"; !strings.Contains(string(text), row) {
			t.Errorf("docs/proof.md has no row %s", row)
		}
	}
}
