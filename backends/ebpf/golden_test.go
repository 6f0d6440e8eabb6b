package ebpf

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/backends"
)

var update = flag.Bool("update", false, "rewrite testdata")

func TestGolden(t *testing.T) {
	for name, p := range goldens() {
		t.Run(name, func(t *testing.T) {
			got := imageOf(t, p).Text()
			path := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Errorf("run with -update if it is meant (-want +got):\n%s", d)
			}
		})
	}
	without, err := New(backends.Options{NoComments: true}).Image(kitchenSink())
	if err != nil {
		t.Fatal(err)
	}
	if without.Symbols() != nil || without.Digest() != imageOf(t, kitchenSink()).Digest() {
		t.Error("symbols change the digest, or are there without being asked for")
	}
}
