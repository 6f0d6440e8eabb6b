// Package nodeflags defines the flags for node settings that manifests do not
// contain, for both the compiler and the agent.
package nodeflags

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/input/cni"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/podnet"
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
	direct            bool
	policyDeny        string
	l7                string
	policyTiers       string
	fqdnFile          string
	failClosed        bool
	externalIPs       string
	clusterName       string
	importCIDR        string
	podRoutes         string
	podRoutesSubnets  string
	podRoutesMTU      int
	podRoutesVNI      int
	podRoutesPort     int
	bgp               string
	bgpPasswords      bool
	cni               string
	cniConfDir        string
	// looks reports that the command is about the node it runs on, so that --cni auto may
	// look at it.
	looks bool
	// network is what Read found with --cni, and preset the settings that it gave.
	network *cni.Found
	preset  []string
	flags   *pflag.FlagSet
}

// Register adds the flags to a command.
func (s *Flags) Register(flags *pflag.FlagSet) {
	s.flags = flags
	usage := nodeconfig.Usages()
	flags.StringVar(&s.config, "config", "", "settings: a NodeConfig or a KubeProxyConfiguration, also in its ConfigMap")
	flags.StringVar(&s.masqConfig, "masq-config", "", "egress masquerade: a configuration of ip-masq-agent, also in its ConfigMap")
	flags.StringVar(&s.clusterCIDR, "cluster-cidr", "", usage["cluster-cidr"])
	flags.StringVar(&s.serviceCIDR, "service-cidr", "", usage["service-cidr"])
	flags.StringSliceVar(&s.nodePortAddresses, "nodeport-addresses", nil, usage["nodeport-addresses"])
	flags.StringVar(&s.detectLocal, "detect-local", "", usage["detect-local"])
	flags.StringVar(&s.cni, "cni", "", usage["cni"])
	flags.BoolVar(&s.masqueradeAll, "masquerade-all", false, usage["masquerade-all"])
	flags.IntVar(&s.masqueradeBit, "masquerade-bit", 14, usage["masquerade-bit"])
	flags.StringVar(&s.scheduler, "ipvs-scheduler", "", usage["ipvs-scheduler"])
	flags.BoolVar(&s.untracked, "untracked-pods", false, usage["untracked-pods"])
	flags.BoolVar(&s.direct, "direct-pods", false, usage["direct-pods"])
	flags.BoolVar(&s.atInterfaces, "policies-at-interfaces", false, usage["policies-at-interfaces"])
	flags.StringVar(&s.policyDeny, "policy-deny", "", usage["policy-deny"])
	flags.StringVar(&s.l7, "l7", "", usage["l7"])
	flags.StringVar(&s.policyTiers, "policy-tiers", "", usage["policy-tiers"])
	flags.StringVar(&s.bgp, "bgp", "", usage["bgp"])
	flags.BoolVar(&s.bgpPasswords, "bgp-passwords", false, usage["bgp-passwords"])
	flags.StringVar(&s.fqdnFile, "fqdn-file", "", "addresses of the DNS names in policies, as hosts(5) or as dig +noall +answer prints them; a name without any is closed")
	flags.BoolVar(&s.failClosed, "fail-closed", false, usage["fail-closed"])
	flags.StringVar(&s.clusterName, "cluster-name", "", usage["cluster-name"])
	flags.StringVar(&s.importCIDR, "service-import-cidr", "", usage["service-import-cidr"])
	flags.StringVar(&s.externalIPs, "external-ips", "", usage["external-ips"])
	flags.StringVar(&s.podRoutes, "pod-routes", "", usage["pod-routes"])
	flags.StringVar(&s.podRoutesSubnets, "pod-routes-subnets", "", usage["pod-routes-subnets"])
	flags.IntVar(&s.podRoutesMTU, "pod-routes-mtu", 0, usage["pod-routes-mtu"])
	flags.IntVar(&s.podRoutesVNI, "pod-routes-vni", 0, usage["pod-routes-vni"])
	flags.IntVar(&s.podRoutesPort, "pod-routes-port", 0, usage["pod-routes-port"])
	flags.StringSliceVar(&s.localAddresses, "local-address", nil, usage["local-address"])
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
	if s.fqdnFile != "" {
		domains, err := nodeconfig.LoadDomains(s.fqdnFile)
		if err != nil {
			return c, nil, err
		}
		c.Config.Domains = domains
	}
	for _, o := range s.overrides(&c) {
		if !s.flags.Changed(o.flag) {
			continue
		}
		if err := o.apply(); err != nil {
			return c, nil, fmt.Errorf("--%s: %w", o.flag, err)
		}
	}
	said, err := s.useNetwork(&c)
	if err != nil {
		return c, nil, err
	}
	return c, append(diags, said...), nil
}

// Origins returns where each setting comes from that is no default, by the name of its field
// in a NodeConfig. One of a flag has no file.
func (s *Flags) Origins() (map[string]ir.Origin, error) {
	out := make(map[string]ir.Origin)
	if s.config != "" {
		places, err := nodeconfig.Places(s.config)
		if err != nil {
			return nil, err
		}
		out = places
	}
	if s.masqConfig != "" {
		out["masqAgent"] = ir.Origin{File: s.masqConfig}
	}
	if s.fqdnFile != "" {
		out["domains"] = ir.Origin{File: s.fqdnFile}
	}
	for _, x := range nodeconfig.Settings() {
		if f := s.flags.Lookup(x.Flag); f != nil && f.Changed {
			out[x.Name] = ir.Origin{}
		}
	}
	return out, nil
}

// PodRoutes reports whether the flags or the file ask for pod routes. A wrong file says no.
func (s *Flags) PodRoutes() bool {
	c, _, err := s.Read()
	return err == nil && c.PodRoutes.Mode != podnet.Off
}

// Files returns the files in the flags.
func (s *Flags) Files() []string {
	var files []string
	for _, f := range []string{s.config, s.masqConfig, s.fqdnFile} {
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
		{"cni", set(&c.CNI, nodeconfig.ParseCNI, s.cni)},
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
		{"direct-pods", func() error {
			c.DirectPods = s.direct
			return nil
		}},
		{"policy-deny", set(&cfg.OnDeny, nodeconfig.ParseRefusal, s.policyDeny)},
		{"l7", set(&cfg.OnRedirect, nodeconfig.ParseL7, s.l7)},
		{"policy-tiers", set(&cfg.SeparatePolicies, nodeconfig.ParsePolicyTiers, s.policyTiers)},
		{"bgp", set(&c.BGP, nodeconfig.ParseBGP, s.bgp)},
		{"bgp-passwords", func() error {
			c.BGPPasswords = s.bgpPasswords
			return nil
		}},
		{"cluster-name", set(&cfg.ClusterName, nodeconfig.ParseClusterName, s.clusterName)},
		{"service-import-cidr", set(&cfg.ImportCIDRs, nodeconfig.ParseCIDRs, s.importCIDR)},
		{"external-ips", set(&cfg.ExternalIPs, nodeconfig.ParseExternalIPs, s.externalIPs)},
		{"fail-closed", func() error {
			cfg.FailClosed = s.failClosed
			return nil
		}},
		{"pod-routes", set(&c.PodRoutes.Mode, podnet.ParseMode, s.podRoutes)},
		{"pod-routes-subnets", set(&c.PodRoutes.Subnets, nodeconfig.ParseCIDRs, s.podRoutesSubnets)},
		{"pod-routes-mtu", number(&c.PodRoutes.MTU, podnet.CheckMTU, s.podRoutesMTU)},
		{"pod-routes-vni", number(&c.PodRoutes.VNI, podnet.CheckVNI, s.podRoutesVNI)},
		{"pod-routes-port", number(&c.PodRoutes.Port, podnet.CheckPort, s.podRoutesPort)},
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

// number returns the effect of a flag that sets a number.
func number(field *int, check func(int) error, given int) func() error {
	return func() error {
		*field = given
		return check(given)
	}
}
