package testkit

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/planec/planec/ir"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The world's routing rules by priority: packets with the source of a local pod go
// to its veth, other own packets go to the uplink, and received packets are
// delivered locally.
const (
	firstPodTable   = 1000
	uplinkTable     = 900
	firstPodRule    = 1
	uplinkRule      = 20000
	everythingLocal = 30000
)

// newWorld creates the namespace that has every address.
func newWorld() (*namespace, error) {
	w, err := newNamespace(WorldSide)
	if err != nil {
		return nil, err
	}
	err = errors.Join(w.sysctl(commonSettings()), w.sysctl(worldSettings()))
	for _, f := range ir.Families() {
		err = errors.Join(err, w.haveEverything(f))
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// haveEverything makes every address local for received packets, and no address
// for sent ones as soon as rules with higher priority exist.
func (n *namespace) haveEverything(f ir.Family) error {
	err := n.nl.RouteAdd(&netlink.Route{
		LinkIndex: loopbackIndex, Table: unix.RT_TABLE_LOCAL, Family: familyNumber(f),
		Type: unix.RTN_LOCAL, Scope: unix.RT_SCOPE_HOST, Dst: everything(f),
	})
	if err != nil {
		return fmt.Errorf("%v local default: %w", f, err)
	}
	late := tableRule(f, everythingLocal, unix.RT_TABLE_LOCAL)
	if err := n.nl.RuleAdd(late); err != nil {
		return fmt.Errorf("%v local rule: %w", f, err)
	}
	if err := n.nl.RuleDel(tableRule(f, 0, unix.RT_TABLE_LOCAL)); err != nil {
		return fmt.Errorf("%v first local rule: %w", f, err)
	}
	return nil
}

// exit routes packets that the world itself sends, from src or from any address,
// out of a cable. The next hop is an IPv6 address even for IPv4, because the
// kernel rejects a local IPv4 gateway, and every address is local here.
func (n *namespace) exit(f ir.Family, priority, table int, src netip.Addr, c cable) error {
	next := gateway(ir.IPv6)
	if err := n.hop(c.worldIndex, next, c.nodeMAC); err != nil {
		return err
	}
	if err := n.defaultRoute(f, table, c.worldIndex, next, netip.Addr{}); err != nil {
		return err
	}
	rule := tableRule(f, priority, table)
	rule.IifName = "lo"
	if src.IsValid() {
		rule.Src = hostNet(src)
	}
	if err := n.nl.RuleAdd(rule); err != nil {
		return fmt.Errorf("%v rule %d: %w", f, priority, err)
	}
	return nil
}

func tableRule(f ir.Family, priority, table int) *netlink.Rule {
	r := netlink.NewRule()
	r.Family, r.Priority, r.Table = familyNumber(f), priority, table
	return r
}
