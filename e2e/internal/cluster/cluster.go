package cluster

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/planec/planec/e2e/internal/process"
)

// Options are the settings of a cluster.
type Options struct {
	// Address is the node's address. The API server listens on it, and the
	// Service default/kubernetes leads to it, as in a real cluster.
	Address netip.Addr
	// ServiceRanges is --service-cluster-ip-range; "" is DefaultServiceRanges.
	// The family of its first range is the cluster's, and that of Address.
	ServiceRanges string
	// APIServer holds additional flags for the API server.
	APIServer []string
}

// DefaultServiceRanges make a dual-stack cluster that prefers IPv4.
const DefaultServiceRanges = "10.96.0.0/12,fd00:96::/112"

// Cluster is an etcd and an API server.
type Cluster struct {
	Etcd, APIServer *Server // the two processes; tests may stop them

	in      *process.Namespace
	dir     string // certificates, kubeconfigs
	address netip.Addr
	admin   *kubernetes.Clientset
}

// startTimeout is generous: both start in about two seconds on an idle machine.
const startTimeout = time.Minute

// Start starts both servers in the namespace, waits until the API server is
// ready, and stops them when the test ends. It builds them first if this
// machine has not done so yet.
func Start(t testing.TB, in *process.Namespace, o Options) *Cluster {
	t.Helper()
	c := &Cluster{in: in, dir: t.TempDir(), address: o.Address}
	if o.ServiceRanges == "" {
		o.ServiceRanges = DefaultServiceRanges
	}
	if err := c.identities(); err != nil {
		t.Fatalf("identities for the API server: %v", err)
	}
	c.Etcd = c.newEtcd(t)
	c.APIServer = c.newAPIServer(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	for _, s := range []*Server{c.Etcd, c.APIServer} {
		if err := s.Start(ctx); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if c.admin, err = kubernetes.NewForConfig(c.Config()); err != nil {
		t.Fatalf("client of the API server: %v", err)
	}
	return c
}

// Client is the administrator's client. It connects from inside the namespace,
// without a rate limit.
func (c *Cluster) Client() *kubernetes.Clientset { return c.admin }

// Config configures further administrator's clients: dynamic ones, informers.
func (c *Cluster) Config() *rest.Config { return c.config(adminToken) }

func (c *Cluster) config(token string) *rest.Config {
	return &rest.Config{
		Host:            c.url(),
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{CAFile: c.certificate()},
		Dial:            c.in.Dial,
		QPS:             -1, // no limit
	}
}

// Endpoint is the address of the API server.
func (c *Cluster) Endpoint() netip.AddrPort { return netip.AddrPortFrom(c.address, apiServerPort) }

func (c *Cluster) url() string {
	return "https://" + c.Endpoint().String()
}

// certificate is the file with the API server's certificate, which the
// server makes when it first starts, and that of the signing authority.
func (c *Cluster) certificate() string { return filepath.Join(c.dir, "apiserver.crt") }

// Version is the version that the API server reports, such as "v1.37.2".
func (c *Cluster) Version() (string, error) {
	v, err := c.admin.Discovery().ServerVersion()
	if err != nil {
		return "", fmt.Errorf("version of the API server: %w", err)
	}
	return v.GitVersion, nil
}
