// Package nodeflags defines the flags for node settings that manifests do not
// contain, for both the compiler and the agent.
package nodeflags

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/ir/diag"
)

// Flags are the settings of a node. Given flags take precedence over --config.
type Flags struct {
	config            string
	masqConfig        string
	clusterCIDR       string
	serviceCIDR       string
	nodePortAddresses []string
	detectLocal       string
	masqueradeAll     bool
	masqueradeBit     int
	localAddresses    []string
	scheduler         string
	untracked         bool
	atInterfaces      bool
	policyDeny        string
	failClosed        bool
	externalIPs       string
	flags             *pflag.FlagSet
}

// Register adds the flags to a command.
func (s *Flags) Register(flags *pflag.FlagSet) {
	s.flags = flags
	flags.StringVar(&s.config, "config", "", "settings: a NodeConfig or a KubeProxyConfiguration, also in its ConfigMap")
	flags.StringVar(&s.masqConfig, "masq-config", "", "egress masquerade: a configuration of ip-masq-agent, also in its ConfigMap")
	flags.StringVar(&s.clusterCIDR, "cluster-cidr", "", "addresses of the cluster's pods, one CIDR of each family with a comma between")
	flags.StringVar(&s.serviceCIDR, "service-cidr", "", "addresses of the cluster's Services, with commas between")
	flags.StringSliceVar(&s.nodePortAddresses, "nodeport-addresses", nil, "where nodePorts are served: primary, localhost, all, or CIDRs, in any mixture")
	flags.StringVar(&s.detectLocal, "detect-local", "", "how local pods are recognised: cluster-cidr, node-cidr, bridge:NAME, prefix:NAME or none")
	flags.BoolVar(&s.masqueradeAll, "masquerade-all", false, "masquerade all traffic to ClusterIPs")
	flags.IntVar(&s.masqueradeBit, "masquerade-bit", 14, "bit of the packet mark that asks for masquerade, 0 to 31")
	flags.StringVar(&s.scheduler, "ipvs-scheduler", "", "how IPVS chooses an endpoint: rr, wrr, lc, sh or mh")
	flags.BoolVar(&s.untracked, "untracked-pods", false, "ebpf: do not track connections between pods where no rule needs it; every pod's sockets must be in the cgroup")
	flags.BoolVar(&s.atInterfaces, "policies-at-interfaces", false, "ebpf: enforce policies at the interfaces of pods too, and do not track connections between these (Linux 6.6)")
	flags.StringVar(&s.policyDeny, "policy-deny", "", "how policies refuse packets: drop (the default) or reject")
	flags.BoolVar(&s.failClosed, "fail-closed", false, "close the node's IPv4 pod addresses that no known pod has")
	flags.StringVar(&s.externalIPs, "external-ips", "", "which externalIPs of Services are served: allow (all, the default), deny (none), or CIDRs with commas between")
	flags.StringSliceVar(&s.localAddresses, "local-address", nil, "further addresses of the node")
}

// Read reads the files and overrides them with the flags. Errors in either name
// their place.
func (s *Flags) Read() (nodeconfig.NodeConfig, diag.List, error) {
	c, diags := nodeconfig.Default(), diag.List(nil)
	if s.config != "" {
		var err error
		if c, diags, err = nodeconfig.Load(s.config); err != nil {
			return c, nil, err
		}
	}
	if s.masqConfig != "" {
		m, masqDiags, err := nodeconfig.LoadMasquerade(s.masqConfig, false)
		if err != nil {
			return c, nil, err
		}
		c.Config.Masquerade = m
		diags = append(diags, masqDiags...)
	}
	for _, o := range s.overrides(&c) {
		if !s.flags.Changed(o.flag) {
			continue
		}
		if err := o.apply(); err != nil {
			return c, nil, fmt.Errorf("--%s: %w", o.flag, err)
		}
	}
	return c, diags, nil
}

// Files returns the files in the flags.
func (s *Flags) Files() []string {
	var files []string
	for _, f := range []string{s.config, s.masqConfig} {
		if f != "" {
			files = append(files, f)
		}
	}
	return files
}

// override is one flag with its effect on the configuration.
type override struct {
	flag  string
	apply func() error
}

func (s *Flags) overrides(c *nodeconfig.NodeConfig) []override {
	cfg := &c.Config
	return []override{
		{"cluster-cidr", set(&cfg.ClusterCIDRs, nodeconfig.ParseClusterCIDRs, s.clusterCIDR)},
		{"service-cidr", set(&cfg.ServiceCIDRs, nodeconfig.ParseCIDRs, s.serviceCIDR)},
		{"nodeport-addresses", set(&cfg.NodePortAddresses, nodeconfig.ParseNodePortAddresses, s.nodePortAddresses)},
		{"detect-local", set(&cfg.DetectLocal, nodeconfig.ParseDetectLocal, s.detectLocal)},
		{"local-address", set(&cfg.LocalAddresses, nodeconfig.ParseLocalAddresses, s.localAddresses)},
		{"masquerade-all", func() error {
			cfg.MasqueradeAll = s.masqueradeAll
			return nil
		}},
		{"ipvs-scheduler", func() error {
			c.Scheduler = s.scheduler
			return nodeconfig.CheckScheduler(s.scheduler)
		}},
		{"untracked-pods", func() error {
			c.UntrackedPods = s.untracked
			return nil
		}},
		{"policies-at-interfaces", func() error {
			c.PoliciesAtInterfaces = s.atInterfaces
			return nil
		}},
		{"policy-deny", set(&cfg.OnDeny, nodeconfig.ParseRefusal, s.policyDeny)},
		{"external-ips", set(&cfg.ExternalIPs, nodeconfig.ParseExternalIPs, s.externalIPs)},
		{"fail-closed", func() error {
			cfg.FailClosed = s.failClosed
			return nil
		}},
		{"masquerade-bit", func() error {
			c.MasqueradeBit = s.masqueradeBit
			return nodeconfig.CheckMasqueradeBit(s.masqueradeBit)
		}},
	}
}

// set returns the effect of a flag that sets one field to its parsed value.
func set[S, T any](field *T, parse func(S) (T, error), given S) func() error {
	return func() (err error) {
		*field, err = parse(given)
		return err
	}
}
