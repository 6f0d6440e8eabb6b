package ebpf

import (
	"flag"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
)

var update = flag.Bool("update", false, "rewrite testdata")

func TestGolden(t *testing.T) {
	for name, p := range goldens() {
		t.Run(name, func(t *testing.T) {
			got := imageOf(t, p).Text()
			irtest.CompareGolden(t, name+".txt", string(got), *update)
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
