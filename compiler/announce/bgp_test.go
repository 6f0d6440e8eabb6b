package announce_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/planec/planec/backends/frr"
	"github.com/planec/planec/compiler/announce"
	"github.com/planec/planec/compiler/ipam"
)

const metalLB = `apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor, namespace: m}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.250%s}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: lan, namespace: m, labels: {net: lan}}
spec: {addresses: [203.0.113.0/28]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: all, namespace: m}
spec: {%s}
---
`

const cilium = `apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: {name: rack}
spec: {nodeSelector: {matchLabels: {rack: r1}}, bgpInstances: [{name: i, localASN: 64512, peers: [{name: p, peerASN: 64513, peerAddress: 192.0.2.250, peerConfigRef: {name: c}}]}]}
---
apiVersion: cilium.io/v2alpha1
kind: CiliumBGPPeerConfig
metadata: {name: c}
spec: {families: [{afi: ipv4, safi: unicast, advertisements: {matchLabels: {a: b}}}]}
---
apiVersion: cilium.io/v2
kind: CiliumBGPAdvertisement
metadata: {name: x, labels: {a: b}}
spec: {advertisements: [%s]}
---
`

// TestBGP looks at what a node tells its neighbors, as "prefix [attributes]".
func TestBGP(t *testing.T) {
	service4 := service("s", "203.0.113.5", "Cluster", "a:ready")
	tests := []struct{ name, text, node, want, says string }{
		{"MetalLB", fmt.Sprintf(metalLB, "", ""), "a", "203.0.113.5/32", ""},
		{"a pool by its name", fmt.Sprintf(metalLB, "", "ipAddressPools: [lan]"), "a", "203.0.113.5/32", ""},
		{"another pool", fmt.Sprintf(metalLB, "", "ipAddressPools: [other]"), "a", "", "PLC0141"},
		{"a pool by its labels", fmt.Sprintf(metalLB, "", "ipAddressPoolSelectors: [{matchLabels: {net: lan}}]"), "a", "203.0.113.5/32", ""},
		{"selected Services", fmt.Sprintf(metalLB, "", "serviceSelectors: [{matchLabels: {app: other}}]"), "a", "", ""},
		{"a network", fmt.Sprintf(metalLB, "", "aggregationLength: 28"), "a", "203.0.113.0/28", ""},
		{"a network that is larger than the pool", fmt.Sprintf(metalLB, "", "aggregationLength: 24"), "a", "203.0.113.5/32", "PLC0141"},
		{"a network that is larger than any", fmt.Sprintf(metalLB, "", "aggregationLength: 1"), "a", "203.0.113.5/32", "PLC0141"},
		{"attributes", fmt.Sprintf(metalLB, "", "localPref: 7, communities: [\"1:2\", \"large:1:2:3\"]"), "a", "203.0.113.5/32 7 [1:2 1:2:3]", ""},
		{"a peer for other nodes", fmt.Sprintf(metalLB, ", nodeSelectors: [{matchLabels: {rack: r2}}]", ""), "a", "", ""},
		{"an advertisement for other nodes", fmt.Sprintf(metalLB, "", "nodeSelectors: [{matchLabels: {rack: r2}}]"), "a", "", ""},
		{"a node that is excluded", fmt.Sprintf(metalLB, "", ""), "c", "", ""},
		{"another peer's advertisement", fmt.Sprintf(metalLB, "", "peers: [other]"), "a", "", "PLC0141"},
		{"a wrong AS number", strings.Replace(fmt.Sprintf(metalLB, "", ""), "myASN: 64512", "myASN: 4294967296", 1), "a", "", "PLC0141"},
		{"a password that FRR cannot have", fmt.Sprintf(metalLB, ", password: pä", ""), "a", "", "PLC0141"},
		{"a source of another family", fmt.Sprintf(metalLB, ", sourceAddress: 'fd00::1'", ""), "a", "203.0.113.5/32", "PLC0141"},
		{"the default VRF", fmt.Sprintf(metalLB, ", vrf: default", ""), "a", "203.0.113.5/32", ""},
		{"an interface that is named like an address", strings.Replace(fmt.Sprintf(metalLB, "", ""), "peerAddress: 192.0.2.250", "interface: 'fe80::1'", 1), "a", "", "PLC0144"},
		{"a local AS within the AS", strings.Replace(fmt.Sprintf(metalLB, ", localASN: 64999", ""), "peerASN: 64513", "peerASN: 64512", 1), "a", "", "PLC0144"},
		{"a local AS with a neighbor of any own AS", strings.Replace(fmt.Sprintf(metalLB, ", localASN: 64999", ""), "peerASN: 64513", "dynamicASN: internal", 1), "a", "", "PLC0144"},
		{"a local AS that is the neighbor's", fmt.Sprintf(metalLB, ", localASN: 64513", ""), "a", "", "PLC0144"},
		{"a local AS", fmt.Sprintf(metalLB, ", localASN: 64999", ""), "a", "203.0.113.5/32", ""},
		{"a community that FRR writes in two ways", fmt.Sprintf(metalLB, "", "localPref: 7, communities: [\"0:0\", \"1:2\"]"), "a", "203.0.113.5/32 7 [1:2]", "PLC0144"},
		{"Cilium: the community internet", fmt.Sprintf(cilium, "{advertisementType: Service, selector: {}, service: {addresses: [LoadBalancerIP]}, attributes: {localPreference: 9, communities: {wellKnown: [internet, no-export]}}}"), "a", "203.0.113.5/32 9 [65535:65281]", "PLC0144"},
		{"a password in a Secret", fmt.Sprintf(metalLB, ", passwordSecret: {name: x}", ""), "a", "203.0.113.5/32", "PLC0143"},
		{"Cilium", fmt.Sprintf(cilium, "{advertisementType: Service, selector: {}, service: {addresses: [LoadBalancerIP]}}"), "a", "203.0.113.5/32", ""},
		{"Cilium without a selector", fmt.Sprintf(cilium, "{advertisementType: Service, service: {addresses: [LoadBalancerIP]}}"), "a", "", "PLC0141"},
		{"Cilium: by a Service's name", fmt.Sprintf(cilium, "{advertisementType: Service, selector: {matchLabels: {io.kubernetes.service.name: s}}, service: {addresses: [LoadBalancerIP], aggregationLengthIPv4: 24}}"), "a", "203.0.113.0/24", ""},
		{"Cilium: a network that is larger than any", fmt.Sprintf(cilium, "{advertisementType: Service, selector: {}, service: {addresses: [LoadBalancerIP], aggregationLengthIPv4: 1}}"), "a", "203.0.113.5/32", "PLC0141"},
		{"Cilium: attributes", fmt.Sprintf(cilium, "{advertisementType: Service, selector: {}, service: {addresses: [LoadBalancerIP]}, attributes: {localPreference: 9, communities: {standard: [\"65537\"], wellKnown: [no-export]}}}"), "a", "203.0.113.5/32 9 [1:1 65535:65281]", ""},
		{"Cilium: another type", fmt.Sprintf(cilium, "{advertisementType: CiliumPodIPPool}"), "a", "", "PLC0144"},
		{"Cilium: another node", fmt.Sprintf(cilium, "{advertisementType: Service, selector: {}, service: {addresses: [LoadBalancerIP]}}"), "b", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set := read(t, nodes+tt.text+service4)
			var first []byte
			for seed := range uint64(3) {
				c := announce.New(shuffled(set, seed), ipam.Settings{})
				s, more := c.BGP(tt.node)
				var got []string
				for _, r := range s.Routers {
					for _, n := range r.Neighbors {
						for _, route := range n.Routes {
							text := route.Prefix.String()
							if route.LocalPref > 0 {
								text += fmt.Sprintf(" %d %v", route.LocalPref, route.Communities)
							}
							got = append(got, text)
						}
					}
				}
				if strings.Join(got, ", ") != tt.want {
					t.Errorf("told %q, want %q", got, tt.want)
				}
				if (tt.want == "") != (len(s.Withheld) == 1) {
					t.Errorf("withheld: %v", s.Withheld)
				}
				if said := fmt.Sprint(c.Diagnostics(), more); tt.says == "" && said != "[] []" || !strings.Contains(said, tt.says) {
					t.Errorf("said %s, want %q", said, tt.says)
				}
				conf := frr.Emit(&s, frr.Options{}).Files[0].Data
				if first = append(first, conf...); !reflect.DeepEqual(first[:len(conf)], conf) {
					t.Errorf("another order, another file")
				}
			}
		})
	}
}

// TestLocalInNetwork wants to hear of a network that takes connections to a node without an
// endpoint of their Service.
func TestLocalInNetwork(t *testing.T) {
	text := nodes + fmt.Sprintf(metalLB, "", "aggregationLength: 28") + service("s", "203.0.113.5", "Cluster", "a:ready")
	for policy, want := range map[string]bool{"Cluster": false, "Local": true} {
		c := announce.New(read(t, text+service("other", "203.0.113.6", policy, "b:ready")), ipam.Settings{})
		if said := fmt.Sprint(c.Diagnostics()); strings.Contains(said, "PLC0142") != want {
			t.Errorf("%s: %s", policy, said)
		}
	}
	c := announce.New(read(t, nodes+fmt.Sprintf(metalLB, "", "aggregationLength: 28")+service("s", "203.0.113.5", "Local", "a:ready")), ipam.Settings{})
	if len(c.Diagnostics()) > 0 {
		t.Errorf("a network for one Service: %v", c.Diagnostics())
	}
}

// TestContradictions wants the older object to decide.
func TestContradictions(t *testing.T) {
	text := fmt.Sprintf(metalLB, "", "localPref: 5") + `apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: zzz, namespace: m}
spec: {myASN: 64599, peerASN: 64513, peerAddress: 192.0.2.251}
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: twice, namespace: m}
spec: {myASN: 64512, peerASN: 64514, peerAddress: 192.0.2.250}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: more, namespace: m}
spec: {localPref: 6}
---
`
	c := announce.New(read(t, nodes+text+service("s", "203.0.113.5", "Cluster", "a:ready")), ipam.Settings{})
	s, diags := c.BGP("a")
	if len(s.Routers) != 1 || len(s.Routers[0].Neighbors) != 1 || s.Routers[0].Neighbors[0].Routes[0].LocalPref != 6 {
		t.Errorf("%+v", s)
	}
	if len(diags) != 3 {
		t.Errorf("%v", diags)
	}
}

// TestHostile wants no text of an object to become a line of its own.
func TestHostile(t *testing.T) {
	text := strings.NewReplacer("name: p,", `name: "p\nrouter bgp 1\n!",`, "name: i,", `name: "i\n no bgp",`).Replace(fmt.Sprintf(cilium, "{advertisementType: Service, selector: {}, service: {addresses: [LoadBalancerIP]}}")) +
		strings.Replace(fmt.Sprintf(metalLB, `, password: "x\n!", vrf: "v\n!", bfdProfile: "none\n!"`, `communities: ["1:2\n!"]`), "192.0.2.250", "192.0.2.249", 1)
	set := read(t, nodes+text+service("s", "203.0.113.5", "Cluster", "a:ready"))
	c := announce.New(set, ipam.Settings{})
	s, _ := c.BGP("a")
	conf := string(frr.Emit(&s, frr.Options{Passwords: true}).Files[0].Data)
	if strings.Contains(conf, "\nrouter bgp 1\n") || strings.Contains(conf, "\n!\n") || strings.Contains(conf, " no bgp\n") || strings.Count(conf, "router bgp") != strings.Count(conf, "\nrouter bgp 64512\n")+strings.Count(conf, "_router bgp") {
		t.Errorf("%s", conf)
	}
}
