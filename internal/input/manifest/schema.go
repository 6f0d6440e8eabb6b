package manifest

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	appsv1beta1 "k8s.io/api/apps/v1beta1"
	appsv1beta2 "k8s.io/api/apps/v1beta2"
	batchv1 "k8s.io/api/batch/v1"
	batchv1beta1 "k8s.io/api/batch/v1beta1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	extensionsv1beta1 "k8s.io/api/extensions/v1beta1"
	networkingv1 "k8s.io/api/networking/v1"
	networkingv1beta1 "k8s.io/api/networking/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1alpha2 "sigs.k8s.io/network-policy-api/apis/v1alpha2"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"
)

// schema describes the fields of a value. A nil schema means no fields or arbitrary
// ones: a number, a time, the content of managedFields.
type schema struct {
	// fields are the fields of an object; nil if names are free, as for labels.
	fields map[string]*schema
	// each is the schema of the items of a list and of the values of a map.
	each *schema
}

// field returns the schema of a field, and whether the API has the field.
func (s *schema) field(name []byte) (of *schema, known bool) {
	switch {
	case s == nil:
		return nil, true
	case s.fields == nil:
		return s.each, true
	}
	of, known = s.fields[string(name)]
	return of, known
}

// item is the schema of the items of a list.
func (s *schema) item() *schema {
	if s == nil {
		return nil
	}
	return s.each
}

// schemas builds the schemas of the API's Go types on demand, each once: Pods have a
// thousand fields, and most inputs have no Pods. It is safe for concurrent use; a
// returned schema does not change.
type schemas struct {
	mu    sync.Mutex
	types map[reflect.Type]*schema
	kinds map[typeMeta]*schema
}

func newSchemas() *schemas {
	return &schemas{types: make(map[reflect.Type]*schema), kinds: make(map[typeMeta]*schema)}
}

// of returns the schema of a kind, or nil if its fields are unknown.
func (s *schemas) of(meta typeMeta) *schema {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, there := s.kinds[meta]
	if there {
		return known
	}
	object := newObject(meta)
	if object == nil {
		return nil // not cached: input may have any number of such kinds
	}
	made := s.make(reflect.TypeOf(object))
	if _, policy := object.(networkingv1.NetworkPolicy); policy {
		made.fields["status"] = nil // Kubernetes 1.24 to 1.27 had one, and wrote it
	}
	s.kinds[meta] = made
	return made
}

// make returns the schema of a type; the lock is held. A type may contain itself, so it
// is registered before its fields are built.
func (s *schemas) make(t reflect.Type) *schema {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if known, there := s.types[t]; there {
		return known
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return nil // it has its own format
	}
	switch t.Kind() {
	case reflect.Struct:
		made := &schema{fields: make(map[string]*schema, t.NumField())}
		s.types[t] = made
		s.addFields(made, t)
		return made
	case reflect.Slice, reflect.Array, reflect.Map:
		if each := s.make(t.Elem()); each != nil {
			return &schema{each: each}
		}
	}
	return nil
}

// addFields adds the fields of a struct by their JSON names.
func (s *schemas) addFields(to *schema, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case name != "":
			to.fields[name] = s.make(f.Type)
		case f.Anonymous:
			inner := f.Type
			for inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			s.addFields(to, inner)
		case f.IsExported():
			to.fields[f.Name] = s.make(f.Type)
		}
	}
}

// newObject returns a value of the Go type of a kind in a version, or nil.
func newObject(m typeMeta) any {
	if m.isClusters() {
		return newClusters(m)
	}
	if m.isAnnouncing() {
		return newAnnouncing(m)
	}
	if m.isPool() {
		return newPool(m)
	}
	if m.isCalico() {
		return newCalico(m)
	}
	if m.isCilium() {
		return newCilium(m)
	}
	switch m.kind {
	case "Service", "Node", "Pod", "Namespace", "ServiceAccount", "ReplicationController":
		if m.apiVersion == "v1" {
			return coreObject(m.kind)
		}
	case "Endpoints":
		return only(m, map[string]any{"v1": endpointsFields{}})
	case "Ingress":
		return only(m, map[string]any{"networking.k8s.io/v1": networkingv1.Ingress{}})
	case "EndpointSlice":
		return only(m, map[string]any{"discovery.k8s.io/v1": discoveryv1.EndpointSlice{}})
	case "ServiceCIDR":
		return only(m, map[string]any{"networking.k8s.io/v1": networkingv1.ServiceCIDR{}, "networking.k8s.io/v1beta1": networkingv1beta1.ServiceCIDR{}})
	case "NetworkPolicy":
		return only(m, map[string]any{"networking.k8s.io/v1": networkingv1.NetworkPolicy{}})
	case "ClusterNetworkPolicy":
		return only(m, map[string]any{policyGroup + "/v1beta1": policyv1beta1.ClusterNetworkPolicy{}, policyGroup + "/v1alpha2": policyv1alpha2.ClusterNetworkPolicy{}})
	case "AdminNetworkPolicy":
		return only(m, map[string]any{policyGroup + "/v1alpha1": policyv1alpha1.AdminNetworkPolicy{}})
	case "BaselineAdminNetworkPolicy":
		return only(m, map[string]any{policyGroup + "/v1alpha1": policyv1alpha1.BaselineAdminNetworkPolicy{}})
	}
	return newWorkload(m)
}

// endpointsFields holds the fields of kind Endpoints, whose type in k8s.io/api
// is deprecated.
type endpointsFields struct {
	metav1.TypeMeta
	Metadata metav1.ObjectMeta `json:"metadata"`
	Subsets  []struct {
		Addresses         []endpointsAddress         `json:"addresses"`
		NotReadyAddresses []endpointsAddress         `json:"notReadyAddresses"`
		Ports             []discoveryv1.EndpointPort `json:"ports"`
	} `json:"subsets"`
}

type endpointsAddress struct {
	IP        string                  `json:"ip"`
	Hostname  string                  `json:"hostname"`
	NodeName  string                  `json:"nodeName"`
	TargetRef *corev1.ObjectReference `json:"targetRef"`
}

func only(m typeMeta, versions map[string]any) any { return versions[m.apiVersion] }

func coreObject(kind string) any {
	switch kind {
	case "Service":
		return corev1.Service{}
	case "Node":
		return corev1.Node{}
	case "Pod":
		return corev1.Pod{}
	case "Namespace":
		return corev1.Namespace{}
	case "ServiceAccount":
		return corev1.ServiceAccount{}
	}
	return corev1.ReplicationController{}
}

// newWorkload returns a value of the Go type of a workload; repositories
// still contain versions that Kubernetes has removed.
func newWorkload(m typeMeta) any {
	switch m.kind {
	case "Deployment":
		return only(m, map[string]any{
			"apps/v1": appsv1.Deployment{}, "apps/v1beta2": appsv1beta2.Deployment{}, "apps/v1beta1": appsv1beta1.Deployment{},
			"extensions/v1beta1": extensionsv1beta1.Deployment{},
		})
	case "StatefulSet":
		return only(m, map[string]any{"apps/v1": appsv1.StatefulSet{}, "apps/v1beta2": appsv1beta2.StatefulSet{}, "apps/v1beta1": appsv1beta1.StatefulSet{}})
	case "DaemonSet":
		return only(m, map[string]any{"apps/v1": appsv1.DaemonSet{}, "apps/v1beta2": appsv1beta2.DaemonSet{}, "extensions/v1beta1": extensionsv1beta1.DaemonSet{}})
	case "ReplicaSet":
		return only(m, map[string]any{"apps/v1": appsv1.ReplicaSet{}, "apps/v1beta2": appsv1beta2.ReplicaSet{}, "extensions/v1beta1": extensionsv1beta1.ReplicaSet{}})
	case "Job":
		return only(m, map[string]any{"batch/v1": batchv1.Job{}})
	case "CronJob":
		return only(m, map[string]any{"batch/v1": batchv1.CronJob{}, "batch/v1beta1": batchv1beta1.CronJob{}})
	}
	return nil
}
