package cluster

import (
	"context"
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/planec/planec/e2e/internal/process"
	"github.com/planec/planec/e2e/internal/programs"
)

// apiServerPort is the API server's usual port; the namespace belongs to the test.
const apiServerPort = 6443

func (c *Cluster) newAPIServer(t testing.TB, o Options) *Server {
	t.Helper()
	argv := []string{
		programs.Kubernetes(t, "kube-apiserver"),
		"--etcd-servers=" + etcdURL,
		"--bind-address=0.0.0.0",
		"--advertise-address=" + o.Address.String(),
		"--cert-dir=" + c.dir,
		"--service-cluster-ip-range=" + o.ServiceRanges,
		"--authorization-mode=RBAC",
		// As kubeadm has it, for pods that write settings of the kernel.
		"--allow-privileged",
		"--token-auth-file=" + c.tokens(),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.signingKey(),
		"--service-account-signing-key-file=" + c.signingKey(),
		// Pods of a test have no account: no controller creates one.
		"--disable-admission-plugins=ServiceAccount",
		// The test is the only client, so nothing limits it.
		"--enable-priority-and-fairness=false", "--max-requests-inflight=0", "--max-mutating-requests-inflight=0",
	}
	p := process.New(t, c.in, "kube-apiserver", nil, append(argv, o.APIServer...)...)
	client := &http.Client{Transport: &http.Transport{
		DialContext: c.in.Dial, DisableKeepAlives: true,
		// The server makes its certificate when it starts; this only queries its health.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	return &Server{Program: p, ready: func(ctx context.Context) error {
		_, err := process.Get(ctx, client, c.url()+"/readyz", adminToken)
		return err
	}}
}
