package cmd

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/input/cni"
)

// TestSayNetwork: what was found on the node is in the log.
func TestSayNetwork(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "10-a.conf"), []byte(`{"name": "a", "type": "bridge", "bridge": "br7"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	o, flags := &options{}, pflag.NewFlagSet("", pflag.ContinueOnError)
	o.register(flags)
	if err := flags.Parse([]string{"--cni", "auto", "--cni-conf-dir", dir, "--node", "a"}); err != nil {
		t.Fatal(err)
	}
	config, _, err := o.read()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	(&service{options: o, config: config, log: slog.New(slog.NewTextHandler(&said, nil))}).sayNetwork()
	for _, want := range []string{"plugin=bridge", "10-a.conf", "bridge:br7", "masqAgent"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("no %q in %s", want, said.String())
		}
	}
}

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
