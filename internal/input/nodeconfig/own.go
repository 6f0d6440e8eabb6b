package nodeconfig

import (
	"net/netip"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// own reads planec's NodeConfig.
func (r *reader) own(root *yaml.Node) NodeConfig {
	o := r.object(root, "")
	o.ignore("apiVersion", "kind", "metadata")
	c := Default()
	c.Node = o.get("node").nodeName()
	c.Config.ClusterCIDRs = o.get("clusterCIDR").clusterCIDRs()
	c.Config.ServiceCIDRs = o.get("serviceCIDR").cidrs()
	c.Config.NodePortAddresses = o.get("nodePortAddresses").nodePortAddresses()
	c.Config.DetectLocal = o.get("detectLocal").detectLocal()
	c.Config.MasqueradeAll = o.get("masqueradeAll").bool()
	c.Config.TCPBeLiberal = o.get("tcpBeLiberal").bool()
	c.Config.LocalAddresses = o.get("localAddresses").addresses()
	c.MasqueradeBit = o.get("masqueradeBit").masqueradeBit()
	c.Scheduler = o.get("ipvsScheduler").scheduler()
	c.Config.OnDeny = o.get("policyDeny").refusal()
	c.Config.FailClosed = o.get("failClosed").bool()
	c.Config.ExternalIPs = o.get("externalIPs").externalIPs()
	if masq := o.get("masqAgent"); masq.isSet() {
		c.Config.Masquerade = masq.masquerade()
	}
	o.done()
	return c
}

func (v value) cidrs() []netip.Prefix {
	var out []netip.Prefix
	for _, item := range v.strings(true) {
		p, err := ParseCIDR(item.node.Value)
		if err != nil {
			item.fail("%v", err)
			continue
		}
		out = append(out, p)
	}
	return out
}

func (v value) clusterCIDRs() []netip.Prefix {
	cidrs := v.cidrs()
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

func (v value) detectLocal() objects.DetectLocal {
	s := v.string()
	if s == "" {
		return objects.DetectLocal{}
	}
	d, err := ParseDetectLocal(s)
	if err != nil {
		v.fail("%v", err)
	}
	return d
}

func (v value) addresses() []netip.Addr {
	var out []netip.Addr
	for _, item := range v.strings(true) {
		a, err := parseAddress(item.node.Value)
		if err != nil {
			item.fail("%v", err)
			continue
		}
		out = append(out, a)
	}
	return out
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

func (v value) refusal() ir.Refusal {
	s := v.string()
	if s == "" {
		return 0
	}
	r, err := ParseRefusal(s)
	if err != nil {
		v.fail("%v", err)
	}
	return r
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
