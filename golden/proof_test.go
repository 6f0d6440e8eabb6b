package golden

import (
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/proof"
)

// TestProofs proves the files of every case, for every backend: that they do with every
// packet what the program says.
func TestProofs(t *testing.T) {
	for _, b := range registry.All(backends.DefaultOptions()) {
		t.Run(b.Name(), func(t *testing.T) {
			t.Parallel()
			boxes := 0
			for _, c := range loadCases(t) {
				in, _, _ := load(t, c)
				program, _ := compiler.Compile(in)
				artifact, err := b.Emit(program)
				if err != nil {
					t.Fatalf("%s: %v", c.Name, err)
				}
				report, err := proof.Artifact(program, b, artifact, 3)
				if err != nil {
					t.Errorf("%s: %v", c.Name, err)
				}
				for _, d := range report.Differences {
					t.Errorf("%s: %v: %s", c.Name, d.Packet, d.Reason)
				}
				boxes += report.Boxes
			}
			t.Logf("%d boxes of packets", boxes)
		})
	}
}

// TestFaultsOfPeople changes files in ways that no packet alone shows: when a chain comes,
// for how long a client is bound and which clients are told apart. None may be proved.
func TestFaultsOfPeople(t *testing.T) {
	for _, f := range []struct{ name, of, backend, file, old, new string }{
		{"source ranges before connection tracking", "source-ranges", "nftables", "rules.nft", "hook prerouting priority dstnat - 10", "hook prerouting priority -301"},
		{"nat before connection tracking", "affinity", "nftables", "rules.nft", "type nat hook output priority -100", "type nat hook output priority -250"},
		{"a filter chain that masquerades", "affinity", "nftables", "rules.nft", "type nat hook postrouting priority srcnat", "type filter hook postrouting priority srcnat"},
		{"a binding that the second connection makes short", "affinity", "nftables", "rules.nft", "timeout 3h : meta priority } meta priority set", "timeout 1s : meta priority } meta priority set"},
		{"all clients are one", "affinity", "nftables", "rules.nft", "ip saddr . meta mark", "meta mark"},
		{"two Services share their bindings", "affinity", "nftables", "rules.nft", "0xabcabf9a", "0xdd66842a"},
		{"all IPv6 clients are one", "affinity-ipv6", "nftables", "rules.nft", "mod 4294967295", "mod 1"},
		{"a hash without the client", "affinity-ipv6", "nftables", "rules.nft", "jhash ip6 saddr . meta mark", "jhash meta mark"},
		{"bound by the destination", "affinity", "iptables", "iptables.rules", " src --exist", " dst --exist"},
		{"a binding that does not last", "affinity", "iptables", "iptables.rules", " --exist", ""},
	} {
		t.Run(f.name, func(t *testing.T) {
			i := slices.IndexFunc(loadCases(t), func(c Case) bool { return c.Name == f.of })
			if i < 0 {
				t.Fatalf("no case %s", f.of)
			}
			in, options, _ := load(t, loadCases(t)[i])
			program, _ := compiler.Compile(in)
			selected, err := registry.Select(options, f.backend)
			if err != nil {
				t.Fatal(err)
			}
			a, err := selected[0].Emit(program)
			if err != nil {
				t.Fatal(err)
			}
			at := slices.IndexFunc(a.Files, func(x backends.File) bool { return x.Name == f.file })
			wrong := strings.ReplaceAll(string(a.Files[at].Data), f.old, f.new)
			if wrong == string(a.Files[at].Data) {
				t.Fatalf("%s has no %q", f.file, f.old)
			}
			a.Files[at].Data = []byte(wrong)
			if r, err := proof.Artifact(program, selected[0], a, 1); err == nil && len(r.Differences) == 0 {
				t.Error("it is proved")
			} else if err != nil {
				t.Log(err)
			} else {
				t.Log(r.Differences[0].Reason)
			}
		})
	}
}
