package nodeflags_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/internal/input/nodeflags"
	"github.com/planec/planec/ir/diag"
)

// read reads the settings of a command line; looks is of commands that are about their node.
func read(t *testing.T, looks bool, args ...string) (*nodeflags.Flags, nodeconfig.NodeConfig, diag.List, error) {
	t.Helper()
	f, set := &nodeflags.Flags{}, pflag.NewFlagSet("", pflag.ContinueOnError)
	f.Register(set)
	if looks {
		f.RegisterDetection(set)
	}
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, said, err := f.Read()
	return f, c, said, err
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const head = "apiVersion: planec.io/v1alpha1\nkind: NodeConfig\n"

// TestPrecedence: flags count before files, and both before the preset.
func TestPrecedence(t *testing.T) {
	own := file(t, "own.yaml", head+"detectLocal: cluster-cidr\nclusterCIDR: 10.1.0.0/16\n")
	named := file(t, "named.yaml", head+"cni: calico\n")
	proxy := file(t, "proxy.yaml", "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\ndetectLocalMode: NodeCIDR\niptables: {masqueradeBit: 20}\n")
	masq := file(t, "masq.yaml", "nonMasqueradeCIDRs: [192.0.2.0/24]\n")
	for _, c := range []struct {
		name          string
		args          []string
		detect, iface string
		preset        []string
	}{
		{"the preset", []string{"--cni", "kubenet"}, "bridge", "cbr0", []string{"detectLocal", "masqAgent"}},
		{"an alias", []string{"--cni", "cbr0"}, "bridge", "cbr0", []string{"detectLocal", "masqAgent"}},
		{"a flag", []string{"--cni", "kubenet", "--detect-local", "node-cidr"}, "node-cidr", "", []string{"masqAgent"}},
		{"a file", []string{"--cni", "kubenet", "--config", own}, "cluster-cidr", "", []string{"masqAgent"}},
		{"kube-proxy's file", []string{"--cni", "calico", "--config", proxy}, "node-cidr", "", nil},
		{"a file of masquerade", []string{"--cni", "kubenet", "--masq-config", masq}, "bridge", "cbr0", []string{"detectLocal"}},
		{"named in a file", []string{"--config", named}, "prefix", "cali", []string{"detectLocal"}},
		{"a flag before the file", []string{"--config", named, "--cni", "weave"}, "bridge", "weave", []string{"detectLocal"}},
		{"none", nil, "", "", nil},
	} {
		f, config, said, err := read(t, false, c.args...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := config.Config.DetectLocal; string(d.Mode) != c.detect || d.Interface != c.iface {
			t.Errorf("%s: %+v, %v", c.name, d, said)
		}
		for _, s := range nodeconfig.Settings() {
			if f.FromPreset(s.Name) != slices.Contains(c.preset, s.Name) {
				t.Errorf("%s: %s is of the preset: %v", c.name, s.Name, f.FromPreset(s.Name))
			}
		}
	}
	_, c, _, err := read(t, false, "--cni", "kubenet", "--masq-config", masq)
	if err != nil || !slices.Contains(c.Config.Masquerade.Exclude, netip.MustParsePrefix("192.0.2.0/24")) {
		t.Errorf("%v, %v", c.Config.Masquerade, err)
	}
}

// TestFindings are what a plugin needs that no setting can give.
func TestFindings(t *testing.T) {
	for _, c := range []struct {
		args []string
		code diag.Code
		note bool
	}{
		{[]string{"--cni", "ovn-kubernetes"}, diag.NetworkServes, false},
		{[]string{"--cni", "kube-router"}, diag.NetworkServes, true},
		{[]string{"--cni", "contiv"}, diag.UnknownNetwork, false},
		{[]string{"--cni", "calico", "--masquerade-bit", "20"}, diag.MarkCollision, false},
		{[]string{"--cni", "flannel", "--masquerade-bit", "20"}, diag.MarkCollision, false},
	} {
		_, _, said, err := read(t, false, c.args...)
		at := slices.IndexFunc(said, func(d diag.Diagnostic) bool { return d.Code == c.code })
		if err != nil || at < 0 || said[at].Note != c.note {
			t.Errorf("%v: %v, %v", c.args, said, err)
		}
	}
	if _, _, said, err := read(t, false, "--cni", "contiv", "--detect-local", "cluster-cidr"); err != nil || len(said) > 0 {
		t.Errorf("%v, %v", said, err)
	}
}

// TestAuto looks at the node, where the command is about it.
func TestAuto(t *testing.T) {
	dir := filepath.Dir(file(t, "10-net.conf", `{"name": "a", "type": "bridge", "bridge": "br7", "ipMasq": true}`))
	f, c, said, err := read(t, true, "--cni", "auto", "--cni-conf-dir", dir)
	if err != nil || c.Config.DetectLocal.Interface != "br7" || len(c.Config.Masquerade.Families) > 0 || f.Network().System.Name != "bridge" {
		t.Fatalf("%+v, %v", c, err)
	}
	if len(said) != 1 || said[0].Code != diag.NetworkFound || !strings.Contains(said[0].Message, "10-net.conf") {
		t.Errorf("%v", said)
	}
	if again := f.LookAgain(); !again.Same(f.Network()) {
		t.Errorf("%+v", again)
	}
	f, c, said, err = read(t, true, "--cni", "auto", "--cni-conf-dir", filepath.Dir(file(t, "10-net.conf", "{}")))
	if err != nil || f.Network().System != nil || c.Config.DetectLocal.Mode != "" || len(said) != 2 || said[0].Code != diag.UnreadNetwork || said[1].Code != diag.NoNetworkFound {
		t.Errorf("%+v, %v, %v", c, said, err)
	}
	if _, _, _, err := read(t, false, "--cni", "auto"); err == nil || !strings.Contains(err.Error(), "planec cni --detect") {
		t.Error(err)
	}
	if _, _, _, err := read(t, true, "--cni", "flannel", "--cni-conf-dir", dir); err == nil || !strings.Contains(err.Error(), "no meaning") {
		t.Error(err)
	}
	if _, _, _, err := read(t, false, "--cni", "calcio"); err == nil || !strings.Contains(err.Error(), "did you mean calico?") {
		t.Error(err)
	}
}
