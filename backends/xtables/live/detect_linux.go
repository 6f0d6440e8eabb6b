package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/backends/xtables"
)

// Detect finds the variant that this node uses: the one that has rules of
// kubelet or of planec already, else that of the command iptables itself, as
// iptables-wrappers of Kubernetes does. A variant that cannot be asked is an error,
// unless it is not installed or the kernel does not have it: what it has may be what
// decides, and rules in the other one would be beside those that serve.
func Detect(ctx context.Context) (*Tools, error) {
	best, most, found := "", 0, 0
	for _, v := range []string{"nft", "legacy"} {
		t := Tools{Variant: v}
		out, err := t.save(ctx, "iptables")
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
