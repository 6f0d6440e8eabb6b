package cilium

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	policyv1alpha2 "sigs.k8s.io/network-policy-api/apis/v1alpha2"
	"sigs.k8s.io/yaml"

	v2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	slimcore "github.com/cilium/cilium/pkg/k8s/slim/k8s/api/core/v1"
	slimnet "github.com/cilium/cilium/pkg/k8s/slim/k8s/api/networking/v1"
)

// Cluster is a cluster as the API server gives it to Cilium's agents: without the
// policies that the definitions of their kinds refuse.
type Cluster struct {
	Namespaces map[string]*slimcore.Namespace // by name
	Nodes      []*corev1.Node
	Pods       map[string]*slimcore.Pod // by namespace/name
	Services   []*corev1.Service
	Slices     []*discoveryv1.EndpointSlice
	// Policies are those of both kinds; a CiliumClusterwideNetworkPolicy has no namespace,
	// as in the agent.
	Policies        []*v2.CiliumNetworkPolicy
	Groups          []*v2.CiliumCIDRGroup
	NetworkPolicies []*slimnet.NetworkPolicy
	ClusterPolicies []*policyv1alpha2.ClusterNetworkPolicy
	// Refused are errors of policies that the agent refuses, in the
	// order of reading.
	Refused []error
	void    []string
}

// Read reads a cluster of YAML documents. Kinds that policies are not about are skipped.
// void are the policies that the definitions of their kinds refuse, as "KIND NAME" or
// "KIND NAMESPACE/NAME": the definitions are an API server's business, which is not here.
// Fields that they do not have are dropped, as there.
func Read(text []byte, void ...string) (*Cluster, error) {
	c := &Cluster{Namespaces: make(map[string]*slimcore.Namespace), Pods: make(map[string]*slimcore.Pod), void: void}
	for i, document := range bytes.Split(text, []byte("\n---\n")) {
		raw, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", i+1, err)
		}
		if err := c.add(raw); err != nil {
			return nil, fmt.Errorf("document %d: %w", i+1, err)
		}
	}
	return c, nil
}

// add takes an object in.
func (c *Cluster) add(raw []byte) error {
	var of metav1.PartialObjectMetadata
	if err := json.Unmarshal(raw, &of); err != nil {
		return err
	}
	switch of.Kind {
	case "Namespace":
		n, err := decode[slimcore.Namespace](raw)
		if err == nil {
			c.Namespaces[n.Name] = n
		}
		return err
	case "Pod":
		p, err := decode[slimcore.Pod](raw)
		if err == nil {
			c.Pods[p.Namespace+"/"+p.Name] = p
		}
		return err
	case "Node":
		return keep(&c.Nodes, raw)
	case "Service":
		return keep(&c.Services, raw)
	case "EndpointSlice":
		return keep(&c.Slices, raw)
	case "CiliumCIDRGroup":
		return keep(&c.Groups, raw)
	case "NetworkPolicy":
		return keep(&c.NetworkPolicies, raw)
	case "ClusterNetworkPolicy":
		return keep(&c.ClusterPolicies, raw)
	case "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy":
		c.addPolicy(&of, raw)
	}
	return nil
}

// addPolicy takes a policy in, unless the API server refuses it.
func (c *Cluster) addPolicy(of *metav1.PartialObjectMetadata, raw []byte) {
	name := of.Name
	if of.Namespace != "" {
		name = of.Namespace + "/" + name
	}
	if slices.Contains(c.void, of.Kind+" "+name) {
		return
	}
	if err := keep(&c.Policies, raw); err != nil {
		c.Refused = append(c.Refused, fmt.Errorf("%s %s: %w", of.Kind, name, err))
	}
}

func decode[T any](raw []byte) (*T, error) {
	out := new(T)
	return out, json.Unmarshal(raw, out)
}

func keep[T any](to *[]*T, raw []byte) error {
	o, err := decode[T](raw)
	if err == nil {
		*to = append(*to, o)
	}
	return err
}
