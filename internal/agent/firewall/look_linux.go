package firewall

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	nft "github.com/planec/planec/backends/nftables/live"
	xtables "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/text/iptables"
)

// ourTable is planec's table in nftables; its chains accept what they do not refuse.
const ourTable = "planec"

// Look lists the foreign chains with policy DROP in the calling thread's network
// namespace. It changes nothing, and does not create tables of iptables.
func Look(ctx context.Context) ([]Dropping, error) {
	chains, err := nft.BaseChains(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking at the node's firewall: %w", err)
	}
	var out []Dropping
	for _, c := range chains {
		if c.Type != "filter" || !c.Drops || c.Table == ourTable || c.Hook != nft.HookForward && c.Hook != nft.HookInput {
			continue
		}
		d := Dropping{Family: c.Family, Table: c.Table, Chain: c.Name, Forward: c.Hook == nft.HookForward}
		if c.Table == "filter" && c.Family != "inet" && slices.Contains([]string{"FORWARD", "INPUT"}, c.Name) {
			d.Variant = NFT
		}
		out = append(out, d)
	}
	legacy, err := lookLegacy()
	if err != nil {
		return nil, fmt.Errorf("looking at the node's firewall: %w", err)
	}
	out = append(out, legacy...)
	for i := range out {
		if d := &out[i]; d.Variant != NFTables {
			d.Rules = saved(ctx, d)
		}
	}
	return out, nil
}

// saved returns the rules of the chain's table, or nil if the program is missing,
// so that accepting rules cannot be found.
func saved(ctx context.Context, d *Dropping) map[string][][]string {
	t := &xtables.Tools{Variant: string(d.Variant), LockWait: xtables.DefaultLockWait}
	text, err := t.Save(ctx, d.tool())
	if err != nil {
		return nil
	}
	rules := make(map[string][][]string)
	for l, err := range iptables.Lines(text) {
		if err != nil || l.Table != d.Table || l.Verb == "" {
			continue
		}
		if words, err := l.Words(); err == nil {
			rules[l.Chain] = append(rules[l.Chain], words)
		}
	}
	return rules
}

// lookLegacy reads the policies of iptables' legacy tables from the kernel, which
// needs no program.
func lookLegacy() ([]Dropping, error) {
	var out []Dropping
	for _, f := range []struct {
		family, names string
		ipv6          bool
	}{{"ip", "/proc/thread-self/net/ip_tables_names", false}, {"ip6", "/proc/thread-self/net/ip6_tables_names", true}} {
		// Reading a missing table would create it.
		names, err := os.ReadFile(f.names)
		if err != nil || !slices.Contains(strings.Fields(string(names)), "filter") {
			continue
		}
		drops, err := legacyDrops(f.ipv6)
		if err != nil {
			return nil, fmt.Errorf("policies of the legacy table filter (%s): %w", f.family, err)
		}
		for i, chain := range []string{xtables.LegacyInput: "INPUT", xtables.LegacyForward: "FORWARD"} {
			if chain != "" && drops[i] {
				out = append(out, Dropping{Variant: Legacy, Family: f.family, Table: "filter", Chain: chain, Forward: i == xtables.LegacyForward})
			}
		}
	}
	return out, nil
}

func legacyDrops(ipv6 bool) (drops [5]bool, err error) {
	l, err := xtables.OpenLegacy(ipv6)
	if err != nil {
		return drops, err
	}
	defer l.Close()
	return l.Drops("filter")
}
