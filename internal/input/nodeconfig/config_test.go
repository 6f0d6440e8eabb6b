package nodeconfig

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

var comparePrefixes = cmp.Options{
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmpopts.EquateEmpty(),
}

func prefixes(s ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range s {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

const ownFile = `apiVersion: planec.io/v1alpha1
kind: NodeConfig
node: node-a
clusterCIDR: 10.244.0.0/16, fd00:10:244::/56
serviceCIDR: [10.96.0.0/12]
nodePortAddresses: [primary, 192.0.2.7/24]
detectLocal: bridge:cni0
masqueradeAll: true
masqueradeBit: 9
tcpBeLiberal: yes
localAddresses: [192.0.2.1, "2001:db8::1"]
masqAgent:
  nonMasqueradeCIDRs: [10.0.0.0/8, 10.1.0.0/16]
  masqLinkLocal: true
  enableIPv6: true
`

const kubeadmConfigMap = `apiVersion: v1
kind: ConfigMap
metadata:
  name: kube-proxy
  namespace: kube-system
data:
  config.conf: |-
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    bindAddress: 0.0.0.0
    bindAddressHardFail: false
    clientConnection:
      acceptContentTypes: ""
      burst: 0
      contentType: ""
      kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
      qps: 0
    clusterCIDR: 10.244.0.0/16
    configSyncPeriod: 0s
    conntrack:
      maxPerCore: 0
      min: null
      tcpBeLiberal: true
      tcpCloseWaitTimeout: null
      tcpEstablishedTimeout: 2h
      udpStreamTimeout: 0s
      udpTimeout: 0s
    detectLocal:
      bridgeInterface: ""
      interfaceNamePrefix: "veth"
    detectLocalMode: "InterfaceNamePrefix"
    enableProfiling: false
    healthzBindAddress: ""
    hostnameOverride: "Node-A"
    iptables:
      localhostNodePorts: null
      masqueradeAll: false
      masqueradeBit: null
      minSyncPeriod: 0s
      syncPeriod: 0s
    ipvs:
      excludeCIDRs: null
      minSyncPeriod: 0s
      scheduler: "sh"
      strictARP: false
      syncPeriod: 0s
      tcpFinTimeout: 0s
      tcpTimeout: 0s
      udpTimeout: 0s
    kind: KubeProxyConfiguration
    logging:
      flushFrequency: 0
      options:
        json:
          infoBufferSize: "0"
      verbosity: 0
    metricsBindAddress: ""
    mode: "nftables"
    nftables:
      masqueradeAll: true
      masqueradeBit: 20
      minSyncPeriod: 0s
      syncPeriod: 0s
    nodePortAddresses: null
    oomScoreAdj: null
    portRange: ""
    showHiddenMetricsForVersion: ""
    winkernel:
      enableDSR: false
      forwardHealthCheckVip: false
      networkName: ""
      rootHnsEndpointName: ""
      sourceVip: ""
  kubeconfig.conf: |-
    apiVersion: v1
    kind: Config
`

func TestRead(t *testing.T) {
	tests := []struct {
		name, text string
		want       NodeConfig
		notes      []string
	}{
		{
			name: "planec's own",
			text: ownFile,
			want: NodeConfig{
				Node: "node-a", MasqueradeBit: 9,
				Config: objects.Config{
					ClusterCIDRs:      prefixes("10.244.0.0/16", "fd00:10:244::/56"),
					ServiceCIDRs:      prefixes("10.96.0.0/12"),
					NodePortAddresses: objects.NodePortAddresses{Primary: true, CIDRs: prefixes("192.0.2.0/24")},
					DetectLocal:       objects.DetectLocal{Mode: objects.DetectByBridge, Interface: "cni0"},
					MasqueradeAll:     true,
					TCPBeLiberal:      true,
					LocalAddresses:    []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")},
					Masquerade: ir.Masquerade{
						Families: []ir.Family{ir.IPv4, ir.IPv6},
						Exclude:  prefixes("10.0.0.0/8", "fe80::/10"),
						Origin:   ir.Origin{Path: "masqAgent", File: "f.yaml", Line: 13},
					},
				},
			},
		},
		{
			name: "kubeadm's ConfigMap",
			text: kubeadmConfigMap,
			want: NodeConfig{
				Node: "node-a", Scheduler: "sh", MasqueradeBit: 20,
				Proxy: Proxy{
					Mode: "nftables", Kubeconfig: "/var/lib/kube-proxy/kubeconfig.conf",
					Conntrack: Conntrack{MaxPerCore: new(0), TCPEstablished: new(2 * time.Hour)},
				},
				Config: objects.Config{
					ClusterCIDRs:  prefixes("10.244.0.0/16"),
					DetectLocal:   objects.DetectLocal{Mode: objects.DetectByPrefix, Interface: "veth"},
					MasqueradeAll: true,
					TCPBeLiberal:  true,
				},
			},
			notes: []string{"f.yaml:24: info PLC0402: for planec-agent only: conntrack.tcpEstablishedTimeout"},
		},
		{
			name: "the iptables section counts in the default mode, and other documents are passed over",
			text: "kind: ClusterConfiguration\napiVersion: kubeadm.k8s.io/v1beta4\n---\nkind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\niptables: {masqueradeAll: true, masqueradeBit: 3}\nnftables: {masqueradeBit: 4}\n",
			want: NodeConfig{MasqueradeBit: 3, Config: objects.Config{MasqueradeAll: true}},
		},
		{
			name:  "the IPVS mode is deprecated",
			text:  "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nmode: ipvs\n",
			want:  NodeConfig{MasqueradeBit: 14, Proxy: Proxy{Mode: "ipvs"}},
			notes: []string{"f.yaml:3: info PLC0403: mode: ipvs"},
		},
		{
			name: "JSON",
			text: `{"apiVersion":"planec.io/v1alpha1","kind":"NodeConfig","clusterCIDR":["10.0.0.0/8"]}`,
			want: NodeConfig{MasqueradeBit: 14, Config: objects.Config{ClusterCIDRs: prefixes("10.0.0.0/8")}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, notes, err := Read("f.yaml", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, comparePrefixes); diff != "" {
				t.Error(diff)
			}
			var lines []string
			for _, n := range notes {
				lines = append(lines, n.String())
			}
			if diff := cmp.Diff(tt.notes, lines); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	own := "apiVersion: planec.io/v1alpha1\nkind: NodeConfig\n"
	proxy := "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
	tests := []struct{ name, text, want string }{
		{"empty", "", "f.yaml: holds neither"},
		{"another kind", "kind: Pod\napiVersion: v1\n", "f.yaml: holds neither"},
		{"another version", "kind: NodeConfig\napiVersion: planec.io/v2\n", `f.yaml:1: apiVersion: "planec.io/v2" is not a version`},
		{"two", own + "---\n" + own, "f.yaml:4: a second configuration"},
		{"broken", own + "a: [", "f.yaml:"},
		{"unknown", own + "clusterCidr: 10.0.0.0/8\n", "f.yaml:3: unknown field clusterCidr: did you mean clusterCIDR?"},
		{"unknown in a section", proxy + "iptables:\n  masqueradAll: true\n", "f.yaml:4: iptables: unknown field masqueradAll: did you mean masqueradeAll?"},
		{"unknown and unlike", own + "zzz: 1\n", "f.yaml:3: unknown field zzz"},
		{"twice", own + "node: a\nnode: b\n", "f.yaml:4: node: stands twice"},
		{"alias", own + "node: &a x\nserviceCIDR: *a\n", "f.yaml:4: aliases are not read"},
		{"type", own + "masqueradeAll: \"true\"\n", "f.yaml:3: masqueradeAll: want true or false"},
		{"bit", own + "masqueradeBit: 32\n", "f.yaml:3: masqueradeBit: 32 is no bit"},
		{"bit type", own + "masqueradeBit: 1.5\n", "f.yaml:3: masqueradeBit: want a whole number"},
		{"cidr", own + "serviceCIDR:\n- 10.0.0.0/8\n- nope\n", `f.yaml:5: serviceCIDR[1]: "nope" is no CIDR`},
		{"mapped", own + "serviceCIDR: ::ffff:10.0.0.0/104\n", "written as IPv6"},
		{"two of a family", own + "clusterCIDR: 10.0.0.0/8,10.1.0.0/16\n", "f.yaml:3: clusterCIDR: more than one ipv4 range"},
		{"detect", own + "detectLocal: bridge:a/b\n", "cannot be the name of an interface"},
		{"address", own + "localAddresses: [fe80::1%eth0]\n", "is no IP address"},
		{"masq limit", own + "masqAgent:\n  cidrLimit: 1\n  nonMasqueradeCIDRs: [10.0.0.0/8, 11.0.0.0/8]\n", "f.yaml:5: masqAgent.nonMasqueradeCIDRs: 2 ranges, and cidrLimit allows 1"},
		{"masq unaligned", own + "masqAgent:\n  nonMasqueradeCIDRs: [10.0.0.1/8]\n", "has bits after its prefix: want 10.0.0.0/8"},
		{"masq unknown", own + "masqAgent: {masqLinklocal: true}\n", "did you mean masqLinkLocal?"},
		{"mode", proxy + "mode: userspace\n", "f.yaml:3: mode: \"userspace\" is no mode"},
		{"detect mode", proxy + "detectLocalMode: clusterCIDR\n", "did you mean ClusterCIDR?"},
		{"bridge without a name", proxy + "detectLocalMode: BridgeInterface\n", "detectLocal.bridgeInterface: the name of the interface is missing"},
		{"hostile name", own + "node: \"a\\u001b[2J\"\n", "cannot be the name of a node"},
		{"inside a ConfigMap", "apiVersion: v1\nkind: ConfigMap\ndata:\n  config.conf: |\n    kind: KubeProxyConfiguration\n    apiVersion: kubeproxy.config.k8s.io/v1alpha1\n    mode: x\n", "f.yaml:7: mode: "},
		{"not UTF-8", "a: \xff", "f.yaml: is not UTF-8"},
		{"deep", own + "node: " + strings.Repeat("[", 5000), "f.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Read("f.yaml", []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v does not contain %q", err, tt.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	if _, _, err := Load(path); err == nil {
		t.Error("no error for a file that does not exist")
	}
	if err := os.WriteFile(path, []byte(ownFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, _, err := Load(path); err != nil || c.Node != "node-a" {
		t.Error(c, err)
	}
	if _, _, err := Load(t.TempDir()); err == nil {
		t.Error("no error for a directory")
	}
	if err := os.WriteFile(path, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(path); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(ownFile))
	f.Add([]byte(kubeadmConfigMap))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("nonMasqueradeCIDRs: [::/0]\nresyncInterval: 1s\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, _, err := Read("f", text)
		if err == nil {
			if CheckMasqueradeBit(c.MasqueradeBit) != nil {
				t.Errorf("mark bit %d", c.MasqueradeBit)
			}
			if d := c.Config.DetectLocal; d.Interface != "" && !ir.ValidInterface(d.Interface) {
				t.Errorf("interface %q", d.Interface)
			}
		} else if strings.ContainsAny(err.Error(), "\x1b\x00\r") {
			t.Errorf("control characters in %q", err)
		}
		if m, _, err := ReadMasquerade("f", text, false); err == nil {
			for i, p := range m.Exclude {
				if i > 0 && m.Exclude[i-1].Overlaps(p) {
					t.Errorf("%v overlaps %v", m.Exclude[i-1], p)
				}
			}
		}
	})
}
