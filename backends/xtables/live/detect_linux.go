package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/backends/xtables"
)

// Detect finds the variant of iptables that this node uses: the one with more chains
// of kubelet and of planec, else that of the command iptables (as Kubernetes'
// iptables-wrappers do). It ignores a variant that is not installed or not in the
// kernel. Other failures are errors, because planec could choose the wrong variant.
func Detect(ctx context.Context) (*Tools, error) {
	best, most, found := "", 0, 0
	for _, v := range []string{"nft", "legacy"} {
		t := Tools{Variant: v}
		out, err := t.Save(ctx, "iptables")
		if errors.Is(err, ErrNoTools) || errors.Is(err, ErrNoKernel) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("asking which variant of iptables is in use: %w", err)
		}
		found++
		n := bytes.Count(out, []byte(":KUBE-")) + bytes.Count(out, []byte(":"+xtables.ChainPrefix))
		if n > most || best == "" {
			best, most = v, n
		}
	}
	if best == "" {
		return nil, fmt.Errorf("iptables-nft-save and iptables-legacy-save: %w", ErrNoTools)
	}
	t := &Tools{Variant: best, LockWait: DefaultLockWait}
	if most > 0 || found < 2 {
		return t, nil
	}
	out, err := t.ask(ctx, question{"iptables", "--version"})
	if errors.Is(err, ErrNoTools) {
		return t, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking which variant of iptables is in use: %w", err)
	}
	if bytes.Contains(out, []byte("legacy")) {
		t.Variant = "legacy"
	}
	return t, nil
}
