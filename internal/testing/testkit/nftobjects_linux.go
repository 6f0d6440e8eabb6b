package testkit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/nftables"
)

// NFTObjects returns the tables, chains and named sets of nftables in the calling thread's
// network namespace, one line each, sorted. It reads them with github.com/google/nftables,
// so that neither planec's own reader nor nft is involved. It must not run concurrently
// with other transactions, because the library's lists can then be incomplete.
func NFTObjects() ([]string, error) {
	conn, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("listing nftables: %w", err)
	}
	tables, err := conn.ListTables()
	if err != nil {
		return nil, fmt.Errorf("listing the tables of nftables: %w", err)
	}
	chains, err := conn.ListChains()
	if err != nil {
		return nil, fmt.Errorf("listing the chains of nftables: %w", err)
	}
	var lines []string
	for _, c := range chains {
		lines = append(lines, chainLine(c))
	}
	for _, t := range tables {
		lines = append(lines, "table "+tableName(t))
		sets, err := conn.GetSets(t)
		if err != nil {
			return nil, fmt.Errorf("listing the sets of table %s: %w", tableName(t), err)
		}
		for _, s := range sets {
			if !s.Anonymous {
				lines = append(lines, setLine(t, s))
			}
		}
	}
	slices.Sort(lines)
	return lines, nil
}

func tableName(t *nftables.Table) string {
	families := map[nftables.TableFamily]string{
		nftables.TableFamilyIPv4: "ip", nftables.TableFamilyIPv6: "ip6", nftables.TableFamilyINet: "inet",
		nftables.TableFamilyARP: "arp", nftables.TableFamilyBridge: "bridge", nftables.TableFamilyNetdev: "netdev",
	}
	return families[t.Family] + " " + t.Name
}

// chainLine returns the type, hook, priority and policy of a base chain.
func chainLine(c *nftables.Chain) string {
	line := "chain " + tableName(c.Table) + " " + c.Name
	if c.Hooknum == nil {
		return line
	}
	policies := map[nftables.ChainPolicy]string{nftables.ChainPolicyAccept: "accept", nftables.ChainPolicyDrop: "drop"}
	return fmt.Sprintf("%s type %s hook %d priority %d policy %s", line, c.Type, *c.Hooknum, *c.Priority, policies[*c.Policy])
}

// setLine returns the flags and the size of a set. It omits types, because the
// library reports the verdict of a verdict map as the type of the key.
func setLine(t *nftables.Table, s *nftables.Set) string {
	line := "set " + tableName(t) + " " + s.Name
	for _, flag := range []struct {
		is   bool
		word string
	}{
		{s.IsMap, "map"},
		{s.Constant, "constant"},
		{s.Interval, "interval"},
		{s.Concatenation, "concatenation"},
		{s.Dynamic, "dynamic"},
		{s.HasTimeout, "timeout"},
	} {
		if flag.is {
			line += " " + flag.word
		}
	}
	return strings.TrimSuffix(fmt.Sprintf("%s size %d", line, s.Size), " size 0")
}
