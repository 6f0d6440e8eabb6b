package ipvs

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Interpreter answers for one node. It is safe for concurrent use.
type Interpreter struct {
	rules    map[ir.Family]ruleset
	services *services
	sysctls  map[string]string
	// own are the node's addresses, virtual ones among them.
	own map[netip.Addr]bool
	// pairs are the sets of two addresses and a port.
	pairs   []*ipset
	explain bool
}

// The names of the files that the interpreter reads.
const (
	addressesFile = "addresses.batch"
	setsFile      = "ipset.rules"
	servicesFile  = "ipvsadm.rules"
	sysctlFile    = "sysctl.conf"
	rulesSuffix   = "tables.rules"
	jumpsSuffix   = "tables-jumps.rules"
)

// New reads the files, which file returns by name. own are the node's own
// addresses, which its kernel knows and no file says; with explain, results
// have the rules that matched as their steps.
func New(file func(name string) []byte, own []netip.Addr, explain bool) (*Interpreter, error) {
	i := &Interpreter{rules: make(map[ir.Family]ruleset, 2), own: make(map[netip.Addr]bool, len(own)), explain: explain}
	for _, a := range own {
		i.own[a] = true
	}
	bound, err := parseAddresses(file(addressesFile))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", addressesFile, err)
	}
	for _, a := range bound {
		i.own[a] = true
	}
	if i.sysctls, err = parseSysctls(file(sysctlFile)); err != nil {
		return nil, fmt.Errorf("%s: %w", sysctlFile, err)
	}
	if i.services, err = parseServices(file(servicesFile)); err != nil {
		return nil, fmt.Errorf("%s: %w", servicesFile, err)
	}
	sets, err := parseSets(file(setsFile))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setsFile, err)
	}
	for _, s := range sets {
		if s.of == "hash:ip,port,ip" {
			i.pairs = append(i.pairs, s)
		}
	}
	for family, prefix := range map[ir.Family]string{ir.IPv4: "ip", ir.IPv6: "ip6"} {
		r := make(ruleset)
		for _, name := range []string{prefix + rulesSuffix, prefix + jumpsSuffix} {
			if err := r.parse(file(name), family, sets); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		i.rules[family] = r
	}
	return i, nil
}

// Eval says what happens to the packet, the first of its connection.
func (i *Interpreter) Eval(p eval.Packet) (eval.Result, error) {
	family := ir.FamilyOf(p.Dst)
	w := walk{Interpreter: i, packet: p, tables: i.rules[family], family: family, dst: p.Dst, port: p.Port}
	r, err := w.run()
	if err != nil {
		return eval.Result{}, fmt.Errorf("%v: %w", p, err)
	}
	return r, nil
}

// isLocal is the kernel's question whether an address is the node's.
func (i *Interpreter) isLocal(a netip.Addr) bool { return i.own[a] || a.IsLoopback() }
