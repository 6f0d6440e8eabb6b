package validate

import (
	"fmt"
	"net/netip"
	"regexp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"
)

// namespacedPod is equal in both versions of the API.
type namespacedPod = policyv1beta1.NamespacedPod

const (
	// maxNetworks is the maximum number of networks or domain names of a peer.
	maxNetworks = 25
	// maxCIDR is the maximum length of a network in characters.
	maxCIDR = 43
	// maxRuleName is the maximum length of a rule's name in characters.
	maxRuleName = 100
)

// subject checks the selection of a policy's pods.
func (c *checker) subject(namespaces *metav1.LabelSelector, pods *namespacedPod) {
	path := field.NewPath("spec", "subject")
	c.oneOf(path, namespaces != nil, pods != nil)
	c.selector(path.Child("namespaces"), namespaces)
	c.pods(path.Child("pods"), pods)
}

func (c *checker) pods(path *field.Path, p *namespacedPod) {
	if p != nil {
		c.selector(path.Child("namespaceSelector"), &p.NamespaceSelector)
		c.selector(path.Child("podSelector"), &p.PodSelector)
	}
}

// peer is an egress peer of any of the three kinds; an ingress peer has only the
// first two fields.
type peer[N, D ~string] struct {
	namespaces  *metav1.LabelSelector
	pods        *namespacedPod
	nodes       *metav1.LabelSelector
	networks    []N
	domainNames []D
}

// checkPeer accepts a peer without a known field, see the package comment.
func checkPeer[N, D ~string](c *checker, path *field.Path, p *peer[N, D]) {
	c.atMostOne(path, p.namespaces != nil, p.pods != nil, p.nodes != nil, p.networks != nil, p.domainNames != nil)
	c.selector(path.Child("namespaces"), p.namespaces)
	c.pods(path.Child("pods"), p.pods)
	c.selector(path.Child("nodes"), p.nodes)
	if p.networks != nil {
		checkNetworks(c, path.Child("networks"), p.networks)
	}
	if p.domainNames != nil {
		checkDomainNames(c, path.Child("domainNames"), p.domainNames)
	}
}

func checkNetworks[N ~string](c *checker, path *field.Path, networks []N) {
	if !c.length(path, len(networks), 1, maxNetworks) {
		return
	}
	each(c, path, networks, func(at *field.Path, n *N) {
		c.characters(at, string(*n), maxCIDR)
		// The CEL functions isCIDR and masked.
		if p, err := netip.ParsePrefix(string(*n)); err != nil || p.Addr().Is4In6() || c.masked && p != p.Masked() {
			c.Add(field.Invalid(at, string(*n), "Invalid CIDR format provided"))
		}
	})
	unique(c, path, networks)
}

// domainNamePattern is the API's; its "A-z" also admits a few characters between Z
// and a at the start of a label.
const domainNamePattern = `^(\*\.)?([a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$`

var domainName = regexp.MustCompile(domainNamePattern)

func checkDomainNames[D ~string](c *checker, path *field.Path, names []D) {
	if !c.length(path, len(names), 1, maxNetworks) {
		return
	}
	each(c, path, names, func(at *field.Path, n *D) {
		if !domainName.MatchString(string(*n)) {
			c.Add(field.Invalid(at, string(*n), fmt.Sprintf("%v in body should match '%s'", at, domainNamePattern)))
		}
	})
	unique(c, path, names)
}

// domainNamesNeed rejects domain names in a rule with another action than Accept.
func (c *checker) domainNamesNeed(action string, path *field.Path) {
	c.Add(field.Forbidden(path.Child("domainNames"), "domainNames is only supported for "+action+" rules"))
}
