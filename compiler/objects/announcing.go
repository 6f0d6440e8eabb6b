package objects

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
)

// Announcing are the objects that say who announces addresses of Services to the network.
// The program of a page reads none of them: see announcing_js.go.
type Announcing struct {
	MetalLBPeers          []Sourced[*metallbv1beta1.BGPPeer] // v1beta2 and v1beta1
	MetalLBAdvertisements []Sourced[*metallbv1beta1.BGPAdvertisement]
	MetalLBCommunities    []Sourced[*metallbv1beta1.Community]
	MetalLBBFDProfiles    []Sourced[*metallbv1beta1.BFDProfile]
	L2Advertisements      []Sourced[*metallbv1beta1.L2Advertisement]

	CiliumBGPClusters       []Sourced[*ciliumv2.BGPClusterConfig] // each v2 and v2alpha1
	CiliumBGPPeers          []Sourced[*ciliumv2.BGPPeerConfig]
	CiliumBGPAdvertisements []Sourced[*ciliumv2.BGPAdvertisement]
	CiliumBGPOverrides      []Sourced[*ciliumv2.BGPNodeConfigOverride]
	CiliumL2Policies        []Sourced[*ciliumv2.L2AnnouncementPolicy] // v2alpha1
}

// AnnouncingKind is one kind of [Announcing] as its objects of any type.
type AnnouncingKind struct {
	Kind    string
	Objects []Sourced[metav1.Object]
}

// Kinds returns the objects of each kind, in the same order for all sets.
func (a *Announcing) Kinds() []AnnouncingKind {
	var out []AnnouncingKind
	for _, l := range a.lists() {
		k := AnnouncingKind{Kind: l.Kind()}
		for o := range l.All() {
			k.Objects = append(k.Objects, o)
		}
		out = append(out, k)
	}
	return out
}

// len is the number of objects.
func (a *Announcing) len() (n int) {
	for _, k := range a.Kinds() {
		n += len(k.Objects)
	}
	return n
}

// HasAnnouncing reports whether there are any of these objects.
func (s *Set) HasAnnouncing() bool { return s.Announcing.len() > 0 }

// append adds the objects of other.
func (a *Announcing) append(other *Announcing) {
	to := a.lists()
	for i, l := range other.lists() {
		for o := range l.All() {
			to[i].Add(o)
		}
	}
}
