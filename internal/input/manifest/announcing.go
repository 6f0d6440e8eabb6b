//go:build !js

package manifest

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
)

// withAnnouncing adds the kinds that say who announces addresses.
func withAnnouncing(kinds []knownKind) []knownKind {
	cilium := func(kind string) knownKind {
		return knownKind{kind, ciliumv2.Group, []string{ciliumv2.Version, ciliumv2.Alpha}, ""}
	}
	metalLB := func(kind string, versions ...string) knownKind {
		return knownKind{kind, metallbv1beta1.Group, append(versions, metallbv1beta1.Version), ""}
	}
	return append(kinds,
		metalLB(metallbv1beta1.KindBGPPeer, metallbv1beta1.PeerVersion), metalLB(metallbv1beta1.KindBGPAdvertisement),
		metalLB(metallbv1beta1.KindCommunity), metalLB(metallbv1beta1.KindBFDProfile), metalLB(metallbv1beta1.KindL2Advertisement),
		cilium(ciliumv2.KindBGPClusterConfig), cilium(ciliumv2.KindBGPPeerConfig),
		cilium(ciliumv2.KindBGPAdvertisement), cilium(ciliumv2.KindBGPNodeConfigOverride),
		knownKind{ciliumv2.KindL2AnnouncementPolicy, ciliumv2.Group, []string{ciliumv2.Alpha}, ""},
	)
}

// isAnnouncing reports whether the kind says who announces addresses.
func (t typeMeta) isAnnouncing() bool { return newAnnouncing(t) != nil }

// newAnnouncing returns a value of the Go type of such a kind, or nil.
func newAnnouncing(m typeMeta) any {
	switch m.group() {
	case metallbv1beta1.Group:
		return map[string]any{
			metallbv1beta1.KindBGPPeer: metallbv1beta1.BGPPeer{}, metallbv1beta1.KindBGPAdvertisement: metallbv1beta1.BGPAdvertisement{},
			metallbv1beta1.KindCommunity: metallbv1beta1.Community{}, metallbv1beta1.KindBFDProfile: metallbv1beta1.BFDProfile{},
			metallbv1beta1.KindL2Advertisement: metallbv1beta1.L2Advertisement{},
		}[m.kind]
	case ciliumv2.Group:
		return map[string]any{
			ciliumv2.KindBGPClusterConfig: ciliumv2.BGPClusterConfig{}, ciliumv2.KindBGPPeerConfig: ciliumv2.BGPPeerConfig{},
			ciliumv2.KindBGPAdvertisement: ciliumv2.BGPAdvertisement{}, ciliumv2.KindBGPNodeConfigOverride: ciliumv2.BGPNodeConfigOverride{},
			ciliumv2.KindL2AnnouncementPolicy: ciliumv2.L2AnnouncementPolicy{},
		}[m.kind]
	}
	return nil
}

// announcing decodes an object that says who announces addresses.
func (d *decoder) announcing(out *outcome, t *text, meta typeMeta) {
	s := &out.set.Announcing
	switch kind := meta.kind; kind {
	case metallbv1beta1.KindBGPPeer:
		readInto(d, out, t, kind, &s.MetalLBPeers, namespaced, isSubdomain, (*decoder).metalLBPeer)
	case metallbv1beta1.KindBGPAdvertisement:
		readInto(d, out, t, kind, &s.MetalLBAdvertisements, namespaced, isSubdomain, (*decoder).metalLBAdvertisement)
	case metallbv1beta1.KindCommunity:
		readInto(d, out, t, kind, &s.MetalLBCommunities, namespaced, isSubdomain, (*decoder).metalLBCommunity)
	case metallbv1beta1.KindBFDProfile:
		readInto(d, out, t, kind, &s.MetalLBBFDProfiles, namespaced, isSubdomain, (*decoder).metalLBBFDProfile)
	case metallbv1beta1.KindL2Advertisement:
		readInto(d, out, t, kind, &s.L2Advertisements, namespaced, isSubdomain, (*decoder).l2Advertisement)
	case ciliumv2.KindL2AnnouncementPolicy:
		readInto(d, out, t, kind, &s.CiliumL2Policies, clusterScoped, isSubdomain, (*decoder).l2Policy)
	case ciliumv2.KindBGPClusterConfig:
		readInto(d, out, t, kind, &s.CiliumBGPClusters, clusterScoped, isSubdomain, (*decoder).ciliumBGPCluster)
	case ciliumv2.KindBGPPeerConfig:
		readInto(d, out, t, kind, &s.CiliumBGPPeers, clusterScoped, isSubdomain, (*decoder).ciliumBGPPeer)
	case ciliumv2.KindBGPAdvertisement:
		readInto(d, out, t, kind, &s.CiliumBGPAdvertisements, clusterScoped, isSubdomain, (*decoder).ciliumBGPAdvertisement)
	case ciliumv2.KindBGPNodeConfigOverride:
		readInto(d, out, t, kind, &s.CiliumBGPOverrides, clusterScoped, isSubdomain, (*decoder).ciliumBGPOverride)
	}
}

// finishAnnouncing returns the object to keep, or nil if it is of another kind.
func (d *decoder) finishAnnouncing(o metav1.Object) metav1.Object {
	switch o := o.(type) {
	case *metallbv1beta1.BGPPeer:
		return d.metalLBPeer(o)
	case *metallbv1beta1.BGPAdvertisement:
		return d.metalLBAdvertisement(o)
	case *metallbv1beta1.Community:
		return d.metalLBCommunity(o)
	case *metallbv1beta1.BFDProfile:
		return d.metalLBBFDProfile(o)
	case *metallbv1beta1.L2Advertisement:
		return d.l2Advertisement(o)
	case *ciliumv2.L2AnnouncementPolicy:
		return d.l2Policy(o)
	case *ciliumv2.BGPClusterConfig:
		return d.ciliumBGPCluster(o)
	case *ciliumv2.BGPPeerConfig:
		return d.ciliumBGPPeer(o)
	case *ciliumv2.BGPAdvertisement:
		return d.ciliumBGPAdvertisement(o)
	case *ciliumv2.BGPNodeConfigOverride:
		return d.ciliumBGPOverride(o)
	}
	return nil
}

func (d *decoder) metalLBPeer(p *metallbv1beta1.BGPPeer) *metallbv1beta1.BGPPeer {
	return &metallbv1beta1.BGPPeer{ObjectMeta: d.meta(&p.ObjectMeta), Spec: p.Spec}
}

func (d *decoder) metalLBAdvertisement(a *metallbv1beta1.BGPAdvertisement) *metallbv1beta1.BGPAdvertisement {
	return &metallbv1beta1.BGPAdvertisement{ObjectMeta: d.meta(&a.ObjectMeta), Spec: a.Spec}
}

func (d *decoder) metalLBCommunity(c *metallbv1beta1.Community) *metallbv1beta1.Community {
	return &metallbv1beta1.Community{ObjectMeta: d.meta(&c.ObjectMeta), Spec: c.Spec}
}

func (d *decoder) metalLBBFDProfile(p *metallbv1beta1.BFDProfile) *metallbv1beta1.BFDProfile {
	return &metallbv1beta1.BFDProfile{ObjectMeta: d.meta(&p.ObjectMeta), Spec: p.Spec}
}

func (d *decoder) ciliumBGPCluster(c *ciliumv2.BGPClusterConfig) *ciliumv2.BGPClusterConfig {
	return &ciliumv2.BGPClusterConfig{ObjectMeta: d.meta(&c.ObjectMeta), Spec: c.Spec}
}

func (d *decoder) ciliumBGPPeer(c *ciliumv2.BGPPeerConfig) *ciliumv2.BGPPeerConfig {
	return &ciliumv2.BGPPeerConfig{ObjectMeta: d.meta(&c.ObjectMeta), Spec: c.Spec}
}

func (d *decoder) ciliumBGPAdvertisement(a *ciliumv2.BGPAdvertisement) *ciliumv2.BGPAdvertisement {
	return &ciliumv2.BGPAdvertisement{ObjectMeta: d.meta(&a.ObjectMeta), Spec: a.Spec}
}

func (d *decoder) ciliumBGPOverride(o *ciliumv2.BGPNodeConfigOverride) *ciliumv2.BGPNodeConfigOverride {
	return &ciliumv2.BGPNodeConfigOverride{ObjectMeta: d.meta(&o.ObjectMeta), Spec: o.Spec}
}

func (d *decoder) l2Advertisement(a *metallbv1beta1.L2Advertisement) *metallbv1beta1.L2Advertisement {
	return &metallbv1beta1.L2Advertisement{ObjectMeta: d.meta(&a.ObjectMeta), Spec: a.Spec}
}

func (d *decoder) l2Policy(p *ciliumv2.L2AnnouncementPolicy) *ciliumv2.L2AnnouncementPolicy {
	return &ciliumv2.L2AnnouncementPolicy{ObjectMeta: d.meta(&p.ObjectMeta), Spec: p.Spec}
}
