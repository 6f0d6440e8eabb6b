package bpf_test

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/bpf"
)

func TestLoads(t *testing.T) {
	spec, err := bpf.LoadSocket()
	if err != nil {
		t.Fatal(err)
	}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Programs: ebpf.ProgramOptions{LogLevel: ebpf.LogLevelStats}})
	var v *ebpf.VerifierError
	if errors.As(err, &v) {
		t.Fatalf("%+v", v)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, p := range c.Programs {
		info, err := p.Info()
		if err != nil {
			t.Fatal(err)
		}
		n, _ := info.VerifiedInstructions()
		t.Log(name, n)
	}
}
