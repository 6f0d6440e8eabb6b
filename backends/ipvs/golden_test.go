package ipvs_test

import (
	"bytes"
	"flag"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

var update = flag.Bool("update", false, "rewrite testdata")

// goldens are the programs whose files are kept; the kernel tests load each.
func goldens() map[string]*ir.Program {
	all := irtest.Goldens("a\"b\nadd x 10.0.0.1 } ; flush \\\x00$x@y #")
	all["policies"] = ownEndpoints(ir.Reject)
	return all
}

func TestGolden(t *testing.T) {
	for name, p := range goldens() {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			for _, f := range emit(t, p, backends.DefaultOptions()).Files {
				got.WriteString("-- " + f.Name + " --\n")
				got.Write(f.Data)
			}
			irtest.CompareGolden(t, name+".txt", got.String(), *update)
		})
	}
}
