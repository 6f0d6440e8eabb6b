package firewall

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/ir"
)

// Variant is the program that a chain belongs to.
type Variant string

// The variants. NFTables means that the chain's table does not belong to iptables.
const (
	Legacy   Variant = "legacy"
	NFT      Variant = "nft"
	NFTables Variant = ""
)

// Dropping is a foreign chain that drops every packet that none of its rules accepts.
type Dropping struct {
	Variant Variant // the iptables variant of the chain, or nft
	// Family is "ip", "ip6" or "inet".
	Family, Table, Chain string
	// Forward is whether the chain sees forwarded packets; otherwise it sees
	// packets to the node itself.
	Forward bool
	// Rules are the rules of the chain's table by chain, as words without verb and
	// chain, if they could be read.
	Rules map[string][][]string
}

// String describes the chain: "chain FORWARD of iptables-nft".
func (d Dropping) String() string {
	if d.Variant == NFTables {
		return fmt.Sprintf("chain %s of nftables table %s %s", d.Chain, d.Family, d.Table)
	}
	return fmt.Sprintf("chain %s of %s-%s", d.Chain, d.tool(), d.Variant)
}

func (d Dropping) tool() string {
	if d.Family == "ip6" {
		return "ip6tables"
	}
	return "iptables"
}

func (d Dropping) sees(f ir.Family) bool {
	return d.Family == "inet" || (d.Family == "ip6") == (f == ir.IPv6)
}

// Needs are the packets of a program that foreign chains must accept.
type Needs struct {
	// Families are the families with Services.
	Families     []ir.Family
	HealthChecks []ir.HealthCheck // the checks whose nodePorts must be reachable
}

// NeedsOf returns the needs of a program.
func NeedsOf(p *ir.Program) Needs {
	n := Needs{HealthChecks: p.HealthChecks}
	for _, f := range ir.Families() {
		if slices.ContainsFunc(p.Frontends, func(x ir.Frontend) bool { return x.Match.Family == f }) {
			n.Families = append(n.Families, f)
		}
	}
	return n
}

// Warnings returns a warning, with a remedy, for each kind of Service traffic that
// a chain will drop under the given backend.
func Warnings(backend string, chains []Dropping, needs Needs) []string {
	var out []string
	for _, d := range chains {
		if d.Variant != NFTables && (backend == "iptables" || backend == "ipvs") {
			continue // the backend's own rules accept there
		}
		switch {
		case d.Forward && !d.acceptsServices() && slices.ContainsFunc(needs.Families, d.sees):
			out = append(out, fmt.Sprintf("%v drops forwarded packets that no rule of it accepts, so Services with endpoints on pods or other nodes may not be reached, and %s rules cannot override that: %s", d, backend, d.acceptForward()))
		case !d.Forward:
			if ports := d.closedPorts(needs.HealthChecks); len(ports) > 0 {
				out = append(out, fmt.Sprintf("%v drops packets to the node that no rule of it accepts, so load balancers may find no answer on health check ports %s: %s", d, strings.Join(ports, ", "), d.acceptPorts(ports)))
			}
		}
	}
	slices.Sort(out)
	return out
}

// acceptForward returns a command that accepts translated connections.
func (d Dropping) acceptForward() string {
	if d.Variant == NFTables {
		return fmt.Sprintf("nft insert rule %s %s %s ct status dnat accept", d.Family, d.Table, d.Chain)
	}
	return fmt.Sprintf("%s-%s -I %s -m conntrack --ctstate DNAT -j ACCEPT", d.tool(), d.Variant, d.Chain)
}

func (d Dropping) acceptPorts(ports []string) string {
	if d.Variant == NFTables {
		return fmt.Sprintf("nft insert rule %s %s %s 'tcp dport { %s } accept'", d.Family, d.Table, d.Chain, strings.Join(ports, ", "))
	}
	return fmt.Sprintf("%s-%s -I %s -p tcp -m multiport --dports %s -j ACCEPT", d.tool(), d.Variant, d.Chain, strings.Join(ports, ","))
}

// acceptsServices reports whether a rule accepts translated packets, or all packets.
func (d Dropping) acceptsServices() bool {
	return slices.ContainsFunc(d.reached(), func(rule []string) bool {
		states, _ := iptables.Value(rule, "--ctstate")
		return accepts(rule) && (slices.Contains(strings.Split(states, ","), "DNAT") || unconditional(rule))
	})
}

// closedPorts returns the health check ports that no rule accepts.
func (d Dropping) closedPorts(checks []ir.HealthCheck) []string {
	var out []string
	for _, h := range checks {
		port := strconv.Itoa(int(h.Port))
		open := func(rule []string) bool { return accepts(rule) && (namesPort(rule, port) || unconditional(rule)) }
		if d.sees(h.Family) && !slices.Contains(out, port) && !slices.ContainsFunc(d.reached(), open) {
			out = append(out, port)
		}
	}
	slices.Sort(out)
	return out
}

func accepts(rule []string) bool { return iptables.Leads(rule) == "ACCEPT" }

// unconditional reports whether a rule applies to all packets: it has a target,
// and at most a comment.
func unconditional(rule []string) bool {
	if _, commented := iptables.Value(rule, "--comment"); commented {
		return len(rule) == len([]string{"-m", "comment", "--comment", "text", "-j", "target"})
	}
	return len(rule) == len([]string{"-j", "target"})
}

func namesPort(rule []string, port string) bool {
	one, _ := iptables.Value(rule, "--dport")
	several, _ := iptables.Value(rule, "--dports")
	return one == port || slices.Contains(strings.Split(several, ","), port)
}

// reached returns the rules of the chain and of the chains that it leads to.
func (d Dropping) reached() [][]string {
	var out [][]string
	seen := make(map[string]bool)
	var visit func(chain string)
	visit = func(chain string) {
		if seen[chain] {
			return
		}
		seen[chain] = true
		for _, rule := range d.Rules[chain] {
			out = append(out, rule)
			visit(iptables.Leads(rule))
		}
	}
	visit(d.Chain)
	return out
}
