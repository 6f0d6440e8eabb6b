// Package kubeproxy runs the real kube-proxy in a node's namespace, for tests
// that run beside it or take over from it.
package kubeproxy

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"text/template"

	"github.com/planec/planec/e2e/internal/process"
	"github.com/planec/planec/e2e/internal/programs"
)

// Mode is a mode of kube-proxy.
type Mode string

// The modes that the kernels of test machines support; IPVS is not among them.
const (
	NFTables Mode = "nftables"
	IPTables Mode = "iptables"
)

// Modes lists them.
func Modes() []Mode { return []Mode{NFTables, IPTables} }

// Tools are the programs that kube-proxy needs in a mode, for testkit.Require.
func (m Mode) Tools() []string {
	if m == NFTables {
		return []string{"nft"}
	}
	return []string{"iptables", "iptables-restore", "iptables-save", "ip6tables", "ip6tables-restore", "ip6tables-save"}
}

// Options are kube-proxy's settings.
type Options struct {
	Mode Mode // nftables, iptables or ipvs
	// Node is the name of the Node object, which must have an address: without
	// one, kube-proxy waits half a minute for it.
	Node       string
	Kubeconfig string // the path of a file
	// ClusterCIDR holds the pods' ranges, one per family, joined by commas.
	ClusterCIDR string
}

// Ports and times. The metrics port is kube-proxy's default, so that readers
// of its metrics also work with the agent's.
const (
	healthzAddress = "0.0.0.0:10256"
	metricsAddress = "127.0.0.1:10249"
)

// config contains only kube-proxy's defaults, with one exception:
// nf_conntrack_max belongs to the machine and cannot be written in a network
// namespace.
var config = template.Must(template.New("").Parse(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: {{.Mode}}
hostnameOverride: {{.Node}}
clientConnection:
  kubeconfig: {{.Kubeconfig}}
clusterCIDR: {{.ClusterCIDR}}
healthzBindAddress: ` + healthzAddress + `
metricsBindAddress: ` + metricsAddress + `
conntrack:
  maxPerCore: 0
`))

// Proxy is a kube-proxy with the faults of a [process.Program]. A killed
// kube-proxy leaves its rules in the kernel.
type Proxy struct {
	*process.Program
	in     *process.Namespace
	config string
	client *http.Client
}

// Start starts kube-proxy without waiting for its rules; see Synced.
func Start(t testing.TB, in *process.Namespace, o Options) *Proxy {
	t.Helper()
	p := &Proxy{in: in, config: filepath.Join(t.TempDir(), "kube-proxy.yaml"), client: in.HTTP()}
	var file bytes.Buffer
	if err := config.Execute(&file, o); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.config, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Program = process.New(t, in, "kube-proxy-"+string(o.Mode), nil,
		programs.Kubernetes(t, "kube-proxy"), "--config="+p.config, "--v=2")
	if err := p.Program.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// Cleanup runs `kube-proxy --cleanup`, which removes the rules of all modes.
func (p *Proxy) Cleanup(t testing.TB) error {
	t.Helper()
	return p.in.Run(programs.Kubernetes(t, "kube-proxy"), "--config="+p.config, "--cleanup")
}
