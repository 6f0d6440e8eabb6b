package iptables_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/irtest"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

var update = flag.Bool("update", false, "rewrite testdata")

// goldens are the programs whose text is kept; the kernel tests load each.
func goldens() map[string]*ir.Program {
	byInterface := irtest.KitchenSink()
	byInterface.Node.Local = ir.LocalDetector{Mode: ir.DetectInterfacePrefix, Interface: "veth"}
	small := &ir.Program{
		Node:       ir.Node{Name: "node-a", Local: ir.LocalDetector{Mode: ir.DetectNone}},
		ClusterIPs: irtest.Addrs("10.96.0.1"),
		Pools:      []ir.Pool{irtest.Pool("cart", "10.1.0.2:8080", "10.1.1.2:8080")},
		Frontends:  []ir.Frontend{irtest.Frontend(ir.ClusterIP, "cart", "10.96.0.1:80", "cart")},
	}
	small.Frontends[0].Internal.Masquerade = ir.MasqueradeNever
	small.Frontends[0].External.Masquerade = ir.MasqueradeNever
	hostile := irtest.KitchenSink()
	for i := range hostile.Frontends {
		hostile.Frontends[i].Service.Name = "a\"b\n-A INPUT -j DROP\nCOMMIT\\\x00$x@y #" + strings.Repeat("n", 253)
		hostile.Frontends[i].Service.Port = "{\u2028"
	}
	return map[string]*ir.Program{
		"hostile-names":  hostile,
		"empty":          {Node: ir.Node{Name: "node-a", Local: ir.LocalDetector{Mode: ir.DetectNone}}},
		"small":          small,
		"everything":     irtest.KitchenSink(),
		"veth-detection": byInterface,
		"policies":       twoPods(ir.Reject),
	}
}

func TestGolden(t *testing.T) {
	for name, p := range goldens() {
		t.Run(name, func(t *testing.T) {
			files := emit(t, p, backends.DefaultOptions())
			var got strings.Builder
			for _, file := range slices.Sorted(maps.Keys(files)) {
				got.WriteString("==> " + file + "\n" + files[file])
			}
			path := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got.String()); d != "" {
				t.Errorf("run with -update if it is meant (-want +got):\n%s", d)
			}
		})
	}
}
