package ipvs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/ir"
)

// Name selects this backend on the command line.
const Name = "ipvs"

// The files of the artifact; doc.go describes how to load them.
const (
	AddressesFile = "addresses.batch"
	JumpsFile6    = "ip6tables-jumps.rules"
	RulesFile6    = "ip6tables.rules"
	SetsFile      = "ipset.rules"
	JumpsFile     = "iptables-jumps.rules"
	RulesFile     = "iptables.rules"
	ServicesFile  = "ipvsadm.rules"
	SysctlFile    = "sysctl.conf"
)

// Device is the dummy interface with the virtual addresses.
const Device = "planec-ipvs0"

// DefaultScheduler is used if no scheduler is configured. It is the same as
// kube-proxy's.
const DefaultScheduler = "rr"

// Schedulers returns the schedulers that may be configured.
func Schedulers() []string { return []string{"rr", "wrr", "lc", "sh", "mh"} }

// Backend emits text for ipvsadm, ipset, iptables, ip and sysctl.
type Backend struct {
	opts backends.Options
}

var _ backends.Backend = (*Backend)(nil)

// New returns a backend with the given options.
func New(opts backends.Options) *Backend {
	if opts.Scheduler == "" {
		opts.Scheduler = DefaultScheduler
	}
	return &Backend{opts: opts}
}

// Name returns "ipvs".
func (*Backend) Name() string { return Name }

// Emit returns the files of a node, each for both families. It refuses the
// Services that Check reports as not expressible.
func (b *Backend) Emit(p *ir.Program) (backends.Artifact, error) {
	if b.opts.MasqueradeBit < 0 || b.opts.MasqueradeBit > 31 {
		return backends.Artifact{}, fmt.Errorf("ipvs: masquerade bit %d: want 0 to 31", b.opts.MasqueradeBit)
	}
	if !slices.Contains(Schedulers(), b.opts.Scheduler) {
		return backends.Artifact{}, fmt.Errorf("ipvs: scheduler %q: want one of %s", b.opts.Scheduler, strings.Join(Schedulers(), ", "))
	}
	policies := xtpolicy.New(&p.Policy, b.opts.Hash) // only Services are refused
	p = backends.GiveUp(p, refused(p, policies, b.opts))
	var services, sets, addresses []byte
	rules := make(map[ir.Family][]byte, 2)
	addresses = appendDevice(addresses)
	for _, f := range ir.Families() {
		t, err := newTable(f, p, policies, b.opts)
		if err != nil {
			return backends.Artifact{}, fmt.Errorf("ipvs: %w", err)
		}
		t.policy = policies.Rules(f, !b.opts.NoComments)
		services = t.appendServices(services)
		sets = t.appendSets(sets)
		addresses = t.appendAddresses(addresses)
		rules[f] = t.appendRules(nil)
	}
	return backends.Artifact{Files: []backends.File{
		{Name: AddressesFile, Data: addresses},
		{Name: JumpsFile6, Data: xtables.AppendJumps(nil, jumps)},
		{Name: RulesFile6, Data: rules[ir.IPv6]},
		{Name: SetsFile, Data: sets},
		{Name: JumpsFile, Data: xtables.AppendJumps(nil, jumps)},
		{Name: RulesFile, Data: rules[ir.IPv4]},
		{Name: ServicesFile, Data: services},
		{Name: SysctlFile, Data: []byte(sysctls)},
	}}, nil
}
