package manifest

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects/mcs"
)

// withClusters adds the kinds of the Multi-Cluster Services API.
func withClusters(kinds []knownKind) []knownKind {
	versions := []string{mcs.Beta, mcs.Alpha}
	return append(kinds, knownKind{mcs.KindServiceImport, mcs.Group, versions, ""}, knownKind{mcs.KindServiceExport, mcs.Group, versions, ""})
}

// isClusters reports whether the kind is of the Multi-Cluster Services API.
func (t typeMeta) isClusters() bool { return newClusters(t) != nil }

// newClusters returns a value of the Go type of such a kind, or nil.
func newClusters(m typeMeta) any {
	switch group := m.group(); {
	case m.kind == mcs.KindServiceImport && group == mcs.Group:
		return mcs.ServiceImport{}
	case m.kind == mcs.KindServiceExport && group == mcs.Group:
		return mcs.ServiceExport{}
	}
	return nil
}

// clusters decodes an object of the Multi-Cluster Services API.
func (d *decoder) clusters(out *outcome, t *text, meta typeMeta) {
	switch meta.kind {
	case mcs.KindServiceImport:
		readInto(d, out, t, meta.kind, &out.set.ServiceImports, namespaced, isLabel, (*decoder).serviceImport)
	case mcs.KindServiceExport:
		readInto(d, out, t, meta.kind, &out.set.ServiceExports, namespaced, isLabel, (*decoder).serviceExport)
	}
}

func (d *decoder) serviceImport(i *mcs.ServiceImport) *mcs.ServiceImport {
	out := &mcs.ServiceImport{ObjectMeta: d.meta(&i.ObjectMeta), Spec: i.Spec}
	out.Spec.IPFamilies, out.Spec.TrafficDistribution = nil, nil
	for j := range out.Spec.Ports {
		out.Spec.Ports[j].AppProtocol = nil
	}
	if derived, there := i.Annotations[mcs.DerivedService]; there {
		metav1.SetMetaDataAnnotation(&out.ObjectMeta, mcs.DerivedService, derived)
	}
	return out
}

func (d *decoder) serviceExport(e *mcs.ServiceExport) *mcs.ServiceExport {
	return &mcs.ServiceExport{ObjectMeta: d.meta(&e.ObjectMeta)}
}
