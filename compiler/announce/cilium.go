package announce

import (
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/bgp"
	"github.com/planec/planec/ir/diag"
)

// ciliumReader reads the objects of Cilium.
type ciliumReader struct {
	*Cluster
	configs   map[string]objects.Sourced[*ciliumv2.BGPPeerConfig]
	overrides map[string]objects.Sourced[*ciliumv2.BGPNodeConfigOverride]
	adverts   []ciliumAdverts // in order
}

// ciliumAdverts are the advertisements of one object.
type ciliumAdverts struct {
	labels  labels.Set
	adverts []*advert
}

// readCilium reads CiliumBGPClusterConfigs and what they name. Where the configurations of
// several select a node, the first one counts, as Cilium's operator does.
func (c *Cluster) readCilium(set *objects.Set) {
	r := &ciliumReader{Cluster: c, configs: make(map[string]objects.Sourced[*ciliumv2.BGPPeerConfig]), overrides: make(map[string]objects.Sourced[*ciliumv2.BGPNodeConfigOverride])}
	for _, p := range set.CiliumBGPPeers {
		r.configs[p.Object.Name] = p
	}
	for _, o := range set.CiliumBGPOverrides {
		r.overrides[o.Object.Name] = o
	}
	list := slices.Clone(set.CiliumBGPAdvertisements)
	slices.SortFunc(list, objects.CompareFirst)
	for _, a := range list {
		r.adverts = append(r.adverts, r.advertisement(a))
	}
	clusters := slices.Clone(set.CiliumBGPClusters)
	slices.SortFunc(clusters, objects.CompareFirst)
	var before []func(*Node) bool
	for _, src := range clusters {
		at := objects.Origin(ciliumv2.KindBGPClusterConfig, src)
		matches := func(*Node) bool { return true }
		if s := src.Object.Spec.NodeSelector; s != nil {
			compiled := c.selector(s, at.At("spec.nodeSelector"))
			matches = func(n *Node) bool { return compiled.Matches(n.Labels) }
		}
		earlier := slices.Clone(before)
		only := func(n *Node) bool {
			return matches(n) && !slices.ContainsFunc(earlier, func(m func(*Node) bool) bool { return m(n) })
		}
		if slices.ContainsFunc(c.nodes, func(n *Node) bool { return matches(n) && !only(n) }) {
			c.diags.Add(diag.BGPConflict, at.At("spec.nodeSelector"), "a node that it selects is selected by another CiliumBGPClusterConfig, which comes before: that one counts there")
		}
		before = append(before, matches)
		for i := range src.Object.Spec.BGPInstances {
			r.instance(&src.Object.Spec.BGPInstances[i], only, at.At(fmt.Sprintf("spec.bgpInstances[%d]", i)))
		}
	}
}

// instance reads one router and its peers.
func (r *ciliumReader) instance(in *ciliumv2.BGPInstance, nodes func(*Node) bool, at ir.Origin) {
	if in.LocalPort != nil {
		r.diags.Add(diag.BGPUndone, at.At(at.Path+".localPort"), "the port that FRR listens on is an option of its daemon (bgpd -p), not of its configuration")
	}
	for i := range in.Peers {
		path := at.At(fmt.Sprintf("%s.peers[%d]", at.Path, i))
		p := r.peer(&in.Peers[i], path)
		if p == nil {
			continue
		}
		p.Name, p.nodes = in.Name+"/"+in.Peers[i].Name, nodes
		if in.LocalASN != nil {
			p.asn = uint32(r.number(*in.LocalASN, 1, maxASN, at.At(at.Path+".localASN")))
		}
		p.override = r.override(in.Name, in.Peers[i].Name)
		r.bgp.peers = append(r.bgp.peers, p)
	}
}

// override returns what nodes do otherwise for a peer of a router, by objects with their names.
func (r *ciliumReader) override(instance, name string) func(string, *peer) {
	return func(node string, p *peer) {
		src, there := r.overrides[node]
		if !there {
			return
		}
		for _, o := range src.Object.Spec.BGPInstances {
			if o.Name != instance {
				continue
			}
			if o.LocalASN != nil && *o.LocalASN >= 1 && *o.LocalASN <= maxASN {
				p.asn = uint32(*o.LocalASN)
			}
			if o.RouterID != nil {
				if a, err := netip.ParseAddr(*o.RouterID); err == nil && a.Is4() {
					p.routerID = a
				}
			}
			for _, x := range o.Peers {
				if x.Name != name || x.LocalAddress == nil {
					continue
				}
				if a, err := netip.ParseAddr(*x.LocalAddress); err == nil && a.Zone() == "" {
					p.Source = a.Unmap()
				}
			}
		}
	}
}

// peer reads a peer, or returns nil if there is none to connect to.
func (r *ciliumReader) peer(in *ciliumv2.BGPPeer, at ir.Origin) *peer {
	p := &peer{adverts: make(map[ir.Family][]*advert)}
	p.Origin, p.Hold, p.Keepalive, p.Connect = at, 90, 30, 120
	field := func(name string) ir.Origin { return at.At(at.Path + "." + name) }
	switch auto := in.AutoDiscovery; {
	case in.PeerAddress != nil && *in.PeerAddress != "":
		if p.Address = r.addr(*in.PeerAddress, field("peerAddress")); !p.Address.IsValid() {
			return nil
		}
	case auto != nil && auto.Mode == "Unnumbered" && auto.Unnumbered != nil && auto.Unnumbered.Interface != "":
		name, ok := r.link(auto.Unnumbered.Interface, field("autoDiscovery.unnumbered.interface"))
		if !ok {
			return nil
		}
		p.Interface = name
	case auto != nil:
		r.diags.Add(diag.BGPUndone, field("autoDiscovery"), "the address of the peer is not known before the node looks at its routes: the neighbor is left out; give peerAddress")
		return nil
	default:
		r.diags.Add(diag.BadBGP, field("peerAddress"), "no address is given: the neighbor is left out")
		return nil
	}
	switch {
	case in.PeerASN == nil || *in.PeerASN == 0:
		r.diags.Add(diag.BGPUndone, field("peerASN"), "FRR before version 10 does not take a neighbor of any AS: the neighbor is left out; give its number")
		return nil
	case *in.PeerASN < 0 || *in.PeerASN > maxASN:
		r.diags.Add(diag.BadBGP, field("peerASN"), fmt.Sprintf("%d is no AS number: the neighbor is left out", *in.PeerASN))
		return nil
	}
	p.Remote = uint32(*in.PeerASN)
	if in.PeerConfigRef == nil {
		p.Families = ir.Families()
		return p
	}
	config, there := r.configs[in.PeerConfigRef.Name]
	if !there {
		r.diags.Add(diag.BadBGP, field("peerConfigRef.name"), fmt.Sprintf("there is no CiliumBGPPeerConfig %q that can be used: the neighbor is left out", clip(in.PeerConfigRef.Name)))
		return nil
	}
	r.configure(p, config)
	return p
}

// configure reads what a peer has of a CiliumBGPPeerConfig.
func (r *ciliumReader) configure(p *peer, src objects.Sourced[*ciliumv2.BGPPeerConfig]) {
	s, at := &src.Object.Spec, objects.Origin(ciliumv2.KindBGPPeerConfig, src)
	if s.Transport != nil && s.Transport.PeerPort != nil {
		p.Port = uint16(r.number(*s.Transport.PeerPort, 0, 65535, at.At("spec.transport.peerPort")))
	}
	if s.EBGPMultihop != nil && *s.EBGPMultihop != 1 {
		p.TTL = int(r.number(*s.EBGPMultihop, 2, maxTTL, at.At("spec.ebgpMultihop")))
	}
	r.timers(p, s.Timers, at)
	if g := s.GracefulRestart; g != nil {
		p.GracefulRestart = g.Enabled
	}
	if s.AuthSecretRef != nil && *s.AuthSecretRef != "" {
		p.PasswordFrom = "Secret " + clip(*s.AuthSecretRef)
		r.diags.Add(diag.BGPPassword, at.At("spec.authSecretRef"), "the password is in a Secret, which planec does not read")
	}
	if len(s.Families) == 0 {
		p.Families = ir.Families()
	}
	for i, f := range s.Families {
		family, known := map[string]ir.Family{"ipv4": ir.IPv4, "ipv6": ir.IPv6}[f.AFI]
		if !known || f.SAFI != "unicast" {
			r.diags.Add(diag.BGPUndone, at.At(fmt.Sprintf("spec.families[%d]", i)), fmt.Sprintf("routes of %q %q are not announced: only ipv4 and ipv6 unicast are", clip(f.AFI), clip(f.SAFI)))
			continue
		}
		if !slices.Contains(p.Families, family) {
			p.Families = append(p.Families, family)
		}
		if f.Advertisements == nil {
			continue
		}
		selects := r.selector(f.Advertisements, at.At(fmt.Sprintf("spec.families[%d].advertisements", i)))
		for _, a := range r.adverts {
			if selects.Matches(a.labels) {
				p.adverts[family] = append(p.adverts[family], a.adverts...)
			}
		}
	}
	slices.Sort(p.Families)
}

func (r *ciliumReader) timers(p *peer, t *ciliumv2.BGPTimers, at ir.Origin) {
	if t == nil {
		return
	}
	if n := t.ConnectRetryTimeSeconds; n != nil && *n != 0 {
		p.Connect = int(r.number(*n, 1, 65535, at.At("spec.timers.connectRetryTimeSeconds")))
	}
	if n := t.HoldTimeSeconds; n != nil && *n != 0 {
		p.Hold = int(r.number(*n, 3, 65535, at.At("spec.timers.holdTimeSeconds")))
	}
	if n := t.KeepAliveTimeSeconds; n != nil && *n != 0 {
		p.Keepalive = int(r.number(*n, 1, 65535, at.At("spec.timers.keepAliveTimeSeconds")))
	}
	if p.Keepalive > p.Hold || p.Hold == 0 || p.Keepalive == 0 {
		r.diags.Add(diag.BadBGP, at.At("spec.timers"), "the keepalive time is longer than the hold time: 30 and 90 seconds are used")
		p.Keepalive, p.Hold = 30, 90
	}
}

// advertisement reads what one object announces.
func (r *ciliumReader) advertisement(src objects.Sourced[*ciliumv2.BGPAdvertisement]) ciliumAdverts {
	out := ciliumAdverts{labels: src.Object.Labels}
	at := objects.Origin(ciliumv2.KindBGPAdvertisement, src)
	for i := range src.Object.Spec.Advertisements {
		in, path := &src.Object.Spec.Advertisements[i], at.At(fmt.Sprintf("spec.advertisements[%d]", i))
		a := &advert{by: at.Object(), origin: path, nodes: func(*Node) bool { return true }}
		r.attributes(a, in.Attributes, path)
		switch in.AdvertisementType {
		case "PodCIDR":
			a.podCIDRs = true
		case "Service":
			r.services(a, in, path)
		default:
			r.diags.Add(diag.BGPUndone, path.At(path.Path+".advertisementType"), fmt.Sprintf("%q is not announced: only Service and PodCIDR are", clip(in.AdvertisementType)))
			continue
		}
		out.adverts = append(out.adverts, a)
	}
	return out
}

// attributes reads the attributes of what is announced.
func (r *ciliumReader) attributes(a *advert, in *ciliumv2.BGPAttributes, at ir.Origin) {
	if in == nil {
		return
	}
	at = at.At(at.Path + ".attributes")
	if in.LocalPreference != nil {
		a.localPref = uint32(r.number(*in.LocalPreference, 0, maxASN, at.At(at.Path+".localPreference")))
	}
	if in.Communities == nil {
		return
	}
	for _, kind := range []struct {
		field string
		texts []string
		parse func(string) (bgp.Community, error)
	}{{"standard", in.Communities.Standard, parseStandard}, {"wellKnown", in.Communities.WellKnown, wellKnown}, {"large", in.Communities.Large, parseLarge}} {
		for i, text := range kind.texts {
			path := at.At(fmt.Sprintf("%s.communities.%s[%d]", at.Path, kind.field, i))
			value, err := kind.parse(text)
			if err != nil {
				r.diags.Add(diag.BadBGP, path, "it is no community: "+diag.Printable(err.Error()))
				continue
			}
			r.community(a, value, path)
		}
	}
}

// services finds the addresses of an advertisement of type Service
// (pkg/bgp/manager/reconciler/service.go).
func (r *ciliumReader) services(a *advert, in *ciliumv2.BGPAdvertised, at ir.Origin) {
	if in.Service == nil || len(in.Service.Addresses) == 0 {
		r.diags.Add(diag.BadBGP, at.At(at.Path+".service"), "no addresses are named: nothing is announced")
		return
	}
	if in.Selector == nil {
		r.diags.Add(diag.BadBGP, at.At(at.Path+".selector"), "an advertisement without a selector announces no Service; an empty selector announces all")
		return
	}
	selects := r.selector(in.Selector, at.At(at.Path+".selector"))
	kinds := make(map[Kind]bool)
	for i, text := range in.Service.Addresses {
		kind, known := map[string]Kind{"LoadBalancerIP": LoadBalancerIP, "ExternalIP": ExternalIP, "ClusterIP": ClusterIP}[text]
		if !known {
			r.diags.Add(diag.BadBGP, at.At(fmt.Sprintf("%s.service.addresses[%d]", at.Path, i)), fmt.Sprintf("%q is none of LoadBalancerIP, ExternalIP and ClusterIP", clip(text)))
		}
		kinds[kind] = known
	}
	lengths := [2]int{32, 128}
	for i, given := range []*int64{in.Service.AggregationLengthIPv4, in.Service.AggregationLengthIPv6} {
		if given == nil {
			continue
		}
		if *given < int64(shortest(i)) || *given > int64(lengths[i]) {
			r.diags.Add(diag.BadBGP, at.At(at.Path+".service"), fmt.Sprintf("the aggregation length %d is not between %d and %d: addresses are announced alone", *given, shortest(i), lengths[i]))
			continue
		}
		lengths[i] = int(*given)
	}
	for _, s := range r.Cluster.services {
		if !selects.Matches(s.special()) {
			continue
		}
		for _, x := range s.Addresses {
			if !kinds[x.Kind] || x.Kind == LoadBalancerIP && !s.ofCilium() {
				continue
			}
			prefix := netip.PrefixFrom(x.Addr, x.Addr.BitLen())
			if !s.IsLocal(x.Kind) {
				prefix = network(x.Addr, lengths)
			}
			a.selected = append(a.selected, selected{s, x, prefix})
		}
	}
}

// special are the labels of a Service with those that Cilium adds.
func (s *Service) special() labels.Set {
	out := make(labels.Set, len(s.Object.Labels)+2)
	for k, v := range s.Object.Labels {
		out[k] = v
	}
	out[ciliumv2.ServiceNamespaceKey], out[ciliumv2.ServiceNameKey] = s.Name.Namespace, s.Name.Name
	return out
}

// ofCilium reports whether Cilium announces the load balancer of a Service.
func (s *Service) ofCilium() bool {
	class := s.Object.Spec.LoadBalancerClass
	return class == nil || *class == ciliumv2.BGPLoadBalancerClass
}
