package nodeconfig

import (
	"net/netip"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/planec/planec/compiler/objects"
)

// own reads planec's NodeConfig.
func (r *reader) own(root *yaml.Node) NodeConfig {
	o := r.object(root, "")
	o.ignore("apiVersion", "kind", "metadata")
	c := Default()
	c.Node = o.get("node").nodeName()
	c.Config.ClusterCIDRs = o.get("clusterCIDR").clusterCIDRs()
	c.Config.ServiceCIDRs = parsedItems(o.get("serviceCIDR"), ParseCIDR)
	c.Config.NodePortAddresses = o.get("nodePortAddresses").nodePortAddresses()
	c.Config.DetectLocal = parsed(o.get("detectLocal"), ParseDetectLocal)
	c.Config.MasqueradeAll = o.get("masqueradeAll").bool()
	c.Config.TCPBeLiberal = o.get("tcpBeLiberal").bool()
	c.Config.LocalAddresses = parsedItems(o.get("localAddresses"), parseAddress)
	c.MasqueradeBit = o.get("masqueradeBit").masqueradeBit()
	c.Scheduler = o.get("ipvsScheduler").scheduler()
	c.UntrackedPods = o.get("untrackedPods").bool()
	c.PoliciesAtInterfaces = o.get("policiesAtInterfaces").bool()
	c.DirectPods = o.get("directPods").bool()
	c.Config.OnDeny = parsed(o.get("policyDeny"), ParseRefusal)
	c.Config.OnRedirect = parsed(o.get("l7"), ParseL7)
	c.Config.SeparatePolicies = parsed(o.get("policyTiers"), ParsePolicyTiers)
	c.Config.Domains = o.get("domains").domains()
	c.Config.FailClosed = o.get("failClosed").bool()
	c.CNI = parsed(o.get("cni"), ParseCNI)
	c.BGP = parsed(o.get("bgp"), ParseBGP)
	c.BGPPasswords = o.get("bgpPasswords").bool()
	c.Config.ClusterName = parsed(o.get("clusterName"), ParseClusterName)
	c.Config.ImportCIDRs = parsedItems(o.get("serviceImportCIDR"), ParseCIDR)
	c.Config.ExternalIPs = o.get("externalIPs").externalIPs()
	if masq := o.get("masqAgent"); masq.isSet() {
		c.Config.Masquerade = masq.masquerade()
	}
	c.PodRoutes = o.podRoutes()
	o.done()
	return c
}

// parsed parses a string; one that is missing or empty gives the zero value.
func parsed[T any](v value, parse func(string) (T, error)) (out T) {
	s := v.string()
	if s == "" {
		return out
	}
	out, err := parse(s)
	if err != nil {
		v.fail("%v", err)
	}
	return out
}

// parsedItems parses the strings of a list, and leaves wrong ones out.
func parsedItems[T any](v value, parse func(string) (T, error)) []T {
	var out []T
	for _, item := range v.strings(true) {
		x, err := parse(item.node.Value)
		if err != nil {
			item.fail("%v", err)
			continue
		}
		out = append(out, x)
	}
	return out
}

func (v value) clusterCIDRs() []netip.Prefix {
	cidrs := parsedItems(v, ParseCIDR)
	if err := onePerFamily(cidrs); err != nil {
		v.fail("%v", err)
	}
	return cidrs
}

func (v value) nodePortAddresses() objects.NodePortAddresses {
	var p nodePortParser
	for _, item := range v.strings(true) {
		if err := p.add(item.node.Value); err != nil {
			item.fail("%v", err)
		}
	}
	return p.out
}

func (v value) masqueradeBit() int {
	if !v.isSet() {
		return Default().MasqueradeBit
	}
	bit := v.int()
	if err := CheckMasqueradeBit(bit); err != nil {
		v.fail("%v", err)
	}
	return bit
}

func (v value) scheduler() string {
	s := v.string()
	if err := CheckScheduler(s); err != nil {
		v.fail("%v", err)
	}
	return s
}

func (v value) externalIPs() objects.ExternalIPs {
	if !v.isSet() {
		return objects.ExternalIPs{}
	}
	var words []string
	for _, item := range v.strings(true) {
		words = append(words, item.node.Value)
	}
	e, err := ParseExternalIPs(strings.Join(words, ","))
	if err != nil {
		v.fail("%v", err)
	}
	return e
}
