package cmd

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planec/planec/internal/input/cni"
)

// TestWatchNetwork ends the agent for another plugin, and for nothing less.
func TestWatchNetwork(t *testing.T) {
	of := func(name, detect string) cni.Found {
		s, err := cni.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		return cni.Found{System: s, Preset: cni.Preset{DetectLocal: detect}}
	}
	had := of("flannel", "bridge:cni0")
	for _, c := range []struct {
		name string
		had  cni.Found
		now  cni.Found
		ends bool
	}{
		{"the same, for another reason", had, cni.Found{System: had.System, Preset: had.Preset, Why: []string{"x"}}, false},
		{"the file is away", had, cni.Found{}, false},
		{"another plugin", had, of("calico", "prefix:cali"), true},
		{"another bridge", had, of("flannel", "bridge:cni7"), true},
		{"one at last", cni.Found{}, had, true},
		{"still none", cni.Found{}, cni.Found{Why: []string{"y"}}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			err := watchNetwork(ctx, &c.had, func() cni.Found { return c.now }, time.Second)
			if errors.Is(err, errChanged) != c.ends || err == nil == c.ends {
				t.Errorf("%s: %v", c.name, err)
			}
		})
	}
}
