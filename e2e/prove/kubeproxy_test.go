package prove

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	utilsysctl "k8s.io/component-helpers/node/util/sysctl"
	apicore "k8s.io/kubernetes/pkg/apis/core/v1"
	apidiscovery "k8s.io/kubernetes/pkg/apis/discovery/v1"
	"k8s.io/kubernetes/pkg/proxy"
	kubeproxyconfig "k8s.io/kubernetes/pkg/proxy/apis/config"
	"k8s.io/kubernetes/pkg/proxy/iptables"
	"k8s.io/kubernetes/pkg/proxy/ipvs"
	utilipset "k8s.io/kubernetes/pkg/proxy/ipvs/ipset"
	utilipvs "k8s.io/kubernetes/pkg/proxy/ipvs/util"
	"k8s.io/kubernetes/pkg/proxy/nftables"
	proxyutil "k8s.io/kubernetes/pkg/proxy/util"
	utiliptables "k8s.io/kubernetes/pkg/util/iptables"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/interp/foreign"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
)

// families are kube-proxy's names of planec's.
var families = map[ir.Family]corev1.IPFamily{ir.IPv4: corev1.IPv4Protocol, ir.IPv6: corev1.IPv6Protocol}

// kubeProxy is kube-proxy in one mode on the node of a cluster.
type kubeProxy struct {
	randomcluster.Cluster
	name string // of the node
	mode kubeproxyconfig.ProxyMode
}

// rules runs kube-proxy in a network namespace of its own, which has the node's addresses,
// and returns what the kernel lists afterwards: one text for nftables, one of each family for
// iptables, and one with the output of several commands for IPVS.
func (k *kubeProxy) rules() (texts [][]byte, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread and its namespace end with the goroutine
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			texts, err = k.inside()
		}
	}()
	<-done
	return texts, err
}

func (k *kubeProxy) inside() ([][]byte, error) {
	if err := k.addresses(); err != nil {
		return nil, err
	}
	if err := k.syncs(); err != nil {
		return nil, err
	}
	switch k.mode {
	case kubeproxyconfig.ProxyModeNFTables:
		text, err := output("nft", "list", "ruleset")
		return [][]byte{text}, err
	case kubeproxyconfig.ProxyModeIPVS:
		commands, _, _ := strings.Cut(foreign.Recording, " > ")
		text, err := output("sh", "-e", "-c", commands)
		return [][]byte{text}, err
	}
	var out [][]byte
	for _, f := range k.families() {
		name := map[ir.Family]string{ir.IPv4: "iptables-save", ir.IPv6: "ip6tables-save"}[f]
		text, err := output(name)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

func output(name string, args ...string) ([]byte, error) {
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", name, err, stderr.Bytes())
	}
	return text, err
}

// node is the Node object that the cluster is compiled for.
func (k *kubeProxy) node() *corev1.Node {
	i := slices.IndexFunc(k.Objects.Nodes, func(n objects.Sourced[*corev1.Node]) bool { return n.Object.Name == k.name })
	return k.Objects.Nodes[i].Object
}

// families are those in which the node has an address.
func (k *kubeProxy) families() (out []ir.Family) {
	for _, f := range []ir.Family{ir.IPv4, ir.IPv6} {
		if k.address(f).IsValid() {
			out = append(out, f)
		}
	}
	return out
}

func (k *kubeProxy) address(f ir.Family) netip.Addr {
	for _, a := range k.node().Status.Addresses {
		if addr, err := netip.ParseAddr(a.Address); err == nil && addr.Is4() == (f == ir.IPv4) {
			return addr
		}
	}
	return netip.Addr{}
}

// addresses gives the namespace the addresses of the node.
func (k *kubeProxy) addresses() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return err
	}
	list := slices.Clone(k.Config.LocalAddresses)
	for _, f := range k.families() {
		list = append(list, k.address(f))
	}
	for _, a := range list {
		addr := &netlink.Addr{IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())}}
		if err := netlink.AddrAdd(lo, addr); err != nil {
			return fmt.Errorf("address %v: %w", a, err)
		}
	}
	return nil
}

// settings are the cluster's as kube-proxy reads them.
func (k *kubeProxy) settings() *kubeproxyconfig.KubeProxyConfiguration {
	bit, no := int32(14), false
	c := &kubeproxyconfig.KubeProxyConfiguration{Mode: k.mode}
	c.SyncPeriod, c.MinSyncPeriod = metav1.Duration{Duration: 30e9}, metav1.Duration{Duration: 1e9}
	c.Linux.MasqueradeAll = k.Config.MasqueradeAll
	c.IPTables.MasqueradeBit, c.NFTables.MasqueradeBit, c.IPTables.LocalhostNodePorts = &bit, &bit, &no
	for _, p := range k.Config.NodePortAddresses.CIDRs {
		c.NodePortAddresses = append(c.NodePortAddresses, p.String())
	}
	if len(k.Config.NodePortAddresses.CIDRs) == 0 && k.mode == kubeproxyconfig.ProxyModeNFTables {
		// "primary" is nftables' default, and kube-proxy's server resolves it.
		for _, f := range k.families() {
			a := k.address(f)
			c.NodePortAddresses = append(c.NodePortAddresses, netip.PrefixFrom(a, a.BitLen()).String())
		}
	}
	return c
}

// detector is the one that kube-proxy's server makes of its settings.
func (k *kubeProxy) detector(f ir.Family) proxyutil.LocalTrafficDetector {
	d := k.Config.DetectLocal
	switch d.Mode {
	case objects.DetectByBridge:
		return proxyutil.NewDetectLocalByBridgeInterface(d.Interface)
	case objects.DetectByPrefix:
		return proxyutil.NewDetectLocalByInterfaceNamePrefix(d.Interface)
	case objects.DetectByNone:
		return proxyutil.NewNoOpLocalDetector()
	}
	ranges := k.Config.ClusterCIDRs
	if d.Mode == objects.DetectByNodeCIDR {
		ranges = nil
		for _, text := range k.node().Spec.PodCIDRs {
			ranges = append(ranges, netip.MustParsePrefix(text))
		}
	}
	for _, p := range ir.PrefixesOf(f, ranges) {
		return proxyutil.NewDetectLocalByCIDR(p.String())
	}
	return proxyutil.NewNoOpLocalDetector()
}

// proxier is what the proxiers of all modes have beside what an informer calls.
type proxier interface {
	proxy.Provider
	OnTopologyChange(map[string]string)
	OnServiceCIDRsChanged([]string)
}

func (k *kubeProxy) newProxier(f ir.Family) (proxier, error) {
	ctx, c, ip := context.Background(), k.settings(), net.IP(k.address(f).AsSlice())
	recorder := events.NewFakeRecorder(1000)
	if k.mode == kubeproxyconfig.ProxyModeNFTables {
		return nftables.NewProxier(ctx, c, families[f], k.detector(f), k.name, ip, recorder, nil, false)
	}
	tool := utiliptables.New(map[ir.Family]utiliptables.Protocol{ir.IPv4: utiliptables.ProtocolIPv4, ir.IPv6: utiliptables.ProtocolIPv6}[f])
	if k.mode == kubeproxyconfig.ProxyModeIPVS {
		b := newBatch()
		rules, sets := batchedRules{tool, b}, batchedSets{utilipset.New(), b}
		return ipvs.NewProxier(ctx, c, families[f], rules, utilipvs.New(), sets, utilsysctl.New(), k.detector(f), k.name, ip, recorder, nil, false)
	}
	return iptables.NewProxier(ctx, c, families[f], tool, liberal(k.Config.TCPBeLiberal), k.detector(f), k.name, ip, recorder, nil, false)
}

// liberal answers what kube-proxy asks of sysctls: nf_conntrack_tcp_be_liberal.
type liberal bool

func (l liberal) GetSysctl(string) (int, error) {
	if l {
		return 1, nil
	}
	return 0, nil
}

func (l liberal) SetSysctl(string, int) error { return nil }

// syncs has kube-proxy write its rules, and again where it failed to do all of it, as it would itself.
func (k *kubeProxy) syncs() error {
	const tries = 3
	failures.take()
	var said []string
	for range tries {
		for _, f := range k.families() {
			if err := k.sync(f); err != nil {
				return err
			}
		}
		if said = failures.take(); len(said) == 0 {
			return nil
		}
	}
	return fmt.Errorf("kube-proxy failed %d times: %q", tries, said)
}

// sync hands the objects to kube-proxy, as its informers would, and has it write its rules.
func (k *kubeProxy) sync(f ir.Family) error {
	p, err := k.newProxier(f)
	if err != nil {
		return fmt.Errorf("kube-proxy for %v: %w", f, err)
	}
	p.OnTopologyChange(k.node().Labels)
	var ranges []string
	for _, r := range k.Config.ServiceCIDRs {
		ranges = append(ranges, r.String())
	}
	p.OnServiceCIDRsChanged(ranges)
	for _, s := range k.Objects.Services {
		defaulted := s.Object.DeepCopy() // as the API server stores it
		apicore.SetObjectDefaults_Service(defaulted)
		for _, text := range defaulted.Spec.ClusterIPs {
			defaulted.Spec.IPFamilies = append(defaulted.Spec.IPFamilies, families[ir.FamilyOf(netip.MustParseAddr(text))])
		}
		p.OnServiceAdd(defaulted)
	}
	for _, s := range k.Objects.EndpointSlices {
		defaulted := s.Object.DeepCopy()
		apidiscovery.SetObjectDefaults_EndpointSlice(defaulted)
		p.OnEndpointSliceAdd(defaulted)
	}
	p.OnServiceSynced()
	p.OnEndpointSlicesSynced()
	return nil
}
