package clusterlist

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/internal/input/manifest"
)

// resource is a kind that the server lists.
type resource struct {
	name             string // for messages: "pods", "ciliumnetworkpolicies.cilium.io"
	path             string // "/api/v1/pods"
	fields           string // a selector on the server, or ""
	apiVersion, kind json.RawMessage
}

// resources returns what is to be listed: every kind that planec reads, in the first version
// that the server has, all kinds whose names say that they are network policies, and what leads
// requests from outside to Services if it is asked for.
func (l *lister) resources(d *discovery.DiscoveryClient) ([]resource, error) {
	_, served, err := d.ServerGroupsAndResources()
	var failed *discovery.ErrGroupDiscoveryFailed
	switch {
	case errors.As(err, &failed):
		for version, err := range failed.Groups {
			l.unread(version.String(), err) // it may have policies
		}
	case err != nil:
		return nil, fmt.Errorf("asking the API server for its kinds: %w", err)
	}
	var out []resource
	read := make(map[string]bool)
	for _, k := range manifest.Kinds() {
		read[k.Group+"/"+k.Name] = true
		if !needed(served, k) {
			continue
		}
		if r, there := find(served, k); there {
			out = append(out, r)
		} else if isBuiltIn(k) && !k.Optional {
			l.unread(k.Name, errors.New("the API server does not have this kind"))
		}
	}
	if hasGroup(served, ciliumv2.Group) {
		out = append(out, ciliumOptions())
	}
	isPolicy := func(_, kind string) bool { return manifest.IsPolicy(kind) }
	if out = append(out, others(served, read, isPolicy)...); l.entries {
		out = append(out, others(served, read, manifest.IsEntry)...)
	}
	return out, nil
}

func hasGroup(served []*metav1.APIResourceList, group string) bool {
	return slices.ContainsFunc(served, func(l *metav1.APIResourceList) bool { return strings.HasPrefix(l.GroupVersion, group+"/") })
}

// ciliumOptions is the ConfigMap with the options of Cilium's agent, which change what its
// policies mean.
func ciliumOptions() resource {
	r := newResource(schema.GroupVersion{Version: "v1"}, &metav1.APIResource{Name: "configmaps", Kind: "ConfigMap"})
	r.path, r.fields = "/api/v1/namespaces/"+objects.CiliumConfigNamespace+"/configmaps", "metadata.name="+objects.CiliumConfigName
	return r
}

// needed reports whether a kind is to be listed if the server has it.
func needed(served []*metav1.APIResourceList, k manifest.Kind) bool {
	has := func(group string) bool { return hasGroup(served, group) }
	if k.Beside != nil && !slices.ContainsFunc(k.Beside, has) {
		return false
	}
	return k.Twin == "" || !slices.ContainsFunc(served, func(l *metav1.APIResourceList) bool {
		return strings.HasPrefix(l.GroupVersion, k.Twin+"/") && slices.ContainsFunc(l.APIResources, func(r metav1.APIResource) bool { return r.Kind == k.Name && isListed(&r) })
	})
}

// isBuiltIn reports whether every API server has the kind, in all versions of Kubernetes
// that planec supports.
func isBuiltIn(k manifest.Kind) bool {
	return slices.Contains([]string{"", "discovery.k8s.io", "networking.k8s.io"}, k.Group) && k.Name != "ServiceCIDR"
}

// find returns a kind in the first of its versions that there is.
func find(served []*metav1.APIResourceList, k manifest.Kind) (resource, bool) {
	for _, v := range k.Versions {
		version := schema.GroupVersion{Group: k.Group, Version: v}
		for _, list := range served {
			if list.GroupVersion != version.String() {
				continue
			}
			for i := range list.APIResources {
				if r := &list.APIResources[i]; r.Kind == k.Name && isListed(r) {
					return newResource(version, r), true
				}
			}
		}
	}
	return resource{}, false
}

// others returns more kinds, each in one version.
func others(served []*metav1.APIResourceList, read map[string]bool, wanted func(group, kind string) bool) (out []resource) {
	for _, list := range served {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for i := range list.APIResources {
			r := &list.APIResources[i]
			if key := version.Group + "/" + r.Kind; wanted(version.Group, r.Kind) && isListed(r) && !read[key] {
				read[key] = true
				out = append(out, newResource(version, r))
			}
		}
	}
	slices.SortFunc(out, func(a, b resource) int { return cmp.Compare(a.name, b.name) })
	return out
}

func isListed(r *metav1.APIResource) bool {
	return !strings.Contains(r.Name, "/") && slices.Contains(r.Verbs, "list")
}

func newResource(version schema.GroupVersion, r *metav1.APIResource) resource {
	path, name := "/apis/"+version.String()+"/"+r.Name, r.Name+"."+version.Group
	if version.Group == "" {
		path, name = "/api/"+version.Version+"/"+r.Name, r.Name
	}
	quote := func(s string) json.RawMessage {
		b, _ := json.Marshal(s) // of a text
		return b
	}
	return resource{name: name, path: path, apiVersion: quote(version.String()), kind: quote(r.Kind)}
}
