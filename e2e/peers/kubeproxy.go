package peers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/tools/events"
	utilsysctl "k8s.io/component-helpers/node/util/sysctl"
	"k8s.io/klog/v2"
	"k8s.io/kube-proxy/config/v1alpha1"
	"k8s.io/kubernetes/pkg/proxy"
	proxyconfig "k8s.io/kubernetes/pkg/proxy/apis/config"
	"k8s.io/kubernetes/pkg/proxy/apis/config/scheme"
	"k8s.io/kubernetes/pkg/proxy/iptables"
	"k8s.io/kubernetes/pkg/proxy/ipvs"
	utilipset "k8s.io/kubernetes/pkg/proxy/ipvs/ipset"
	utilipvs "k8s.io/kubernetes/pkg/proxy/ipvs/util"
	"k8s.io/kubernetes/pkg/proxy/metrics"
	"k8s.io/kubernetes/pkg/proxy/nftables"
	proxyutil "k8s.io/kubernetes/pkg/proxy/util"
	utiliptables "k8s.io/kubernetes/pkg/util/iptables"

	"github.com/planec/planec/compiler/objects"
)

// kubeProxy has a proxier for each IP family, as kube-proxy on a node with both.
type kubeProxy struct {
	config    *proxyconfig.KubeProxyConfiguration
	proxiers  map[corev1.IPFamily]proxy.Provider
	complaint *complaint
}

func newKubeProxy(mode string) (side, error) {
	k := &kubeProxy{proxiers: make(map[corev1.IPFamily]proxy.Provider), complaint: &complaint{}}
	klog.LogToStderr(false)
	klog.SetOutput(k.complaint)
	versioned := &v1alpha1.KubeProxyConfiguration{}
	scheme.Scheme.Default(versioned)
	k.config = new(proxyconfig.KubeProxyConfiguration)
	if err := scheme.Scheme.Convert(versioned, k.config, nil); err != nil {
		return nil, fmt.Errorf("kube-proxy's defaults: %w", err)
	}
	k.config.Mode = proxyconfig.ProxyMode(mode)
	metrics.RegisterMetrics(k.config.Mode)
	return k, nil
}

// start does what kube-proxy does when its caches have synced.
func (k *kubeProxy) start(set *objects.Set) error {
	node := set.Nodes[0].Object
	for family, ip := range map[corev1.IPFamily]net.IP{
		corev1.IPv4Protocol: net.ParseIP(node.Status.Addresses[0].Address), corev1.IPv6Protocol: net.IPv6loopback,
	} {
		p, err := k.proxier(family, node.Name, ip)
		if err != nil {
			return fmt.Errorf("kube-proxy, %s: %w", family, err)
		}
		k.proxiers[family] = p
	}
	for _, p := range k.proxiers {
		for _, s := range set.Services {
			p.OnServiceAdd(s.Object)
		}
	}
	for _, s := range set.EndpointSlices {
		k.of(s.Object).OnEndpointSliceAdd(s.Object)
	}
	for _, p := range k.proxiers {
		p.OnEndpointSlicesSynced() // does not sync before both are there
		p.OnServiceSynced()
	}
	return k.complaint.err()
}

func (k *kubeProxy) proxier(family corev1.IPFamily, node string, ip net.IP) (proxy.Provider, error) {
	ctx, detector, recorder := context.Background(), proxyutil.NewNoOpLocalDetector(), &events.FakeRecorder{}
	switch k.config.Mode {
	case proxyconfig.ProxyModeNFTables:
		return nftables.NewProxier(ctx, k.config, family, detector, node, ip, recorder, nil, false)
	case proxyconfig.ProxyModeIPTables:
		ipt := utiliptables.NewBestEffort()[family]
		if ipt == nil {
			return nil, errNoIPTables
		}
		return iptables.NewProxier(ctx, k.config, family, ipt, utilsysctl.New(), detector, node, ip, recorder, nil, false)
	case proxyconfig.ProxyModeIPVS:
		ipt, sets, kernel := utiliptables.NewBestEffort()[family], utilipset.New(), utilipvs.New()
		if ipt == nil {
			return nil, errNoIPTables
		}
		if err := ipvs.CanUseIPVSProxier(ctx, kernel, sets, k.config.IPVS.Scheduler); err != nil {
			return nil, err
		}
		return ipvs.NewProxier(ctx, k.config, family, ipt, kernel, sets, utilsysctl.New(), detector, node, ip, recorder, nil, false)
	}
	return nil, fmt.Errorf("kube-proxy has no mode %q", k.config.Mode)
}

var errNoIPTables = errors.New("kube-proxy does not find iptables")

// of is the proxier that hears of a slice.
func (k *kubeProxy) of(s *discoveryv1.EndpointSlice) proxy.Provider {
	if s.AddressType == discoveryv1.AddressTypeIPv6 {
		return k.proxiers[corev1.IPv6Protocol]
	}
	return k.proxiers[corev1.IPv4Protocol]
}

func (k *kubeProxy) slice(changed *discoveryv1.EndpointSlice) error {
	p := k.of(changed)
	p.OnEndpointSliceUpdate(nil, changed)
	return k.sync(p)
}

func (k *kubeProxy) nothing(same *discoveryv1.EndpointSlice) error { return k.sync(k.of(same)) }

func (k *kubeProxy) event(same *discoveryv1.EndpointSlice) error {
	k.of(same).OnEndpointSliceUpdate(nil, same)
	return k.complaint.err()
}

// sync is one syncProxyRules, which the proxier exports as this only; its loop would call
// it at a time of its own.
func (k *kubeProxy) sync(p proxy.Provider) error {
	p.OnServiceSynced()
	return k.complaint.err()
}

// harmless are errors that kube-proxy logs without a sync having failed: of the nftables
// mode at the first sync in an empty kernel, and of the chain with which the iptables mode
// watches for others that flush its rules, where it waits for the lock that a sync has.
func harmless(line []byte) bool {
	return bytes.Contains(line, []byte("Failed to list existing sets")) || bytes.Contains(line, []byte("Could not set up iptables canary"))
}

// version is that of the module which the proxiers are from, as their source's path has it:
// a test binary has no build information about its modules.
func version() string {
	file, _ := runtime.FuncForPC(reflect.ValueOf(nftables.NewProxier).Pointer()).FileLine(0)
	_, after, _ := strings.Cut(file, "k8s.io/kubernetes@")
	found, _, _ := strings.Cut(after, "/")
	return cmp.Or(found, "of an unknown version")
}

// complaint keeps the errors that kube-proxy logs: a failed sync returns none.
type complaint struct {
	sync.Mutex
	lines []string
}

func (c *complaint) Write(line []byte) (int, error) {
	c.Lock()
	defer c.Unlock()
	failed := bytes.HasPrefix(line, []byte("E")) && !harmless(line)
	if failed || bytes.Contains(line, []byte("Sync failed")) {
		c.lines = append(c.lines, string(bytes.TrimSpace(line)))
	}
	return len(line), nil
}

func (c *complaint) err() error {
	c.Lock()
	defer c.Unlock()
	var errs []error
	for _, l := range slices.Compact(c.lines) {
		errs = append(errs, errors.New(l))
	}
	return errors.Join(errs...)
}
