package sysctl_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/planec/planec/internal/text/sysctl"
)

func TestRead(t *testing.T) {
	got := map[string]string{"net.a": "0"}
	if err := sysctl.Read(got, []byte("# why\n\nnet.a = 1\nnet.b = 2\n")); err != nil || !maps.Equal(got, map[string]string{"net.a": "1", "net.b": "2"}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, line := range []string{"net.a=1", "net.a = 1 2", "kernel.panic = 1", "net.a ="} {
		if err := sysctl.Read(got, []byte("\n"+line+"\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
