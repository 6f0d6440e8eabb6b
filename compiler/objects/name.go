package objects

import (
	"cmp"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/ir"
)

// Name identifies an object among those of its kind.
type Name struct {
	// Namespace is "" for cluster-wide kinds.
	Namespace, Name string
}

// NameOf returns the name of an object.
func NameOf(o Meta) Name { return Name{o.GetNamespace(), o.GetName()} }

// ServiceOf returns the name of a slice's Service; its Name is "" if the slice has
// none.
func ServiceOf(s *discoveryv1.EndpointSlice) Name {
	return Name{s.Namespace, s.Labels[discoveryv1.LabelServiceName]}
}

// String returns "namespace/name", or the name alone without a namespace.
func (n Name) String() string {
	if n.Namespace == "" {
		return n.Name
	}
	return n.Namespace + "/" + n.Name
}

// Compare orders names by namespace, then by name.
func (n Name) Compare(o Name) int {
	return cmp.Or(cmp.Compare(n.Namespace, o.Namespace), cmp.Compare(n.Name, o.Name))
}

// Identity identifies an object among those of all kinds.
type Identity struct{ Kind, Namespace, Name string }

// IdentityOf returns the identity of an object of the kind.
func IdentityOf(kind string, o Meta) Identity { return Identity{kind, o.GetNamespace(), o.GetName()} }

// IdentityAt returns the identity of an origin's object.
func IdentityAt(o ir.Origin) Identity { return Identity{o.Kind, o.Namespace, o.Name} }
