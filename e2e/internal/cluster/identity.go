package cluster

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// The predefined users of the API server. The second has exactly the rights
// that the bootstrap policy gives kube-proxy (system:node-proxier).
const (
	adminToken = "admin-token"
	proxyToken = "kube-proxy-token"
	users      = adminToken + ",admin,1,system:masters\n" + proxyToken + ",system:kube-proxy,2\n"
)

func (c *Cluster) tokens() string     { return filepath.Join(c.dir, "tokens.csv") }
func (c *Cluster) signingKey() string { return filepath.Join(c.dir, "service-accounts.key") }

// identities writes the API server's user files.
func (c *Cluster) identities() error {
	if err := os.WriteFile(c.tokens(), []byte(users), 0o600); err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return os.WriteFile(c.signingKey(), block, 0o600)
}

// Kubeconfig writes the administrator's kubeconfig and returns its path.
func (c *Cluster) Kubeconfig() (string, error) { return c.kubeconfig("admin", adminToken) }

// KubeProxyKubeconfig writes the kubeconfig of the user system:kube-proxy.
func (c *Cluster) KubeProxyKubeconfig() (string, error) {
	return c.kubeconfig("kube-proxy", proxyToken)
}

// ServiceAccountKubeconfig writes a kubeconfig with a real token of an
// existing service account, like that of a pod. Its user has the rights of
// the account's roles.
func (c *Cluster) ServiceAccountKubeconfig(ctx context.Context, namespace, name string) (string, error) {
	seconds := int64(24 * 60 * 60)
	req := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	answer, err := c.admin.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, req, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("token of service account %s/%s: %w", namespace, name, err)
	}
	return c.kubeconfig(namespace+"-"+name, answer.Status.Token)
}

// Through returns a copy of a kubeconfig with another address, such as a
// proxy's, that still verifies the API server's certificate.
func (c *Cluster) Through(kubeconfig string, address netip.AddrPort) (string, error) {
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return "", err
	}
	for _, cluster := range config.Clusters {
		cluster.Server, cluster.TLSServerName = "https://"+address.String(), c.address.String()
	}
	path := kubeconfig + "-through-" + strconv.Itoa(int(address.Port()))
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return "", fmt.Errorf("kubeconfig through %v: %w", address, err)
	}
	return path, nil
}

func (c *Cluster) kubeconfig(user, token string) (string, error) {
	const cluster = "e2e"
	config := clientcmdapi.NewConfig()
	config.Clusters[cluster] = &clientcmdapi.Cluster{Server: c.url(), CertificateAuthority: c.certificate()}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: user}
	config.CurrentContext = cluster
	path := filepath.Join(c.dir, user+".kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return "", fmt.Errorf("kubeconfig of %s: %w", user, err)
	}
	return path, nil
}
