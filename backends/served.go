package backends

import (
	"cmp"
	"slices"
)

// Served is what a kernel serves, in the words of no backend: for people who want
// to know what is really there.
type Served struct {
	Frontends []ServedFrontend `json:"frontends"`
	// Pods are those that policies judge.
	Pods []ServedPod `json:"pods"`
}

// ServedFrontend is one frontend with the endpoints that it may lead to.
type ServedFrontend struct {
	// At is "10.96.0.10:80/tcp", or "0.0.0.0:30080/tcp" and
	// "[::]:30080/tcp" of a nodePort.
	At string `json:"at"`
	// Name is what the rules say it belongs to; "" where they do not.
	Name string `json:"name,omitempty"`
	// Does says what happens in the backend's own word: a chain, a verdict, a
	// scheduler.
	Does      string   `json:"does,omitempty"`
	Endpoints []string `json:"endpoints"`
}

// ServedPod is one address that policies judge, with what judges each direction;
// "" is open.
type ServedPod struct {
	Address string `json:"address"`
	Name    string `json:"name,omitempty"`
	Ingress string `json:"ingress,omitempty"`
	Egress  string `json:"egress,omitempty"`
}

// Normalize sorts.
func (s *Served) Normalize() {
	for i := range s.Frontends {
		e := &s.Frontends[i].Endpoints
		slices.Sort(*e)
		if *e = slices.Compact(*e); *e == nil {
			*e = []string{}
		}
	}
	slices.SortFunc(s.Frontends, func(a, b ServedFrontend) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.At, b.At))
	})
	slices.SortFunc(s.Pods, func(a, b ServedPod) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Address, b.Address))
	})
}
