package ipam

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Outcome says whose a Service is.
type Outcome uint8

const (
	// Served Services have the addresses of their assignment, and no others.
	Served Outcome = iota + 1
	// Foreign Services have a status of another controller, which is left alone.
	Foreign
	// OtherClass Services are for another controller.
	OtherClass
	// Released Services were served before and are not any more: they lose their addresses.
	Released
)

// String returns "served", "foreign", "other class" or "released".
func (o Outcome) String() string {
	return [...]string{"", "served", "foreign", "other class", "released"}[o]
}

// Cause says why a Service has an address.
type Cause uint8

const (
	// Kept addresses are those of the status.
	Kept Cause = iota + 1
	// Requested addresses are those that the Service asks for.
	Requested
	// Shared addresses are another Service's too, by a sharing key.
	Shared
	// Fresh addresses are the lowest free ones of a pool.
	Fresh
	// Others addresses are of a status that another controller has written.
	Others
)

// String returns "kept", "requested", "shared", "new" or "of another controller".
func (c Cause) String() string {
	return [...]string{"", "kept", "requested", "shared", "new", "of another controller"}[c]
}

// Address is an address that a Service has.
type Address struct {
	Addr netip.Addr
	// Pool has the address. It is the zero value for one of a foreign Service in none.
	Pool  PoolName
	Cause Cause
}

// Loss is an address of the status that a Service does not keep.
type Loss struct {
	Addr netip.Addr
	Why  string // "no pool has it any more"
}

// Assignment is what one Service of type LoadBalancer gets.
type Assignment struct {
	Service objects.Name
	Origin  ir.Origin
	Outcome Outcome
	// Class is why the Service is of another class: its spec.loadBalancerClass, or "".
	Class     string
	Addresses []Address // those of the status first, in its order
	Lost      []Loss
	// Findings say what the Service wants and does not get, the first one first.
	Findings diag.List
}

// Addrs returns the addresses.
func (a *Assignment) Addrs() []netip.Addr {
	out := make([]netip.Addr, 0, len(a.Addresses))
	for _, x := range a.Addresses {
		out = append(out, x.Addr)
	}
	return out
}

// Ingress returns the status of the Service: what it has of the addresses as it is, and a plain
// entry for each other one. Only a Served or Released Service has another status than before.
func (a *Assignment) Ingress(before []corev1.LoadBalancerIngress) []corev1.LoadBalancerIngress {
	if a.Outcome != Served && a.Outcome != Released {
		return before
	}
	wanted := a.Addrs()
	var out []corev1.LoadBalancerIngress
	for _, in := range before {
		addr, err := parseAddr(in.IP)
		if i := slices.Index(wanted, addr); err == nil && i >= 0 {
			out = append(out, in)
			wanted = slices.Delete(wanted, i, i+1)
		}
	}
	for _, addr := range wanted {
		out = append(out, corev1.LoadBalancerIngress{IP: addr.String()})
	}
	return out
}

// Reason returns why the Service has all that it wants, or not, in one word for the reason of a
// condition, and in words.
func (a *Assignment) Reason() (word, text string) {
	if len(a.Findings) == 0 {
		return "Allocated", a.text()
	}
	words := map[diag.Code]string{
		diag.PoolExhausted: "PoolExhausted", diag.NoPool: "NoPool", diag.RefusedAddress: "AddressRefused",
		diag.RefusedSharing: "SharingRefused", diag.BadAddressRequest: "BadRequest", diag.ForeignAddress: "ForeignStatus",
	}
	texts := make([]string, 0, len(a.Findings))
	for _, f := range a.Findings {
		texts = append(texts, f.Message)
	}
	return words[a.Findings[0].Code], strings.Join(texts, "; ")
}

func (a *Assignment) text() string {
	parts := make([]string, 0, len(a.Addresses))
	for _, x := range a.Addresses {
		parts = append(parts, x.Addr.String()+" of "+x.Pool.String())
	}
	return strings.Join(parts, ", ")
}

// PoolUse is how much of a pool is used.
type PoolUse struct {
	Name   PoolName
	Origin ir.Origin
	// Conflict is why the pool gives nothing new, or "". Disabled is its own setting.
	Conflict string
	Disabled bool
	// Used and Free count addresses, IPv4 first. Free stops counting at math.MaxUint64, and is 0
	// with a Conflict.
	Used, Free [2]uint64
}

// Result is what Services have, and why.
type Result struct {
	// Services are all of type LoadBalancer and those that were, sorted by name.
	Services []Assignment
	Pools    []PoolUse // sorted by name
	// Diagnostics are those of pools and of Services.
	Diagnostics diag.List
}

// Held returns the addresses of the Services that are served, for [Settings.Held] of a later
// run; nil of nil.
func (r *Result) Held() map[objects.Name][]netip.Addr {
	if r == nil {
		return nil
	}
	out := make(map[objects.Name][]netip.Addr)
	for i := range r.Services {
		if a := &r.Services[i]; a.Outcome == Served && len(a.Addresses) > 0 {
			out[a.Service] = a.Addrs()
		}
	}
	return out
}

// Of returns the assignment of a Service, or nil.
func (r *Result) Of(n objects.Name) *Assignment {
	i, found := slices.BinarySearchFunc(r.Services, n, func(a Assignment, n objects.Name) int { return a.Service.Compare(n) })
	if !found {
		return nil
	}
	return &r.Services[i]
}
