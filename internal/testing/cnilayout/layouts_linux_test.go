package cnilayout_test

import (
	"slices"
	"testing"

	"github.com/planec/planec/internal/input/cni"
	"github.com/planec/planec/internal/testing/testkit"
)

// node is a node with a layout and the settings of a preset.
type node struct {
	name   string // of the subtest
	preset string // a row of internal/input/cni
	// detect is another detectLocal than the row's, which its configuration may say.
	detect string
	layout testkit.Layout
}

// system returns the row of the preset.
func (n node) system(t testing.TB) *cni.System {
	t.Helper()
	s, err := cni.Lookup(n.preset)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func bridge(name string) testkit.PodLink {
	return testkit.PodLink{Kind: testkit.OnBridge, Device: name}
}

func proxyARP() testkit.PodLink { return testkit.PodLink{Kind: testkit.ProxyARP, Device: "cali"} }

func vxlan(name string, port uint16) testkit.Tunnel {
	return testkit.Tunnel{Kind: testkit.VXLAN, Name: name, Port: port}
}

// bridges are nodes whose pods are ports of a bridge.
func bridges() []node {
	return []node{
		{name: "cbr0", preset: "kubenet", layout: testkit.Layout{Pods: bridge("cbr0")}},
		{name: "kube-bridge", preset: "kube-router", layout: testkit.Layout{Pods: bridge("kube-bridge")}},
	}
}

func proxyARPs() []node {
	return []node{{name: "calico", preset: "calico", layout: testkit.Layout{Pods: proxyARP()}}}
}

// prefixed are nodes that recognise pods by the names of veths, or by the podCIDR where the
// names are not the plugin's own.
func prefixed() []node {
	return []node{
		{name: "eni", preset: "aws-vpc-cni", layout: testkit.Layout{Pods: testkit.PodLink{Kind: testkit.FixedGateway, Device: "eni"}}},
		{name: "ptp", preset: "kindnet", layout: testkit.Layout{Pods: testkit.PodLink{Kind: testkit.PointToPoint, Device: "veth"}}},
	}
}

func vxlans() []node {
	return []node{
		{name: "flannel", preset: "flannel", layout: testkit.Layout{Pods: bridge("cni0"), Tunnel: vxlan("flannel.1", 8472)}},
		{name: "calico-vxlan", preset: "calico", layout: testkit.Layout{Pods: proxyARP(), Tunnel: vxlan("vxlan.calico", 4789)}},
	}
}

// allNodes are those of this machine's kernel.
func allNodes() []node { return slices.Concat(bridges(), proxyARPs(), prefixed(), vxlans()) }

func TestBridge(t *testing.T) { run(t, bridges()...) }

func TestVethProxyARP(t *testing.T) { run(t, proxyARPs()...) }

func TestVethPrefix(t *testing.T) { run(t, prefixed()...) }

func TestOverlayVXLAN(t *testing.T) { run(t, vxlans()...) }
