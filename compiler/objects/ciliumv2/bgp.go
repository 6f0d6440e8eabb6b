package ciliumv2

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// The kinds of BGP. They have the same fields in v2 and v2alpha1.
const (
	KindBGPClusterConfig      = "CiliumBGPClusterConfig"
	KindBGPPeerConfig         = "CiliumBGPPeerConfig"
	KindBGPAdvertisement      = "CiliumBGPAdvertisement"
	KindBGPNodeConfigOverride = "CiliumBGPNodeConfigOverride"
)

// BGPLoadBalancerClass is the class of Services that Cilium announces by BGP, beside those
// without a class (pkg/k8s/apis/cilium.io/v2/bgp_advert_types.go).
const BGPLoadBalancerClass = "io.cilium/bgp-control-plane"

// BGPClusterConfig is a CiliumBGPClusterConfig: the routers of some nodes and whom they
// connect to. Source: pkg/k8s/apis/cilium.io/v2/bgp_cluster_types.go.
type BGPClusterConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              BGPClusterConfigSpec `json:"spec"`
	Status            map[string]any       `json:"status,omitempty"` // is not read
}

// BGPClusterConfigSpec has the routers. Numbers have more room than Cilium allows, so that
// one that is too large is one finding and not an object that is not read.
type BGPClusterConfigSpec struct {
	NodeSelector *metav1.LabelSelector `json:"nodeSelector,omitempty"` // nil is all nodes
	BGPInstances []BGPInstance         `json:"bgpInstances"`
}

// BGPInstance is one router of a node.
type BGPInstance struct {
	Name      string    `json:"name"`
	LocalASN  *int64    `json:"localASN,omitempty"`
	LocalPort *int64    `json:"localPort,omitempty"` // nil listens to no connections
	Peers     []BGPPeer `json:"peers,omitempty"`
}

// BGPPeer is whom a router connects to.
type BGPPeer struct {
	Name          string            `json:"name"`
	PeerAddress   *string           `json:"peerAddress,omitempty"`
	PeerASN       *int64            `json:"peerASN,omitempty"` // nil and 0 are any
	AutoDiscovery *BGPAutoDiscovery `json:"autoDiscovery,omitempty"`
	PeerConfigRef *PeerConfigRef    `json:"peerConfigRef,omitempty"`
}

// PeerConfigRef names a CiliumBGPPeerConfig. Group and Kind were fields of v2alpha1.
type PeerConfigRef struct {
	Group string `json:"group,omitempty"`
	Kind  string `json:"kind,omitempty"`
	Name  string `json:"name"`
}

// BGPAutoDiscovery finds the peer where its address is not given.
type BGPAutoDiscovery struct {
	Mode           string             `json:"mode"` // "DefaultGateway" or "Unnumbered"
	DefaultGateway *BGPDefaultGateway `json:"defaultGateway,omitempty"`
	Unnumbered     *BGPUnnumbered     `json:"unnumbered,omitempty"`
}

// BGPDefaultGateway is the node's default gateway of a family, "ipv4" or "ipv6".
type BGPDefaultGateway struct {
	AddressFamily string `json:"addressFamily"`
}

// BGPUnnumbered is a peer at an interface of the node.
type BGPUnnumbered struct {
	Interface string `json:"interface"`
}

// BGPPeerConfig is a CiliumBGPPeerConfig: what several peers have in common. Source:
// pkg/k8s/apis/cilium.io/v2/bgp_peer_types.go.
type BGPPeerConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              BGPPeerConfigSpec `json:"spec"`
	Status            map[string]any    `json:"status,omitempty"` // is not read
}

// BGPPeerConfigSpec says how nodes connect, and what they announce.
type BGPPeerConfigSpec struct {
	Transport       *BGPTransport       `json:"transport,omitempty"`
	Timers          *BGPTimers          `json:"timers,omitempty"`
	AuthSecretRef   *string             `json:"authSecretRef,omitempty"` // a Secret with the password
	GracefulRestart *BGPGracefulRestart `json:"gracefulRestart,omitempty"`
	EBGPMultihop    *int64              `json:"ebgpMultihop,omitempty"` // a TTL, 1 to 255; nil is 1
	Families        []BGPFamily         `json:"families,omitempty"`     // none is both families without routes
}

// BGPTransport has the port of the peer.
type BGPTransport struct {
	// LocalPort was a field of v2alpha1, and has no effect.
	LocalPort *int64 `json:"localPort,omitempty"`
	PeerPort  *int64 `json:"peerPort,omitempty"` // nil is 179
}

// BGPTimers are in seconds; nil is 120, 90 and 30.
type BGPTimers struct {
	ConnectRetryTimeSeconds *int64 `json:"connectRetryTimeSeconds,omitempty"`
	HoldTimeSeconds         *int64 `json:"holdTimeSeconds,omitempty"`
	KeepAliveTimeSeconds    *int64 `json:"keepAliveTimeSeconds,omitempty"`
}

// BGPGracefulRestart is of RFC 4724.
type BGPGracefulRestart struct {
	Enabled            bool   `json:"enabled"`
	RestartTimeSeconds *int64 `json:"restartTimeSeconds,omitempty"` // nil is 120
}

// BGPFamily is a family of routes, and which advertisements announce some.
type BGPFamily struct {
	AFI  string `json:"afi"`  // "ipv4" or "ipv6"; others are not announced here
	SAFI string `json:"safi"` // "unicast"; others are not announced here
	// Advertisements select CiliumBGPAdvertisements by their labels; nil is none.
	Advertisements *metav1.LabelSelector `json:"advertisements,omitempty"`
}

// BGPAdvertisement is a CiliumBGPAdvertisement. Source:
// pkg/k8s/apis/cilium.io/v2/bgp_advert_types.go.
type BGPAdvertisement struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              BGPAdvertisementSpec `json:"spec"`
}

// BGPAdvertisementSpec has what is announced.
type BGPAdvertisementSpec struct {
	Advertisements []BGPAdvertised `json:"advertisements"`
}

// BGPAdvertised is one kind of what is announced.
type BGPAdvertised struct {
	AdvertisementType string             `json:"advertisementType"` // "Service", "PodCIDR", or one that is not read
	Service           *BGPServiceOptions `json:"service,omitempty"`
	// Selector selects Services by their labels and by [ServiceNamespaceKey] and
	// [ServiceNameKey]; nil is none. PodCIDR has none.
	Selector   *metav1.LabelSelector `json:"selector,omitempty"`
	Attributes *BGPAttributes        `json:"attributes,omitempty"`
	// Interface was a field of one version, for addresses of an interface.
	Interface *BGPInterfaceOptions `json:"interface,omitempty"`
}

// BGPInterfaceOptions names an interface of the node.
type BGPInterfaceOptions struct {
	Name string `json:"name"`
}

// BGPServiceOptions says which addresses of Services are announced. Lengths are bits of the
// announced networks; nil is an address of its own. A Local traffic policy has no network.
type BGPServiceOptions struct {
	Addresses             []string `json:"addresses,omitempty"` // "LoadBalancerIP", "ClusterIP", "ExternalIP"
	AggregationLengthIPv4 *int64   `json:"aggregationLengthIPv4,omitempty"`
	AggregationLengthIPv6 *int64   `json:"aggregationLengthIPv6,omitempty"`
}

// BGPAttributes are of what is announced.
type BGPAttributes struct {
	Communities     *BGPCommunities `json:"communities,omitempty"`
	LocalPreference *int64          `json:"localPreference,omitempty"`
}

// BGPCommunities are of RFC 1997 and RFC 8092.
type BGPCommunities struct {
	Standard  []string `json:"standard,omitempty"`  // "64512:1" or one number
	WellKnown []string `json:"wellKnown,omitempty"` // "no-export"
	Large     []string `json:"large,omitempty"`     // "64512:1:2"
}

// BGPNodeConfigOverride is a CiliumBGPNodeConfigOverride: what one node, whose name it has,
// does otherwise. Source: pkg/k8s/apis/cilium.io/v2/bgp_node_override_types.go.
type BGPNodeConfigOverride struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              BGPNodeConfigOverrideSpec `json:"spec"`
}

// BGPNodeConfigOverrideSpec has the values that replace those of the cluster's configuration.
type BGPNodeConfigOverrideSpec struct {
	BGPInstances []BGPInstanceOverride `json:"bgpInstances"`
}

// BGPInstanceOverride is of the router with the name.
type BGPInstanceOverride struct {
	Name      string            `json:"name"`
	RouterID  *string           `json:"routerID,omitempty"` // an IPv4 address
	LocalPort *int64            `json:"localPort,omitempty"`
	Peers     []BGPPeerOverride `json:"peers,omitempty"`
	LocalASN  *int64            `json:"localASN,omitempty"`
}

// BGPPeerOverride is of the peer with the name.
type BGPPeerOverride struct {
	Name         string  `json:"name"`
	LocalAddress *string `json:"localAddress,omitempty"` // from which the node connects
	LocalPort    *int64  `json:"localPort,omitempty"`    // has no effect
}

// DeepCopyObject implements runtime.Object.
func (c *BGPClusterConfig) DeepCopyObject() runtime.Object {
	out := &BGPClusterConfig{TypeMeta: c.TypeMeta, Spec: *copied(&c.Spec)}
	c.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

// DeepCopyObject implements runtime.Object.
func (c *BGPPeerConfig) DeepCopyObject() runtime.Object {
	out := &BGPPeerConfig{TypeMeta: c.TypeMeta, Spec: *copied(&c.Spec)}
	c.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

// DeepCopyObject implements runtime.Object.
func (a *BGPAdvertisement) DeepCopyObject() runtime.Object {
	out := &BGPAdvertisement{TypeMeta: a.TypeMeta, Spec: *copied(&a.Spec)}
	a.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

// DeepCopyObject implements runtime.Object.
func (o *BGPNodeConfigOverride) DeepCopyObject() runtime.Object {
	out := &BGPNodeConfigOverride{TypeMeta: o.TypeMeta, Spec: *copied(&o.Spec)}
	o.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}
