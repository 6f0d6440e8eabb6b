package nodeconfig

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/podnet"
)

// NodeConfig is the content of a configuration file.
type NodeConfig struct {
	// Node is the node's name, or "".
	Node string
	// Config holds the settings for the compiler.
	Config objects.Config
	// MasqueradeBit is the bit of the packet mark, 0 to 31, that backends use;
	// the default is 14.
	MasqueradeBit int
	// Scheduler is how IPVS chooses an endpoint; "" means the default.
	Scheduler string
	// UntrackedPods is for backend ebpf: see [backends.Options].
	UntrackedPods bool
	// PoliciesAtInterfaces is for backend ebpf: see [backends.Options].
	PoliciesAtInterfaces bool
	// DirectPods is for backend ebpf: see [backends.Options].
	DirectPods bool
	// CNI is the network plugin whose preset gives defaults: a name or an alias of
	// internal/input/cni, "auto", or "" for none.
	CNI string
	// PodRoutes are the routes to pods of other nodes; off by default.
	PodRoutes podnet.Settings
	// BGP is what writes how addresses are announced by BGP: "frr", or "" for nothing.
	BGP string
	// BGPPasswords writes passwords of neighbors in clear.
	BGPPasswords bool
	// Proxy holds the settings for the agent's process.
	Proxy Proxy
}

// Default is the configuration without a file.
func Default() NodeConfig { return NodeConfig{MasqueradeBit: backends.DefaultMasqueradeBit} }

// Options are the settings that backends use.
func (c *NodeConfig) Options() backends.Options {
	o := backends.DefaultOptions()
	o.MasqueradeBit, o.Scheduler = c.MasqueradeBit, c.Scheduler
	o.UntrackedPods, o.PoliciesAtInterfaces, o.DirectPods = c.UntrackedPods, c.PoliciesAtInterfaces, c.DirectPods
	return o
}

// The kinds of configuration files.
const (
	ownGroup   = "planec.io/v1alpha1"
	ownKind    = "NodeConfig"
	proxyGroup = "kubeproxy.config.k8s.io/v1alpha1"
	proxyKind  = "KubeProxyConfiguration"
	// proxyKey is the ConfigMap key of kube-proxy's configuration, as kubeadm writes it.
	proxyKey = "config.conf"
)

// Load reads a file of any supported kind.
func Load(path string) (NodeConfig, diag.List, error) {
	text, err := readFile(path)
	if err != nil {
		return NodeConfig{}, nil, err
	}
	return Read(path, text)
}

// Read reads the text of a file with the given name; see [Load]. It skips
// other documents, such as kubeadm's ClusterConfiguration.
func Read(name string, text []byte) (NodeConfig, diag.List, error) {
	r := &reader{file: name}
	c := Default()
	var found []*yaml.Node
	for _, root := range r.documents(text, 0) {
		if r.isConfig(root) {
			found = append(found, root)
		}
	}
	switch {
	case r.failed():
	case len(found) == 0:
		r.fail(0, "", "holds neither a %s %s nor a %s %s", ownGroup, ownKind, proxyGroup, proxyKind)
	case len(found) > 1:
		r.fail(found[1].Line, "", "a second configuration in one file")
	default:
		c = r.config(found[0])
	}
	if err := r.err(); err != nil {
		return NodeConfig{}, nil, err
	}
	return c, r.notes, nil
}

// isConfig reports whether the document is, or contains, a configuration.
func (r *reader) isConfig(root *yaml.Node) bool {
	group, kind := typeOf(root)
	switch {
	case kind == ownKind && strings.HasPrefix(group, "planec.io/"),
		kind == proxyKind && strings.HasPrefix(group, "kubeproxy.config.k8s.io/"):
		return true
	case kind == "ConfigMap" && group == "v1":
		return nodeAt(root, "data", proxyKey) != nil
	}
	return false
}

func (r *reader) config(root *yaml.Node) NodeConfig {
	group, kind := typeOf(root)
	switch {
	case kind == "ConfigMap":
		inner := r.nested(nodeAt(root, "data", proxyKey))
		if group, kind := typeOf(inner); inner == nil || group != proxyGroup || kind != proxyKind {
			r.fail(root.Line, "data["+proxyKey+"]", "is no %s %s", proxyGroup, proxyKind)
			return NodeConfig{}
		}
		return r.kubeProxy(inner)
	case kind == ownKind && group == ownGroup:
		return r.own(root)
	case kind == proxyKind && group == proxyGroup:
		return r.kubeProxy(root)
	}
	r.fail(root.Line, "apiVersion", "%q is not a version that is read: want %s or %s", group, ownGroup, proxyGroup)
	return NodeConfig{}
}

// reader collects the errors of one file.
type reader struct {
	file  string
	errs  []error
	notes diag.List
}

func (r *reader) failed() bool { return len(r.errs) > 0 }

func (r *reader) err() error { return errors.Join(r.errs...) }

// maxErrors bounds the errors of one file.
const maxErrors = 20

func (r *reader) fail(line int, path, format string, args ...any) {
	if len(r.errs) >= maxErrors {
		return
	}
	at := r.file
	if line > 0 {
		at = fmt.Sprintf("%s:%d", r.file, line)
	}
	if path != "" {
		at += ": " + path
	}
	r.errs = append(r.errs, errors.New(diag.Printable(at+": "+fmt.Sprintf(format, args...))))
}
