package cmd_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/planec/planec/internal/agent/cmd"
)

// TestMistakes wants a suggestion for a mistyped flag, word or argument, before
// anything is changed.
func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--manifst-dir", dir}, "unknown flag: --manifst-dir: did you mean --manifest-dir?"},
		{[]string{"--verify-every", "soon"}, `--verify-every "soon": `},
		{[]string{"cleanup"}, `unexpected argument "cleanup": planec-agent takes flags only: did you mean --cleanup?`},
		{[]string{"--manifest-dir", dir, "--backend", "nftabels"}, `--backend "nftabels": want one of nftables, iptables, ipvs, ebpf: did you mean nftables?`},
		{[]string{"--manifest-dir", dir, "--takeover", "kubeproxy"}, `--takeover "kubeproxy": only the rules of kube-proxy can be taken over: did you mean kube-proxy?`},
		{[]string{"--manifest-dir", dir, "--log-level", "wran"}, `--log-level "wran": want one of debug, info, warn, error: did you mean warn?`},
		{[]string{"--manifest-dir", dir, "--log-format", "jsno"}, `--log-format "jsno": want one of text, json: did you mean json?`},
	} {
		var said bytes.Buffer
		if code := cmd.Main(append(c.args, "--node", "node-a", "--state-dir", dir), &said); code != 2 || !strings.Contains(said.String(), c.want) {
			t.Errorf("%v: exit code %d\n%s, want %s", c.args, code, said.String(), c.want)
		}
	}
}
