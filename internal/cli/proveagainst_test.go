package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/internal/cli"
)

const migration = "../../examples/kube-proxy-migration"

// against compares a listing with the example's program.
func against(t *testing.T, listing string, args ...string) (code int, out, problems string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "listing")
	if err := os.WriteFile(path, []byte(listing), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	args = append([]string{"prove", "-q", "-f", migration + "/cluster.yaml", "--config", migration + "/kube-proxy.yaml", "--node", "control-plane", "--against", path}, args...)
	code = cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	return code, stdout.String(), stderr.String()
}

func listing(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(migration, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAgainstWithoutALine leaves out each rule of kube-proxy in turn: the comparison must
// notice it, unless the rule does nothing on this node.
func TestAgainstWithoutALine(t *testing.T) {
	for name, c := range map[string]struct {
		rule      string   // how rules begin
		unnoticed []string // what rules have that do nothing here
	}{
		"kube-proxy.nft":      {"\t\t", []string{"x"}},
		"kube-proxy.iptables": {"-A ", []string{"x"}},
	} {
		text := listing(t, name)
		noticed := 0
		inChain := false
		for line := range strings.Lines(text) {
			inChain = strings.HasPrefix(line, "\tchain ") || inChain && line != "\t}\n" || c.rule == "-A "
			if !inChain || !strings.HasPrefix(line, c.rule) || strings.Contains(line, "hook") {
				continue
			}
			code, out, problems := against(t, strings.Replace(text, line, "", 1))
			switch {
			case code == 1 && strings.HasPrefix(out, "refuted: "):
				noticed++
			case code != 0:
				t.Errorf("%s without %q: exit %d: %s", name, line, code, problems)
			default:
				t.Logf("UNNOTICED %s", line)
			}
		}
		t.Logf("%s: the loss of %d rules is noticed", name, noticed)
	}
}
