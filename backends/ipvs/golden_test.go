package ipvs_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/internal/irtest"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

var update = flag.Bool("update", false, "rewrite testdata")

// goldens are the programs whose files are kept; the kernel tests load each.
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
		hostile.Frontends[i].Service.Name = "a\"b\nadd x 10.0.0.1 } ; flush \\\x00$x@y #" + strings.Repeat("n", 253)
		hostile.Frontends[i].Service.Port = "{\u2028"
	}
	return map[string]*ir.Program{
		"hostile-names":  hostile,
		"empty":          {Node: ir.Node{Name: "node-a", Local: ir.LocalDetector{Mode: ir.DetectNone}}},
		"small":          small,
		"everything":     irtest.KitchenSink(),
		"veth-detection": byInterface,
		"policies":       ownEndpoints(ir.Reject),
	}
}

func TestGolden(t *testing.T) {
	for name, p := range goldens() {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			for _, f := range emit(t, p, backends.DefaultOptions()).Files {
				got.WriteString("-- " + f.Name + " --\n")
				got.Write(f.Data)
			}
			path := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
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
