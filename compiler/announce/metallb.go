package announce

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/bgp"
	"github.com/planec/planec/ir/diag"
)

// readMetalLB reads BGPPeers, what is announced to them, and BFD profiles.
func (c *Cluster) readMetalLB(set *objects.Set) {
	for _, p := range set.MetalLBBFDProfiles {
		c.bgp.profiles[p.Object.Name] = c.profile(p)
	}
	peers := slices.Clone(set.MetalLBPeers)
	slices.SortFunc(peers, objects.CompareFirst)
	byName := make(map[string][]*peer)
	for _, src := range peers {
		if p := c.metalLBPeer(src); p != nil {
			c.bgp.peers = append(c.bgp.peers, p)
			byName[p.Name] = append(byName[p.Name], p)
		}
	}
	adverts := slices.Clone(set.MetalLBAdvertisements)
	slices.SortFunc(adverts, objects.CompareFirst)
	pools, aliases := poolLabels(set), c.aliases(set)
	for _, src := range adverts {
		a, at := c.metalLBAdvert(src, pools, aliases), objects.Origin(metallbv1beta1.KindBGPAdvertisement, src)
		if a == nil {
			continue
		}
		to := c.metalLBPeersOf(src.Object.Spec.Peers, byName, at)
		for _, p := range to {
			for _, f := range p.Families {
				p.adverts[f] = append(p.adverts[f], a)
			}
		}
	}
}

// metalLBPeersOf returns the peers that an advertisement names, all if it names none.
func (c *Cluster) metalLBPeersOf(names []string, byName map[string][]*peer, at ir.Origin) (out []*peer) {
	if len(names) == 0 {
		return c.bgp.peers // Cilium's are read later
	}
	seen := make(map[string]bool)
	for i, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		if len(byName[name]) == 0 {
			c.diags.Add(diag.BadBGP, at.At(fmt.Sprintf("spec.peers[%d]", i)), fmt.Sprintf("there is no BGPPeer %q that can be used", clip(name)))
		}
		out = append(out, byName[name]...)
	}
	return out
}

// metalLBPeer reads a peer as MetalLB does (peerFromCR in internal/config/config.go), or returns
// nil if there is none to connect to.
func (c *Cluster) metalLBPeer(src objects.Sourced[*metallbv1beta1.BGPPeer]) *peer {
	o, at := src.Object, objects.Origin(metallbv1beta1.KindBGPPeer, src)
	s := &o.Spec
	refuse := func(path, text string) *peer {
		c.diags.Add(diag.BadBGP, at.At(path), text+": the neighbor is left out")
		return nil
	}
	p := &peer{adverts: make(map[ir.Family][]*advert), nodes: c.nodesOf(s.NodeSelectors, at, "spec.nodeSelectors")}
	p.Name, p.Origin = o.Name, at
	p.Address = c.addr(s.Address, at.At("spec.peerAddress"))
	name, ok := c.link(s.Interface, at.At("spec.interface"))
	p.Interface = name
	vrf, vrfOK := c.word(s.VRFName, at.At("spec.vrf"))
	p.vrf = vrf
	switch {
	case s.Address != "" && s.Interface != "":
		return refuse("spec.interface", "peerAddress and interface are both given")
	case !p.Address.IsValid() && s.Address != "", !ok:
		return nil // which was said
	case s.Address == "" && s.Interface == "":
		return refuse("spec.peerAddress", "no address and no interface is given")
	case !vrfOK:
		return refuse("spec.vrf", "the VRF cannot be named")
	case s.MyASN < 1 || s.MyASN > maxASN:
		return refuse("spec.myASN", fmt.Sprintf("%d is no AS number", s.MyASN))
	case s.ASN < 0 || s.ASN > maxASN || s.LocalASN < 0 || s.LocalASN > maxASN:
		return refuse("spec.peerASN", "an AS number is not between 1 and 4294967295")
	case s.ASN != 0 && s.DynamicASN != "":
		return refuse("spec.dynamicASN", "peerASN and dynamicASN are both given")
	case s.ASN == 0 && s.DynamicASN != "internal" && s.DynamicASN != "external":
		return refuse("spec.peerASN", "neither peerASN nor a dynamicASN (internal, external) is given")
	}
	p.asn, p.Remote, p.External, p.LocalAS = uint32(s.MyASN), uint32(s.ASN), s.DynamicASN == "external", uint32(s.LocalASN)
	if s.LocalASN == s.MyASN {
		p.LocalAS = 0
	}
	p.Source, p.routerID = c.addr(s.SrcAddress, at.At("spec.sourceAddress")), c.routerID(s.RouterID, at.At("spec.routerID"))
	p.Port = uint16(c.number(s.Port, 0, 65535, at.At("spec.peerPort")))
	p.GracefulRestart = s.EnableGracefulRestart
	if s.EBGPMultiHop && p.Remote != p.asn {
		p.TTL = maxTTL
	}
	c.metalLBTimers(p, s, at)
	c.metalLBSecrets(p, o, at)
	p.BFD = c.bfdOf(s.BFDProfile, at)
	p.Families = []ir.Family{ir.FamilyOf(p.Address)}
	if p.Interface != "" || s.DualStackAddressFamily {
		p.Families = ir.Families()
	}
	return p
}

func (c *Cluster) metalLBSecrets(p *peer, o *metallbv1beta1.BGPPeer, at ir.Origin) {
	s := &o.Spec
	if s.PasswordSecret.Name != "" {
		p.PasswordFrom = "Secret " + objects.Name{Namespace: o.Namespace, Name: s.PasswordSecret.Name}.String()
		c.diags.Add(diag.BGPPassword, at.At("spec.passwordSecret"), "the password is in a Secret, which planec does not read")
		return
	}
	password, fine := c.password(string(s.Password), at.At("spec.password"))
	if p.Password = password; !fine {
		p.nodes = func(*Node) bool { return false }
	}
}

// password returns a password that FRR can have: of printable letters, and of at most 80 bytes
// (TCP_MD5SIG_MAXKEYLEN of Linux). Another one is said, and no session without one is made.
func (c *Cluster) password(text string, at ir.Origin) (_ string, fine bool) {
	const most = 80
	ok := len(text) <= most
	for _, b := range []byte(text) {
		ok = ok && b > ' ' && b < 0x7f
	}
	if !ok {
		c.diags.Add(diag.BadBGP, at, fmt.Sprintf("the password is longer than %d bytes, or has others than printable ASCII without spaces: the neighbor is left out", most))
		return "", false
	}
	return text, true
}

// metalLBTimers reads the times of a peer (parseTimers in internal/config/config.go).
func (c *Cluster) metalLBTimers(p *peer, s *metallbv1beta1.BGPPeerSpec, at ir.Origin) {
	hold, holdOK := c.seconds(s.HoldTime, at.At("spec.holdTime"))
	keep, keepOK := c.seconds(s.KeepaliveTime, at.At("spec.keepaliveTime"))
	p.Hold, p.Keepalive = -1, -1
	switch {
	case holdOK && keepOK:
		p.Hold, p.Keepalive = hold, keep
	case holdOK:
		p.Hold, p.Keepalive = hold, hold/3
	case keepOK:
		p.Hold, p.Keepalive = min(keep*3, 65535), keep
	}
	if p.Hold == 1 || p.Hold == 2 || p.Keepalive > p.Hold {
		c.diags.Add(diag.BadBGP, at.At("spec.holdTime"), "the hold time must be 0 or at least 3 seconds, and the keepalive time no longer: FRR's own times are used")
		p.Hold, p.Keepalive = -1, -1
	}
	if connect, ok := c.seconds(s.ConnectTime, at.At("spec.connectTime")); ok && connect > 0 {
		p.Connect = connect
	}
}

// seconds reads a duration in whole seconds.
func (c *Cluster) seconds(text string, at ir.Origin) (int, bool) {
	if text == "" {
		return 0, false
	}
	var d metav1.Duration
	err := json.Unmarshal([]byte(strconv.Quote(text)), &d)
	if s := d.Seconds(); err == nil && s >= 0 && s <= 65535 {
		return int(s), true
	}
	c.diags.Add(diag.BadBGP, at, fmt.Sprintf("%q is no duration of 0 to 65535 seconds: it is left out", clip(text)))
	return 0, false
}

func (c *Cluster) routerID(text string, at ir.Origin) netip.Addr {
	a := c.addr(text, at)
	if a.IsValid() && !a.Is4() {
		c.diags.Add(diag.BadBGP, at, fmt.Sprintf("%q is no IPv4 address: it is left out", clip(text)))
		return netip.Addr{}
	}
	return a
}

// bfdOf returns the name of a profile that there is.
func (c *Cluster) bfdOf(name string, at ir.Origin) string {
	if name == "" {
		return ""
	}
	if _, known := c.bgp.profiles[name]; !known {
		c.diags.Add(diag.BadBGP, at.At("spec.bfdProfile"), fmt.Sprintf("there is no BFDProfile %q that can be used: the neighbor has no BFD", clip(name)))
		return ""
	}
	return name
}

// profile reads a BFD profile (bfdProfileFromCR in internal/config/config.go).
func (c *Cluster) profile(src objects.Sourced[*metallbv1beta1.BFDProfile]) bgp.Profile {
	s, at := &src.Object.Spec, objects.Origin(metallbv1beta1.KindBFDProfile, src)
	number := func(n *int64, low, high int64, field string) uint32 {
		if n == nil {
			return 0
		}
		return uint32(c.number(*n, low, high, at.At("spec."+field)))
	}
	return bgp.Profile{
		Name:     src.Object.Name,
		Receive:  number(s.ReceiveInterval, 10, 60000, "receiveInterval"),
		Transmit: number(s.TransmitInterval, 10, 60000, "transmitInterval"),
		Detect:   number(s.DetectMultiplier, 2, 255, "detectMultiplier"),
		Echo:     number(s.EchoInterval, 10, 60000, "echoInterval"),
		EchoMode: s.EchoMode != nil && *s.EchoMode, Passive: s.PassiveMode != nil && *s.PassiveMode,
		MinimumTTL: number(s.MinimumTTL, 1, 254, "minimumTtl"),
	}
}

// aliases returns the communities with names.
func (c *Cluster) aliases(set *objects.Set) map[string]bgp.Community {
	list := slices.Clone(set.MetalLBCommunities)
	slices.SortFunc(list, objects.CompareFirst)
	out := make(map[string]bgp.Community)
	for _, src := range list {
		at := objects.Origin(metallbv1beta1.KindCommunity, src)
		for i, a := range src.Object.Spec.Communities {
			path := at.At(fmt.Sprintf("spec.communities[%d]", i))
			value, err := parseMetalLB(a.Value)
			if err != nil {
				c.diags.Add(diag.BadBGP, path, "it is no community: "+diag.Printable(err.Error()))
				continue
			}
			if have, twice := out[a.Name]; twice {
				if have != value {
					c.diags.Add(diag.BGPConflict, path, fmt.Sprintf("the name %q stands for %s by an object that comes before: that one is used", clip(a.Name), have))
				}
				continue
			}
			out[a.Name] = value
		}
	}
	return out
}

// poolLabels are the labels of MetalLB's pools, by name.
func poolLabels(set *objects.Set) map[string]labels.Set {
	out := make(map[string]labels.Set)
	for _, p := range set.MetalLBPools {
		out[p.Object.Name] = p.Object.Labels
	}
	return out
}

// metalLBAdvert reads an advertisement (bgpAdvertisementFromCR in internal/config/config.go), or
// returns nil if it announces nothing.
func (c *Cluster) metalLBAdvert(src objects.Sourced[*metallbv1beta1.BGPAdvertisement], pools map[string]labels.Set, aliases map[string]bgp.Community) *advert {
	o, at := src.Object, objects.Origin(metallbv1beta1.KindBGPAdvertisement, src)
	s := &o.Spec
	lengths := [2]int{32, 128}
	for i, given := range []*int32{s.AggregationLength, s.AggregationLengthV6} {
		field := [...]string{"spec.aggregationLength", "spec.aggregationLengthV6"}[i]
		if given == nil {
			continue
		}
		if int(*given) > lengths[i] || int(*given) < shortest(i) {
			c.diags.Add(diag.BadBGP, at.At(field), fmt.Sprintf("%d is not between %d and %d: addresses are announced alone", *given, shortest(i), lengths[i]))
			continue
		}
		if len(s.ServiceSelectors) > 0 && int(*given) != lengths[i] {
			c.diags.Add(diag.BadBGP, at.At(field), "a network cannot be announced for selected Services only: addresses are announced alone")
			continue
		}
		lengths[i] = int(*given)
	}
	a := &advert{
		by: at.Object(), origin: at, nodes: c.nodesOf(s.NodeSelectors, at, "spec.nodeSelectors"),
		localPref: uint32(c.number(s.LocalPref, 0, maxASN, at.At("spec.localPref"))),
	}
	for i, text := range s.Communities {
		path := at.At(fmt.Sprintf("spec.communities[%d]", i))
		value, known := aliases[text]
		if !known {
			var err error
			if value, err = parseMetalLB(text); err != nil {
				c.diags.Add(diag.BadBGP, path, "there is no such community: "+diag.Printable(err.Error()))
				continue
			}
		}
		c.community(a, value, path)
	}
	c.metalLBSelect(a, s, lengths, at, pools)
	return a
}

// metalLBSelect finds the addresses of an advertisement: those of pools of MetalLB.
func (c *Cluster) metalLBSelect(a *advert, s *metallbv1beta1.BGPAdvertisementSpec, lengths [2]int, at ir.Origin, pools map[string]labels.Set) {
	services := c.anyOf(s.ServiceSelectors, at, "spec.serviceSelectors")
	anyPool := len(s.IPAddressPools)+len(s.IPAddressPoolSelectors) == 0
	inPools := make(map[string]bool)
	for i, name := range s.IPAddressPools {
		if _, known := pools[name]; !known {
			c.diags.Add(diag.BadBGP, at.At(fmt.Sprintf("spec.ipAddressPools[%d]", i)), fmt.Sprintf("there is no IPAddressPool %q", clip(name)))
		}
		inPools[name] = true
	}
	if len(s.IPAddressPoolSelectors) > 0 {
		matches := c.anyOf(s.IPAddressPoolSelectors, at, "spec.ipAddressPoolSelectors")
		for name, l := range pools {
			inPools[name] = inPools[name] || matches(l)
		}
	}
	wide := false
	for _, service := range c.services {
		if !c.balanced.Serves(service.Object) || !services(service.Object.Labels) {
			continue
		}
		for _, x := range service.Addresses {
			if x.Kind != LoadBalancerIP || x.Pool.Kind != metallbv1beta1.KindIPAddressPool || !anyPool && !inPools[x.Pool.Name.Name] {
				continue
			}
			prefix := network(x.Addr, lengths)
			if !prefix.IsSingleIP() && !c.pools.Covers(prefix) {
				wide, prefix = true, netip.PrefixFrom(x.Addr, x.Addr.BitLen())
			}
			a.selected = append(a.selected, selected{service, x, prefix})
		}
	}
	if wide {
		c.diags.Add(diag.BadBGP, at.At("spec.aggregationLength"), "a network of this length has addresses that no pool has: the addresses of Services in it are announced alone")
	}
	if x := a.attracted(); x != nil {
		c.diags.Add(diag.BGPConflict, at.At("spec.aggregationLength"), fmt.Sprintf(
			"%s is announced for Service %s, whose externalTrafficPolicy is Local, and for other addresses: a node that announces it for those drops connections to %s while it has no endpoint of the Service; select pools without such Services, or announce addresses alone",
			x.prefix, x.service.Name, x.address.Addr))
	}
}

// attracted returns the first address of a Service with a Local policy in a network that is
// announced for another address, too, or nil.
func (a *advert) attracted() *selected {
	first := make(map[netip.Prefix]netip.Addr)
	shared := make(map[netip.Prefix]bool)
	for i := range a.selected {
		x := &a.selected[i]
		if one, seen := first[x.prefix]; !seen {
			first[x.prefix] = x.address.Addr
		} else if one != x.address.Addr {
			shared[x.prefix] = true
		}
	}
	i := slices.IndexFunc(a.selected, func(x selected) bool { return shared[x.prefix] && x.service.IsLocal(x.address.Kind) })
	if i < 0 {
		return nil
	}
	return &a.selected[i]
}

// shortest is the length of the largest network of a family, IPv4 first, that is announced: larger
// ones were given to no network but by a slip, and would attract what is not the cluster's.
func shortest(family int) int { return [...]int{8, 16}[family] }

// network returns the network of an address with the length of its family.
func network(a netip.Addr, lengths [2]int) netip.Prefix {
	bits := lengths[0]
	if a.Is6() {
		bits = lengths[1]
	}
	return netip.PrefixFrom(a, bits).Masked()
}
