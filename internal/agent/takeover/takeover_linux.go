package takeover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/backends/xtables/live"
)

// FromKubeProxy removes kube-proxy's objects from the calling thread's network
// namespace and describes them. backend is the active backend, whose objects stay.
// kept describes the chains of kube-proxy that stay because the node's firewall
// would otherwise drop Services; nftables rules cannot accept packets instead.
func FromKubeProxy(ctx context.Context, backend string) (removed, kept []string, err error) {
	var errs []error
	for _, step := range []func(context.Context, string) (removed, kept []string, err error){tables, chains, virtualServers} {
		words, more, err := step(ctx, backend)
		removed, kept, errs = append(removed, words...), append(kept, more...), append(errs, err)
	}
	return removed, kept, errors.Join(errs...)
}

// chains removes the chains of both variants: an upgraded node may have rules in
// either.
func chains(ctx context.Context, backend string) (removed, kept []string, err error) {
	var errs []error
	for _, variant := range []string{"legacy", "nft"} {
		t := &live.Tools{Variant: variant, LockWait: live.DefaultLockWait}
		for _, tool := range []string{"iptables", "ip6tables"} {
			words, needed, err := chainsOf(ctx, t, tool, backend == "iptables" || backend == "ipvs")
			if errors.Is(err, live.ErrNoTools) || errors.Is(err, live.ErrNoKernel) {
				// Without the program or the kernel's part, nothing relevant can exist.
				continue
			}
			removed, errs = append(removed, words...), append(errs, err)
			for _, chain := range needed {
				kept = append(kept, fmt.Sprintf("%s-%s: chain %s, whose rules let Services through a firewall that drops all else", tool, t.Variant, chain))
			}
		}
	}
	words, err := proxySets(ctx)
	return append(removed, words...), kept, errors.Join(append(errs, err)...)
}

// chainsOf removes the chains of one tool; admits is whether planec's rules accept
// Services in a firewall.
func chainsOf(ctx context.Context, t *live.Tools, tool string, admits bool) (steps, needed []string, err error) {
	saved, err := t.Save(ctx, tool)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the rules of %s-%s: %w", tool, t.Variant, err)
	}
	text, steps, needed := removal(parseSaved(saved), admits)
	if text == "" {
		return nil, needed, nil
	}
	if err := t.Restore(ctx, tool, []byte(text)); err != nil {
		return nil, needed, fmt.Errorf("removing kube-proxy's chains with %s-%s: %w", tool, t.Variant, err)
	}
	for i := range steps {
		steps[i] = tool + "-" + t.Variant + ": " + steps[i]
	}
	return steps, needed, nil
}

// proxySets removes the ipsets of kube-proxy's IPVS mode, except those that a rule
// still names.
func proxySets(ctx context.Context) (removed []string, err error) {
	t := &live.Tools{}
	names, err := t.SetNames(ctx)
	if errors.Is(err, live.ErrNoTools) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing ipsets: %w", err)
	}
	var errs []error
	for line := range bytes.Lines(names) {
		name := strings.TrimSpace(string(line))
		if !isProxySet(name) {
			continue
		}
		if err := t.Sets(ctx, []byte("destroy "+name+"\n")); err != nil {
			errs = append(errs, fmt.Errorf("removing ipset %s: %w", name, err))
			continue
		}
		removed = append(removed, "ipset "+name)
	}
	return removed, errors.Join(errs...)
}

// proxySetNames are the sets of pkg/proxy/ipvs/ipset.go; those of IPv6 have "6-"
// after the prefix.
var proxySetNames = []string{
	"LOOP-BACK", "CLUSTER-IP", "LOAD-BALANCER", "LOAD-BALANCER-LOCAL", "LOAD-BALANCER-FW", "LOAD-BALANCER-SOURCE-IP", "LOAD-BALANCER-SOURCE-CIDR",
	"NODE-PORT-TCP", "NODE-PORT-LOCAL-TCP", "NODE-PORT-UDP", "NODE-PORT-LOCAL-UDP", "NODE-PORT-SCTP-HASH", "NODE-PORT-LOCAL-SCTP-HASH",
	"EXTERNAL-IP", "EXTERNAL-IP-LOCAL", "HEALTH-CHECK-NODE-PORT", "IPVS-IPS",
}

func isProxySet(name string) bool {
	short, ok := strings.CutPrefix(name, "KUBE-")
	short = strings.TrimPrefix(short, "6-")
	return ok && slices.ContainsFunc(proxySetNames, func(known string) bool {
		// The names are truncated to 31 characters.
		return short == known || len(name) == 31 && strings.HasPrefix(known, short)
	})
}
