package metallbv1beta1

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// The kinds of BGP. A BGPPeer has the version [PeerVersion] too, with more fields; its
// other ones are the same.
const (
	KindBGPPeer          = "BGPPeer"
	KindBGPAdvertisement = "BGPAdvertisement"
	KindCommunity        = "Community"
	KindBFDProfile       = "BFDProfile"
	PeerVersion          = "v1beta2"
)

// BGPPeer is a router that nodes connect to. Source: api/v1beta2/bgppeer_types.go and
// api/v1beta1/bgppeer_types.go.
type BGPPeer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              BGPPeerSpec    `json:"spec"`
	Status            map[string]any `json:"status,omitempty"` // is not read
}

// BGPPeerSpec says how a node connects to the router. Numbers have more room than MetalLB
// allows, so that one that is too large is one finding and not an object that is not read.
type BGPPeerSpec struct {
	MyASN    int64 `json:"myASN"`              // of the node, 1 to 2^32-1
	ASN      int64 `json:"peerASN,omitempty"`  // of the router; 0 where DynamicASN says which
	LocalASN int64 `json:"localASN,omitempty"` // what the router sees instead of MyASN; 0 is MyASN
	// DynamicASN is "internal" (the router's number is MyASN), "external" (it is another one),
	// or "".
	DynamicASN string `json:"dynamicASN,omitempty"`
	Address    string `json:"peerAddress,omitempty"` // an IP address, or "" with Interface
	Interface  string `json:"interface,omitempty"`   // of the node, for a router without a known address
	SrcAddress string `json:"sourceAddress,omitempty"`
	Port       int64  `json:"peerPort,omitempty"` // 0 is 179
	// HoldTime, KeepaliveTime and ConnectTime are durations as Go writes them, "90s".
	HoldTime       string                 `json:"holdTime,omitempty"`
	KeepaliveTime  string                 `json:"keepaliveTime,omitempty"`
	ConnectTime    string                 `json:"connectTime,omitempty"`
	RouterID       string                 `json:"routerID,omitempty"`      // an IPv4 address
	NodeSelectors  []metav1.LabelSelector `json:"nodeSelectors,omitempty"` // of labels of nodes, one of which must match; none is all nodes
	Password       Secret                 `json:"password,omitempty"`
	PasswordSecret corev1.SecretReference `json:"passwordSecret,omitempty"` // has the password instead
	BFDProfile     string                 `json:"bfdProfile,omitempty"`     // the name of a BFDProfile, or ""

	EnableGracefulRestart  bool   `json:"enableGracefulRestart,omitempty"`
	EBGPMultiHop           bool   `json:"ebgpMultiHop,omitempty"` // the router is not in the node's own network
	VRFName                string `json:"vrf,omitempty"`
	DisableMP              bool   `json:"disableMP,omitempty"`              // is always so here, unless DualStackAddressFamily is set
	DualStackAddressFamily bool   `json:"dualStackAddressFamily,omitempty"` // routes of both families in one session
}

// Secret is a text that is never printed: its JSON says that there is one.
type Secret string

// MarshalJSON hides the text.
func (s Secret) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte(`""`), nil
	}
	return []byte(`"(hidden)"`), nil
}

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(hidden)"
}

// BGPAdvertisement says which addresses are announced, to whom, and with which attributes.
// Source: api/v1beta1/bgpadvertisement_types.go.
type BGPAdvertisement struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              BGPAdvertisementSpec `json:"spec"`
	Status            map[string]any       `json:"status,omitempty"` // is not read
}

// BGPAdvertisementSpec selects addresses by their pools and their Services. Of each kind of
// selectors one must match, and none selects all.
type BGPAdvertisementSpec struct {
	AggregationLength   *int32 `json:"aggregationLength,omitempty"`   // bits of announced IPv4 networks; nil is 32
	AggregationLengthV6 *int32 `json:"aggregationLengthV6,omitempty"` // of IPv6; nil is 128
	LocalPref           int64  `json:"localPref,omitempty"`           // LOCAL_PREF; 0 is none
	// Communities are "64512:1", "large:64512:1:2", and names of aliases of Communities.
	Communities            []string               `json:"communities,omitempty"`
	IPAddressPools         []string               `json:"ipAddressPools,omitempty"` // names of pools, beside those that selectors match
	IPAddressPoolSelectors []metav1.LabelSelector `json:"ipAddressPoolSelectors,omitempty"`
	NodeSelectors          []metav1.LabelSelector `json:"nodeSelectors,omitempty"`
	Peers                  []string               `json:"peers,omitempty"` // names of BGPPeers; none is all
	ServiceSelectors       []metav1.LabelSelector `json:"serviceSelectors,omitempty"`
}

// Community gives communities of BGP names. Source: api/v1beta1/community_types.go.
type Community struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              CommunitySpec  `json:"spec"`
	Status            map[string]any `json:"status,omitempty"` // is not read
}

// CommunitySpec has the names.
type CommunitySpec struct {
	Communities []CommunityAlias `json:"communities,omitempty"`
}

// CommunityAlias is one name.
type CommunityAlias struct {
	Name  string `json:"name,omitempty"`
	Value string `json:"value,omitempty"` // "64512:1" or "large:64512:1:2"
}

// BFDProfile says how the failure of a connection is detected. Source:
// api/v1beta1/bfdprofile_types.go.
type BFDProfile struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              BFDProfileSpec `json:"spec"`
	Status            map[string]any `json:"status,omitempty"` // is not read
}

// BFDProfileSpec has the timers of sessions, in milliseconds; nil is FRR's default.
type BFDProfileSpec struct {
	ReceiveInterval  *int64 `json:"receiveInterval,omitempty"`  // 10 to 60000
	TransmitInterval *int64 `json:"transmitInterval,omitempty"` // 10 to 60000
	DetectMultiplier *int64 `json:"detectMultiplier,omitempty"` // 2 to 255
	EchoInterval     *int64 `json:"echoInterval,omitempty"`     // 10 to 60000
	EchoMode         *bool  `json:"echoMode,omitempty"`
	PassiveMode      *bool  `json:"passiveMode,omitempty"`
	MinimumTTL       *int64 `json:"minimumTtl,omitempty"` // 1 to 254
}

// DeepCopyObject implements runtime.Object.
func (p *BGPPeer) DeepCopyObject() runtime.Object {
	out := copyOf(p)
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.Password = p.Spec.Password
	return out
}

// DeepCopyObject implements runtime.Object.
func (a *BGPAdvertisement) DeepCopyObject() runtime.Object {
	out := copyOf(a)
	a.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

// DeepCopyObject implements runtime.Object.
func (c *Community) DeepCopyObject() runtime.Object {
	out := copyOf(c)
	c.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

// DeepCopyObject implements runtime.Object.
func (p *BFDProfile) DeepCopyObject() runtime.Object {
	out := copyOf(p)
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

// copyOf copies an object by its JSON.
func copyOf[T any](from *T) *T {
	out := new(T)
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		panic("metallbv1beta1: " + err.Error()) // unreachable: the types are plain data
	}
	return out
}
