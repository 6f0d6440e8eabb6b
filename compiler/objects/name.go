package objects

import (
	"cmp"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/ir"
)

// Name tells the objects of one kind apart.
type Name struct {
	// Namespace is "" for kinds that have none.
	Namespace, Name string
}

// NameOf is the name of an object.
func NameOf(o Meta) Name { return Name{o.GetNamespace(), o.GetName()} }

// ServiceOf is the name of the Service that a slice says it is of; its Name is "" where
// the slice says none.
func ServiceOf(s *discoveryv1.EndpointSlice) Name {
	return Name{s.Namespace, s.Labels[discoveryv1.LabelServiceName]}
}

// String is "namespace/name", or the name alone where there is no namespace.
func (n Name) String() string {
	if n.Namespace == "" {
		return n.Name
	}
	return n.Namespace + "/" + n.Name
}

// Compare orders by the namespace, then by the name.
func (n Name) Compare(o Name) int {
	return cmp.Or(cmp.Compare(n.Namespace, o.Namespace), cmp.Compare(n.Name, o.Name))
}

// Identity tells objects of all kinds apart.
type Identity struct{ Kind, Namespace, Name string }

// IdentityOf is that of an object of a kind.
func IdentityOf(kind string, o Meta) Identity { return Identity{kind, o.GetNamespace(), o.GetName()} }

// IdentityAt is that of the object that an origin lies in.
func IdentityAt(o ir.Origin) Identity { return Identity{o.Kind, o.Namespace, o.Name} }
