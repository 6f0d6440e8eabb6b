package iptables_test

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

var update = flag.Bool("update", false, "rewrite testdata")

// goldens are the programs whose text is kept; the kernel tests load each.
func goldens() map[string]*ir.Program {
	all := irtest.Goldens("a\"b\n-A INPUT -j DROP\nCOMMIT\\\x00$x@y #")
	all["policies"] = twoPods(ir.Reject)
	return all
}

func TestGolden(t *testing.T) {
	for name, p := range goldens() {
		t.Run(name, func(t *testing.T) {
			files := emit(t, p, backends.DefaultOptions())
			var got strings.Builder
			for _, file := range slices.Sorted(maps.Keys(files)) {
				got.WriteString("==> " + file + "\n" + files[file])
			}
			irtest.CompareGolden(t, name+".txt", got.String(), *update)
		})
	}
}
