package iptables

import "net/netip"

// FromFiles interprets the files of the iptables backend: ipset.rules, and for
// each family the rules and the jumps from the built-in chains to them. file
// returns a file's content by its name.
func FromFiles(file func(name string) []byte, own []netip.Addr, explain bool) (*Interpreter, error) {
	sets, err := ParseSets(file("ipset.rules"))
	if err != nil {
		return nil, err
	}
	v4, err := Parse(sets, file("iptables.rules"), file("iptables-jumps.rules"))
	if err != nil {
		return nil, err
	}
	v6, err := Parse(sets, file("ip6tables.rules"), file("ip6tables-jumps.rules"))
	if err != nil {
		return nil, err
	}
	return New(v4, v6, own, explain), nil
}
