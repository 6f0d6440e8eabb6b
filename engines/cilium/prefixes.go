package cilium

import (
	"context"
	"fmt"
	"maps"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	cmtypes "github.com/cilium/cilium/pkg/clustermesh/types"
	"github.com/cilium/cilium/pkg/ipcache"
	ipcachetypes "github.com/cilium/cilium/pkg/ipcache/types"
	v2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	k8sutils "github.com/cilium/cilium/pkg/k8s/utils"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"
	"github.com/cilium/cilium/pkg/source"
)

// addPrefixes adds the policies, and labels all addresses and networks that are no pods'.
func (e *Engine) addPrefixes(ctx context.Context) error {
	resources, err := e.cluster.rules()
	if err != nil {
		return err
	}
	var updates []ipcache.MU
	add := func(p netip.Prefix, of source.Source, id ipcachetypes.ResourceID, l labels.Labels) {
		updates = append(updates, ipcache.MU{Prefix: cmtypes.NewLocalPrefixCluster(p), Source: of, Resource: id, Metadata: []ipcache.IPMetadata{l}})
	}
	for _, r := range resources {
		e.repo.ReplaceByResource(r.rules, r.id)
		for _, p := range policy.GetCIDRPrefixes(r.rules) {
			add(p, source.CustomResource, r.id, labels.GetCIDRLabels(p))
		}
	}
	for _, n := range e.cluster.Nodes {
		who := labels.LabelRemoteNode
		if n.Name == e.node {
			who = labels.LabelHost
		}
		for _, a := range n.Status.Addresses {
			if ip, err := netip.ParseAddr(a.Address); err == nil && a.Type == corev1.NodeInternalIP {
				add(netip.PrefixFrom(ip, ip.BitLen()), source.CustomResource, ipcachetypes.NewResourceID(ipcachetypes.ResourceKindNode, "", n.Name), who)
			}
		}
	}
	for _, ip := range e.cluster.apiServer() {
		add(netip.PrefixFrom(ip, ip.BitLen()), source.KubeAPIServer, "kube-apiserver", labels.LabelKubeAPIServer)
	}
	for _, g := range e.cluster.Groups {
		for _, p := range groupPrefixes(g) {
			l := groupLabels(g)
			l.AddWorldLabel(p.Addr())
			add(p, source.Generated, ipcachetypes.NewResourceID(ipcachetypes.ResourceKindCIDRGroup, "", g.Name), l)
		}
	}
	if err := e.ips.WaitForRevision(ctx, e.ips.UpsertMetadataBatch(updates...)); err != nil {
		return fmt.Errorf("labels of networks: %w", err)
	}
	return nil
}

// apiServer returns the addresses behind the Service of the API server.
func (c *Cluster) apiServer() []netip.Addr {
	var out []netip.Addr
	for _, s := range c.Slices {
		if s.Namespace != "default" || s.Labels[discoveryv1.LabelServiceName] != "kubernetes" {
			continue
		}
		for _, endpoint := range s.Endpoints {
			for _, a := range endpoint.Addresses {
				if ip, err := netip.ParseAddr(a); err == nil {
					out = append(out, ip)
				}
			}
		}
	}
	return out
}

func groupPrefixes(g *v2.CiliumCIDRGroup) []netip.Prefix {
	var out []netip.Prefix
	for _, c := range g.Spec.ExternalCIDRs {
		if p, err := netip.ParsePrefix(string(c)); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// groupLabels does what pkg/policy/k8s/cilium_cidr_group.go does, which exports nothing.
func groupLabels(g *v2.CiliumCIDRGroup) labels.Labels {
	out := make(labels.Labels)
	for key, value := range maps.All(k8sutils.RemoveCiliumLabels(g.Labels)) {
		l := labels.NewLabel(key, value, labels.LabelSourceCIDRGroup)
		out[l.Key] = l
		encoded := labels.EncodedCIDRGroupLabel(l.Key, l.Value, l.Source)
		out[encoded.Key] = encoded
	}
	name := api.LabelForCIDRGroupRef(g.Name)
	out[name.Key] = name
	return out
}
