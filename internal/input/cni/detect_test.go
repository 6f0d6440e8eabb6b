package cni_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/input/cni"
)

// node makes the files of a node: configurations by name, and interfaces.
func node(t *testing.T, confs map[string]string, interfaces ...string) string {
	t.Helper()
	root := t.TempDir()
	write := func(path, text string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range confs {
		write(filepath.Join(root, cni.ConfDir, name), text)
	}
	for _, name := range append(interfaces, "lo", "eth0") {
		write(filepath.Join(root, "sys/class/net", name), "")
	}
	return root
}

const (
	portmap      = `, {"type": "portmap", "capabilities": {"portMappings": true}}`
	flannelConf  = `{"cniVersion": "1.0.0", "name": "cbr0", "plugins": [{"type": "flannel", "delegate": {"hairpinMode": true}}` + portmap + `]}`
	calicoConf   = `{"name": "k8s-pod-network", "plugins": [{"type": "calico"}, {"type": "bandwidth"}` + portmap + `]}`
	bridgeConf   = `{"name": "net", "plugins": [{"type": "bridge", "bridge": "br7"}, {"type": "tuning"}]}`
	loopbackConf = `{"type": "loopback"}`
)

// TestDetect is one node of each kind.
func TestDetect(t *testing.T) {
	for _, c := range []struct {
		name       string
		confs      map[string]string
		interfaces []string
		want       string // the system; "" is that nothing tells
		detect     string
	}{
		{"flannel", map[string]string{"10-flannel.conflist": flannelConf}, []string{"flannel.1", "cni0"}, "flannel", "bridge:cni0"},
		{"flannel with a bridge", map[string]string{"10-flannel.conflist": `{"name": "cbr0", "plugins": [{"type": "flannel", "delegate": {"bridge": "kbr0"}}]}`}, nil, "flannel", "bridge:kbr0"},
		{"flannel without a bridge", map[string]string{"10-flannel.conflist": `{"name": "cbr0", "plugins": [{"type": "flannel", "delegate": {"type": "ptp"}}]}`}, nil, "flannel", "node-cidr"},
		{"calico", map[string]string{"10-calico.conflist": calicoConf}, []string{"cali123", "tunl0"}, "calico", "prefix:cali"},
		{"calico after flannel", map[string]string{"10-calico.conflist": calicoConf}, []string{"cali123", "flannel.1"}, "calico", "prefix:cali"},
		{"calico, eBPF", map[string]string{"10-calico.conflist": calicoConf}, []string{"cali123", "bpfin.cali", "bpfout.cali"}, "calico-ebpf", "prefix:cali"},
		{"canal", map[string]string{"10-canal.conflist": calicoConf}, []string{"cali123", "flannel.1"}, "canal", "prefix:cali"},
		{"cilium", map[string]string{"05-cilium.conflist": `{"name": "cilium", "plugins": [{"type": "cilium-cni", "enable-debug": false}]}`}, []string{"cilium_host", "cilium_net"}, "cilium", "prefix:lxc"},
		{"cilium behind aws", map[string]string{"05-cilium.conflist": `{"name": "aws-cni", "plugins": [{"type": "aws-cni", "vethPrefix": "eni"}` + portmap + `, {"type": "cilium-cni"}]}`}, nil, "cilium-chained", "prefix:eni"},
		{"aws", map[string]string{"10-aws.conflist": `{"name": "aws-cni", "plugins": [{"type": "aws-cni", "vethPrefix": "pod", "mtu": "9001"}, {"type": "egress-cni"}` + portmap + `]}`}, nil, "aws-vpc-cni", "prefix:pod"},
		{"azure, bridge", map[string]string{"10-azure.conflist": `{"name": "azure", "plugins": [{"type": "azure-vnet", "mode": "bridge", "bridge": "azure0"}` + portmap + `]}`}, nil, "azure-cni", "bridge:azure0"},
		{"azure, transparent", map[string]string{"10-azure.conflist": `{"name": "azure", "plugins": [{"type": "azure-vnet", "mode": "transparent"}]}`}, nil, "azure-cni", "prefix:azv"},
		{"antrea", map[string]string{"10-antrea.conflist": `{"name": "antrea", "plugins": [{"type": "antrea", "ipam": {"type": "host-local"}}` + portmap + `]}`}, []string{"antrea-gw0"}, "antrea", "node-cidr"},
		{"kindnet", map[string]string{"10-kindnet.conflist": `{"name": "kindnet", "plugins": [{"type": "ptp", "ipMasq": false}` + portmap + `]}`}, nil, "kindnet", "node-cidr"},
		{"gke", map[string]string{"10-gke-ptp.conflist": `{"name": "gke-pod-network", "plugins": [{"type": "ptp"}` + portmap + `]}`}, nil, "gke", "node-cidr"},
		{"gke, dataplane v2", map[string]string{"10-gke-ptp.conflist": `{"name": "gke-pod-network", "plugins": [{"type": "ptp"}` + portmap + `, {"type": "cilium-cni"}]}`}, nil, "gke-dataplane-v2", "node-cidr"},
		{"kube-router", map[string]string{"10-kuberouter.conflist": `{"name": "net", "plugins": [{"type": "bridge", "bridge": "kube-bridge", "isDefaultGateway": true}]}`}, nil, "kube-router", "bridge:kube-bridge"},
		{"kube-ovn", map[string]string{"01-kube-ovn.conflist": `{"name": "kube-ovn", "plugins": [{"type": "kube-ovn"}` + portmap + `]}`}, nil, "kube-ovn", "bridge:ovn0"},
		{"ovn-kubernetes", map[string]string{"10-ovn-kubernetes.conf": `{"name": "ovn-kubernetes", "type": "ovn-k8s-cni-overlay"}`}, nil, "ovn-kubernetes", "bridge:ovn-k8s-mp0"},
		{"weave", map[string]string{"10-weave.conflist": `{"name": "weave", "plugins": [{"type": "weave-net", "hairpinMode": true}` + portmap + `]}`}, nil, "weave", "bridge:weave"},
		{"kubenet", map[string]string{"10-net.conf": `{"name": "k", "type": "bridge", "bridge": "cbr0"}`}, nil, "kubenet", "bridge:cbr0"},
		{"a bridge", map[string]string{"10-net.conflist": bridgeConf}, nil, "bridge", "bridge:br7"},
		{"coil", map[string]string{"10-coil.conflist": `{"name": "k8s-pod-network", "plugins": [{"type": "coil", "socket": "/run/coild.sock"}]}`}, nil, "coil", "prefix:veth"},
		{"contrail", map[string]string{"10-contrail.conf": `{"name": "contrail-k8s-cni", "type": "contrail-k8s-cni", "contrail": {"vrouter-ip": "127.0.0.1"}}`}, nil, "contrail", ""},

		{"the first by name", map[string]string{"10-calico.conflist": calicoConf, "20-net.conflist": bridgeConf, "05-x.txt": flannelConf}, nil, "calico", "prefix:cali"},
		{"one without a row", map[string]string{"00-lo.conf": loopbackConf, "10-calico.conflist": calicoConf}, nil, "", ""},
		{"multus, thick", map[string]string{"00-multus.conf": `{"name": "multus-cni-network", "type": "multus-shim", "clusterNetwork": "/host/etc/cni/net.d/10-calico.conflist"}`, "10-calico.conflist": calicoConf, "05-net.conflist": bridgeConf}, nil, "calico", "prefix:cali"},
		{"multus, by name", map[string]string{"00-multus.conf": `{"type": "multus", "clusterNetwork": "k8s-pod-network"}`, "10-calico.conflist": calicoConf}, nil, "calico", "prefix:cali"},
		{"multus, delegates", map[string]string{"00-multus.conf": `{"type": "multus", "delegates": [{"name": "cbr0", "plugins": [{"type": "flannel", "delegate": {"bridge": "cni7"}}]}, {"type": "macvlan"}]}`}, nil, "flannel", "bridge:cni7"},
		{"multus, the next file", map[string]string{"00-multus.conf": `{"type": "multus"}`, "10-flannel.conflist": flannelConf}, nil, "flannel", "bridge:cni0"},
		{"multus that calls itself", map[string]string{"00-multus.conf": `{"type": "multus", "delegates": [{"type": "multus", "delegates": [{"type": "multus"}]}]}`}, nil, "multus", ""},
		{"genie", map[string]string{"00-genie.conf": `{"type": "genie", "default_plugin": "weave"}`}, nil, "weave", "bridge:weave"},
		{"genie with several", map[string]string{"00-genie.conf": `{"type": "genie", "default_plugin": "weave,calico"}`}, nil, "cni-genie", ""},
		{"danm", map[string]string{"00-danm.conf": `{"name": "meta_cni", "type": "danm"}`, "flannel.conf": `{"type": "flannel"}`}, nil, "danm", ""},

		{"interfaces alone", nil, []string{"flannel.1", "cni0"}, "flannel", "bridge:cni0"},
		{"interfaces of one within another", nil, []string{"cali1", "flannel.1"}, "canal", "prefix:cali"},
		{"interfaces of two", nil, []string{"weave", "antrea-gw0"}, "", ""},
		{"nothing", nil, nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := cni.Detect(cni.Host{Root: node(t, c.confs, c.interfaces...)})
			got := ""
			if found.System != nil {
				got = found.System.Name
			}
			if got != c.want || found.Preset.DetectLocal != c.detect || len(found.Unread) > 0 {
				t.Errorf("%q with %q, want %q with %q: %v, %v", got, found.Preset.DetectLocal, c.want, c.detect, found.Why, found.Unread)
			}
			if len(found.Why) == 0 {
				t.Error("no reason")
			}
		})
	}
}

// TestDetectMasquerade: a bridge that masquerades leaves nothing to the node.
func TestDetectMasquerade(t *testing.T) {
	for masq, want := range map[string]bool{"true": false, "false": true, `"yes"`: true} {
		found := cni.Detect(cni.Host{Root: node(t, map[string]string{"10-net.conf": `{"name": "a", "type": "bridge", "ipMasq": ` + masq + `}`})})
		if found.System == nil || (found.Preset.NonMasquerade != nil) != want {
			t.Errorf("ipMasq %s: %+v", masq, found)
		}
	}
}

// TestConfDir looks in another directory, as distributions have one.
func TestConfDir(t *testing.T) {
	root := node(t, map[string]string{"10-flannel.conflist": flannelConf})
	const other = "/var/lib/rancher/k3s/agent/etc/cni/net.d"
	if err := os.MkdirAll(filepath.Join(root, other), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, other, "10-calico.conflist"), []byte(calicoConf), 0o600); err != nil {
		t.Fatal(err)
	}
	found := cni.Detect(cni.Host{Root: root, ConfDir: other})
	if found.System == nil || found.System.Name != "calico" || !strings.HasSuffix(found.File, other+"/10-calico.conflist") {
		t.Errorf("%+v", found)
	}
}

// TestSame: what is found again for other reasons is the same.
func TestSame(t *testing.T) {
	one := cni.Detect(cni.Host{Root: node(t, map[string]string{"10-flannel.conflist": flannelConf})})
	two := cni.Detect(cni.Host{Root: node(t, nil, "flannel.1", "cni0")})
	other := cni.Detect(cni.Host{Root: node(t, map[string]string{"10-calico.conflist": calicoConf})})
	none := cni.Detect(cni.Host{Root: node(t, nil)})
	if !one.Same(&two) || one.Same(&other) || one.Same(&none) || !none.Same(&cni.Found{}) {
		t.Errorf("%v %v %v %v", one, two, other, none)
	}
}

// TestOfWorkloads finds the system of a cluster by its DaemonSets, in any order.
func TestOfWorkloads(t *testing.T) {
	set := func(name string, images ...string) cni.Workload {
		return cni.Workload{Kind: "DaemonSet", Namespace: "kube-system", Name: name, Images: images}
	}
	for _, c := range []struct {
		name   string
		list   []cni.Workload
		cilium map[string]string
		want   string
		detect string
		own    bool
	}{
		{"by name", []cni.Workload{set("kube-proxy"), set("kube-flannel-ds")}, nil, "flannel", "bridge:cni0", false},
		{"by image", []cni.Workload{set("net", "ghcr.example/flannel/flannel:v1@sha256:00"), set("csi", "flannel/flannel-not")}, nil, "flannel", "bridge:cni0", false},
		{"canal has images of two", []cni.Workload{set("canal", "calico/node:v3", "flannel/flannel:v1")}, nil, "canal", "prefix:cali", false},
		{"behind multus", []cni.Workload{set("kube-multus-ds"), set("calico-node")}, nil, "calico", "prefix:cali", false},
		{"multus alone", []cni.Workload{set("kube-multus-ds")}, nil, "multus", "", false},
		{"two", []cni.Workload{set("calico-node"), set("weave-net")}, nil, "", "", false},
		{"a Deployment", []cni.Workload{{Kind: "Deployment", Name: "calico-node"}}, nil, "", "", false},
		{"cilium", []cni.Workload{set("cilium")}, map[string]string{"kube-proxy-replacement": "false"}, "cilium", "prefix:lxc", false},
		{"cilium that serves", []cni.Workload{set("cilium")}, map[string]string{"kube-proxy-replacement": "true"}, "cilium", "prefix:lxc", true},
		{"cilium behind aws", []cni.Workload{set("cilium"), set("aws-node")}, map[string]string{"cni-chaining-mode": "aws-cni"}, "cilium-chained", "prefix:eni", false},
		{"nothing", nil, nil, "", "", false},
	} {
		for range 2 {
			found := cni.OfWorkloads(c.list, c.cilium)
			got, own := "", false
			if found.System != nil {
				got, own = found.System.Name, found.System.Conflicts()
			}
			if got != c.want || found.Preset.DetectLocal != c.detect || own != c.own {
				t.Errorf("%s: %q with %q, serves %v: %v", c.name, got, found.Preset.DetectLocal, own, found.Why)
			}
			slices.Reverse(c.list)
		}
	}
}
