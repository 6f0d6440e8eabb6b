package cilium

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
)

// remotePod is a pod of another cluster, as the own one knows it by its identity.
type remotePod struct {
	cluster    string
	namespace  map[string]string // the labels of its namespace
	pod        *corev1.Pod
	counts     func(key string) bool // which labels count
	ofIdentity []netip.Addr
}

// remotePods are the pods of other clusters, where these are known.
func remotePods(others []objects.OtherCluster, counts func(string) bool) []remotePod {
	var out []remotePod
	for _, c := range others {
		namespaces := make(map[string]map[string]string, len(c.Namespaces))
		for _, n := range c.Namespaces {
			namespaces[n.Object.Name] = n.Object.Labels
		}
		for _, src := range c.Pods {
			p := src.Object
			if p.Spec.HostNetwork || objects.Finished(p) {
				continue
			}
			r := remotePod{cluster: c.Name, namespace: namespaces[p.Namespace], pod: p, counts: counts}
			for _, ip := range p.Status.PodIPs {
				if a, err := netip.ParseAddr(ip.IP); err == nil && a.Zone() == "" {
					r.ofIdentity = append(r.ofIdentity, a.Unmap())
				}
			}
			out = append(out, r)
		}
	}
	return out
}

// lookup is that of [podLabels], with the name of the other cluster.
func (r *remotePod) lookup(source, key string) (string, bool) {
	if source != sourceK8s && source != sourceAny {
		return "", false
	}
	var value string
	there := true
	switch rest, ofNamespace := strings.CutPrefix(key, prefixNamespaceLabel); {
	case ofNamespace:
		value, there = r.namespace[rest]
	case key == labelNamespace:
		value = r.pod.Namespace
	case key == labelServiceAccount:
		value = r.pod.Spec.ServiceAccountName
		there = value != ""
	case key == labelCluster:
		value = r.cluster
	case isOwned(key):
		return "", false
	default:
		value, there = r.pod.Labels[key]
	}
	if !there || !r.counts(key) {
		return "", false
	}
	return value, true
}

// remoteOf returns the addresses of the pods of other clusters that a selector selects: only one
// that names clusters does, since others mean the own one (policy-default-local-cluster). An
// address that a pod of the own cluster has is that pod's.
func (w *world) remoteOf(s selector) []netip.Addr {
	if len(w.remote) == 0 || !s.names(labelCluster) {
		return nil
	}
	var out []netip.Addr
	for i := range w.remote {
		if s.matches(&w.remote[i]) {
			out = append(out, w.remote[i].ofIdentity...)
		}
	}
	return out
}

// allRemote are the addresses of all pods of other clusters.
func (w *world) allRemote() []netip.Addr {
	var out []netip.Addr
	for i := range w.remote {
		out = append(out, w.remote[i].ofIdentity...)
	}
	return out
}

// withoutOwn drops the pods' addresses that a pod of the own cluster has, or another cluster before.
func (w *world) withoutOwn(remote []remotePod) []remotePod {
	taken := make(map[netip.Addr]bool)
	for _, p := range w.cluster.Pods {
		for _, a := range p.Addresses {
			taken[a] = true
		}
	}
	for i := range remote {
		remote[i].ofIdentity = slices.DeleteFunc(remote[i].ofIdentity, func(a netip.Addr) bool {
			was := taken[a]
			taken[a] = true
			return was
		})
	}
	return remote
}
