package cmd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/internal/agent/fqdn"
	"github.com/planec/planec/internal/agent/layer2"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/apply/frrload"
	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/internal/input/nodeflags"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// options are the values of the flags.
type options struct {
	planes              planes
	settings            nodeflags.Flags
	node, backend       string
	cgroup              string
	manifestDir         string
	kubeconfig          string
	policies            bool
	lbIPAM              bool
	lbClasses           []string
	lbLease             string
	l2Announce          bool
	l2Duration          time.Duration
	l2Namespace         string
	fqdnListen          string
	fqdnTTL             time.Duration
	frrDir              string
	frrRun              string
	frrReload           string
	endDenied           bool
	keepFlows           bool
	allowEmpty          bool
	keepGoing           bool
	healthzAddr         string
	metricsAddr         string
	stateDir            string
	verifyEvery         time.Duration
	noComments          bool
	sysctls             bool
	profiling           bool
	countConnections    bool
	takeover            string
	cleanup             bool
	initOnly            bool
	logFormat, logLevel string
	flags               *pflag.FlagSet
}

// Defaults, the same as kube-proxy's (pkg/proxy/apis/config/v1alpha1/defaults.go).
const (
	defaultHealthz = "0.0.0.0:10256"
	defaultMetrics = "127.0.0.1:10249"
)

func (o *options) register(flags *pflag.FlagSet) {
	o.flags = flags
	o.settings.Register(flags)
	o.settings.RegisterDetection(flags)
	flags.StringVar(&o.node, "node", "", "name of this node; the environment's NODE_NAME, or the host's name, by default")
	flags.StringVar(&o.backend, "backend", "", "backend to use: nftables (the default), iptables, ipvs or ebpf; a kube-proxy configuration's mode counts too")
	flags.StringVar(&o.cgroup, "cgroup", "", "cgroup2 directory whose sockets the programs of backend ebpf see; the root of cgroup2 by default")
	flags.StringVar(&o.manifestDir, "manifest-dir", "", "directory of manifests to follow, instead of an API server")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "how to reach the API server; as a pod in the cluster by default")
	flags.BoolVar(&o.policies, "policies", false, "enforce network policies too")
	flags.BoolVar(&o.lbIPAM, "lb-ipam", false, "give Services of type LoadBalancer addresses of pools, in the one agent of the cluster that holds a Lease")
	flags.StringSliceVar(&o.lbClasses, "lb-class", ipam.DefaultClasses(), "with --lb-ipam: loadBalancerClasses whose Services get addresses; - stands for Services without a class")
	flags.StringVar(&o.lbLease, "lb-lease", "kube-system/planec-lb-ipam", "with --lb-ipam: namespace and name of the Lease")
	flags.BoolVar(&o.l2Announce, "l2-announce", false, "answer for addresses of Services on the node's own network segment, by ARP and NDP, as L2Advertisements and CiliumL2AnnouncementPolicies say")
	flags.DurationVar(&o.l2Duration, "l2-lease-duration", layer2.DefaultDuration, "with --l2-announce: how long a node counts as alive after it was heard last")
	flags.StringVar(&o.l2Namespace, "l2-namespace", "kube-system", "with --l2-announce: namespace of the Leases by which nodes agree")
	flags.StringVar(&o.fqdnListen, "fqdn-listen", "", "with --policies: path of a unix socket on which a resolver of the node says what it answered (dnstap): policies have the addresses of their DNS names from there, beside those of --fqdn-file")
	flags.DurationVar(&o.fqdnTTL, "fqdn-ttl-min", fqdn.DefaultFloor, "with --fqdn-listen: how long an address counts at least, whatever its TTL")
	flags.StringVar(&o.frrDir, "frr-dir", "", "with --bgp frr: directory in which the agent keeps frr.conf, such as /etc/frr; empty for no file")
	flags.StringVar(&o.frrRun, "frr-run", frrload.DefaultRun, "with --frr-dir: directory of FRR's sockets")
	flags.StringVar(&o.frrReload, "frr-reload", frrload.DefaultReload, "with --frr-dir: FRR's frr-reload.py, which loads frr.conf; empty leaves that to another program")
	flags.BoolVar(&o.endDenied, "end-denied", false, "end connections that policies deny now")
	flags.BoolVar(&o.keepFlows, "keep-flows", false, "leave UDP and SCTP flows to endpoints that are gone alone")
	flags.BoolVar(&o.keepGoing, "keep-going", false, "begin without the files of --manifest-dir that are wrong, though the kernel serves what they said before")
	flags.BoolVar(&o.allowEmpty, "allow-empty", false, "remove the kernel's rules when the objects leave nothing to serve")
	flags.StringVar(&o.healthzAddr, "healthz-bind-address", defaultHealthz, "where /healthz and /livez are served; empty for nowhere")
	flags.StringVar(&o.metricsAddr, "metrics-bind-address", defaultMetrics, "where /metrics is served; empty for nowhere")
	flags.StringVar(&o.stateDir, "state-dir", "/var/lib/planec", "where the last good artifacts are kept")
	flags.DurationVar(&o.verifyEvery, "verify-every", 10*time.Minute, "how often the kernel is compared as a whole; 0 for never")
	flags.BoolVar(&o.noComments, "no-comments", false, "leave the names of Services out of the rules")
	flags.BoolVar(&o.sysctls, "sysctls", true, "set connection tracking's limits and timeouts, as kube-proxy does, and turn IPv4 forwarding on")
	flags.BoolVar(&o.profiling, "profiling", false, "serve /debug/pprof beside the metrics")
	flags.BoolVar(&o.countConnections, "count-connections", false, "ebpf: count the connections of each Service port, as metrics")
	flags.StringVar(&o.takeover, "takeover", "", "remove the rules of this other proxy once those of planec serve: kube-proxy")
	flags.BoolVar(&o.cleanup, "cleanup", false, "remove everything of planec from this kernel, and end")
	flags.BoolVar(&o.initOnly, "init-only", false, "set the kernel's settings, which takes more privileges than the rest, and end")
	flags.StringVar(&o.logFormat, "log-format", "text", "text or json")
	flags.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
}

// errUsage wraps mistakes in the command line.
var errUsage = errors.New("usage")

func usage(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errUsage, fmt.Errorf(format, args...))
}

// wordUsage returns the error of a flag that accepts only certain words.
func wordUsage(flag, value string, words ...string) error {
	return usage("--%s %q: want one of %s%s", flag, value, strings.Join(words, ", "), suggest.DidYouMean(value, words))
}

// read reads the settings and completes the flags: first from the file, then from
// the defaults.
func (o *options) read() (nodeconfig.NodeConfig, diag.List, error) {
	c, diags, err := o.settings.Read()
	if err != nil {
		return c, nil, usage("%w", err)
	}
	o.fill("healthz-bind-address", &o.healthzAddr, c.Proxy.HealthzBindAddress)
	o.fill("metrics-bind-address", &o.metricsAddr, c.Proxy.MetricsBindAddress)
	o.fill("kubeconfig", &o.kubeconfig, c.Proxy.Kubeconfig)
	o.fill("backend", &o.backend, c.Proxy.Mode)
	if !o.flags.Changed("profiling") {
		o.profiling = o.profiling || c.Proxy.EnableProfiling
	}
	if o.backend == "" {
		o.backend = "nftables"
	}
	if err := o.place(); err != nil {
		return c, nil, err
	}
	if o.takeover != "" && o.takeover != "kube-proxy" {
		return c, nil, usage("--takeover %q: only the rules of kube-proxy can be taken over%s", o.takeover, suggest.DidYouMean(o.takeover, []string{"kube-proxy"}))
	}
	if o.manifestDir != "" && o.flags.Changed("kubeconfig") {
		return c, nil, usage("give --manifest-dir or --kubeconfig, not both")
	}
	if err := o.learned(); err != nil {
		return c, nil, err
	}
	if err := o.spoken(c.BGP); err != nil {
		return c, nil, err
	}
	if err := o.balanced(); err != nil {
		return c, nil, err
	}
	if err := o.addresses(); err != nil {
		return c, nil, err
	}
	if o.verifyEvery < 0 {
		return c, nil, usage("--verify-every %v: want a duration that is not negative; 0 is never", o.verifyEvery)
	}
	if err := o.name(c.Node); err != nil {
		return c, nil, err
	}
	if bad := validation.IsDNS1123Subdomain(o.node); len(bad) > 0 {
		return c, nil, usage("--node %q: no Node can have this name: %s", o.node, strings.Join(bad, "; "))
	}
	return c, diags, nil
}

// place checks the cgroup for ebpf's programs, and finds the one by default. Only ebpf has
// programs.
func (o *options) place() (err error) {
	switch {
	case o.countConnections && o.backend != ebpf.Name:
		return usage("--count-connections has no meaning with backend %s: only ebpf's programs count", o.backend)
	case o.cgroup != "" && o.backend != ebpf.Name:
		return usage("--cgroup has no meaning with backend %s: only ebpf has programs", o.backend)
	case o.cgroup != "":
		if err := dataplane.CheckCgroup(o.cgroup); err != nil {
			return usage("--cgroup: %w", err)
		}
	case o.backend == ebpf.Name && !o.initOnly && !o.cleanup:
		if o.cgroup, err = dataplane.Root(); err != nil {
			return usage("%w", err)
		}
	}
	return nil
}

// addresses checks the listening addresses, and adds a missing port, as kube-proxy
// does.
func (o *options) addresses() error {
	for _, a := range []struct {
		flag, standard string
		value          *string
	}{
		{"healthz-bind-address", defaultHealthz, &o.healthzAddr},
		{"metrics-bind-address", defaultMetrics, &o.metricsAddr},
	} {
		if *a.value == "" {
			continue
		}
		if ip, err := netip.ParseAddr(strings.Trim(*a.value, "[]")); err == nil {
			_, port, _ := strings.Cut(a.standard, ":")
			*a.value = net.JoinHostPort(ip.String(), port)
		}
		host, port, err := net.SplitHostPort(*a.value)
		if err == nil {
			err = checkHost(host)
		}
		if err != nil {
			return usage("--%s %q: want an address and a port, as in %s: %w", a.flag, *a.value, a.standard, err)
		}
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return usage("--%s %q: %q is no port", a.flag, *a.value, port)
		}
	}
	return nil
}

// checkHost accepts addresses, names, and "", which means every address.
func checkHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return nil
	}
	// A name whose last label is a number is a misspelled address.
	last := host[strings.LastIndexByte(host, '.')+1:]
	if _, err := strconv.Atoi(last); err == nil || len(validation.IsDNS1123Subdomain(host)) > 0 {
		return fmt.Errorf("%q is neither an address nor a name", host)
	}
	return nil
}

func (o *options) fill(flag string, value *string, fromFile string) {
	if !o.flags.Changed(flag) && fromFile != "" {
		*value = fromFile
	}
}

// name determines the node's name.
func (o *options) name(configured string) error {
	for _, name := range []string{configured, os.Getenv("NODE_NAME")} {
		if o.node == "" {
			o.node = name
		}
	}
	if o.node != "" {
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("the node's name: %w", err)
	}
	// As kubelet and kube-proxy write it (GetHostname in pkg/util/node).
	o.node = strings.ToLower(strings.TrimSpace(host))
	return nil
}

// noteBackend adds findings about the selected backend.
func (o *options) noteBackend(c *nodeconfig.NodeConfig, said diag.List) diag.List {
	if n := o.settings.Network(); n != nil && n.System != nil {
		said = append(said, c.NetworkMarks(n.System, o.backend)...)
	}
	known := slices.ContainsFunc(said, func(d diag.Diagnostic) bool { return d.Code == diag.DeprecatedMode })
	if o.backend == "ipvs" && !known {
		said.Add(diag.DeprecatedMode, ir.Origin{}, "the backend is ipvs")
	}
	return said
}

// selected returns the backend with its options.
func (o *options) selected(c nodeconfig.NodeConfig) (backends.Backend, error) {
	b := c.Options()
	b.NoComments = o.noComments
	all, err := registry.Select(b, o.backend)
	if err != nil || len(all) != 1 {
		return nil, wordUsage("backend", o.backend, registry.Names()...)
	}
	return all[0], nil
}
