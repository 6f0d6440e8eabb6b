package frrtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Path is what a router knows of a route from one of its neighbors.
type Path struct {
	From        string // the address of the neighbor
	LocalPref   uint32 // 0 where the neighbor told none
	Communities string // sorted, with spaces between, the large ones last
}

// Table is a router's table of BGP, the paths of each route sorted by neighbor.
type Table map[netip.Prefix][]Path

// String writes a table, a line for each path.
func (t Table) String() string {
	var lines []string
	for p, paths := range t {
		for _, x := range paths {
			lines = append(lines, fmt.Sprintf("%s from %s, local preference %d, communities %q", p, x.From, x.LocalPref, x.Communities))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// bgpAnswer is the answer to `show bgp ... PREFIX json` (bgpd/bgp_route.c).
type bgpAnswer struct {
	Paths []struct {
		LocPrf    uint32 `json:"locPrf"`
		Community struct {
			List []string `json:"list"`
		} `json:"community"`
		Large struct {
			List []string `json:"list"`
		} `json:"largeCommunity"`
		Peer struct {
			ID string `json:"peerId"`
		} `json:"peer"`
	} `json:"paths"`
}

// BGP reads a host's table of routes of a family, "ipv4" or "ipv6", into t.
func (h *Host) BGP(family string, t Table) error {
	out, err := h.Show("show bgp " + family + " unicast json")
	if err != nil {
		return err
	}
	var all struct {
		Routes map[string]json.RawMessage `json:"routes"`
	}
	if err := json.Unmarshal(out, &all); err != nil {
		return fmt.Errorf("the table of %s: %w\n%s", h.Name, err, out)
	}
	var commands []string
	prefixes := slices.Sorted(maps.Keys(all.Routes))
	for _, text := range prefixes {
		commands = append(commands, "show bgp "+family+" unicast "+text+" json")
	}
	if len(commands) == 0 {
		return nil
	}
	if out, err = h.Show(commands...); err != nil {
		return err
	}
	answers := json.NewDecoder(bytes.NewReader(out))
	for _, text := range prefixes {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return err
		}
		var answer bgpAnswer
		if err := answers.Decode(&answer); err != nil {
			return fmt.Errorf("%s of %s: %w\n%s", text, h.Name, err, out)
		}
		for _, x := range answer.Paths {
			slices.Sort(x.Community.List)
			slices.Sort(x.Large.List)
			t[p] = append(t[p], Path{x.Peer.ID, x.LocPrf, strings.Join(append(x.Community.List, x.Large.List...), " ")})
		}
		slices.SortFunc(t[p], func(a, b Path) int { return strings.Compare(a.From, b.From) })
	}
	return nil
}
