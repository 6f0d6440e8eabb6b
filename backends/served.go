package backends

import (
	"cmp"
	"slices"
	"strings"
)

// Served is what a kernel serves, in terms that do not depend on the backend, for
// users who want to see the actual state.
type Served struct {
	Frontends []ServedFrontend `json:"frontends"` // sorted by At
	// Pods are the pods that policies judge.
	Pods []ServedPod `json:"pods"`
	// Programs are those that are attached, in the order in which they are attached; nil
	// for a backend that has none.
	Programs []ServedProgram `json:"programs,omitempty"`
}

// ServedProgram is a program that the kernel runs for the backend.
type ServedProgram struct {
	Name string `json:"name"` // the program's name
	ID   uint32 `json:"id"`   // the kernel's number of it
	At   string `json:"at"`   // where it is attached: the path of a cgroup, an interface; "" if it is no more
	// Direct are addresses of pods at the interface that packets of other pods are handed to,
	// past the node's stack (to_pod of eBPF).
	Direct []string `json:"direct,omitempty"`
}

// ServedFrontend is one frontend with its possible endpoints.
type ServedFrontend struct {
	// At is "10.96.0.10:80/tcp", or "0.0.0.0:30080/tcp" and
	// "[::]:30080/tcp" of a nodePort.
	At string `json:"at"`
	// Name is the Service port that the rules name, or "".
	Name string `json:"name,omitempty"`
	// Does is what happens to new connections: [ServedForward], [ServedReject] or
	// [ServedDrop].
	Does      string   `json:"does,omitempty"`
	Endpoints []string `json:"endpoints"` // addresses with ports, sorted
	// Via is the backend's term for the way to the endpoints: a chain, a scheduler.
	Via string `json:"via,omitempty"`
}

// The values of Does. A frontend that only some clients may use, or that has
// endpoints for some clients, forwards.
const (
	ServedForward = "forward"
	ServedReject  = "reject"
	ServedDrop    = "drop"
)

// Services counts the Services of the frontends: by name without the port, or by
// address if the rules have no names.
func (s *Served) Services() int {
	seen := make(map[string]bool)
	for _, f := range s.Frontends {
		name, _, _ := strings.Cut(f.Name, ":")
		if name == "" {
			i := strings.LastIndexByte(f.At, ':')
			name = f.At[:max(i, 0)]
		}
		seen[name] = true
	}
	return len(seen)
}

// Refused adds frontends that refuse, in sorted order. Known frontends keep their
// endpoints.
func (s *Served) Refused(does string, list ...ServedFrontend) {
	known := make(map[string]*ServedFrontend, len(s.Frontends))
	for i := range s.Frontends {
		known[s.Frontends[i].At] = &s.Frontends[i]
	}
	for _, f := range list {
		f.Does = does
		k := known[f.At]
		if k == nil {
			s.Frontends = append(s.Frontends, f)
			continue
		}
		if len(k.Endpoints) == 0 {
			k.Does = does
		}
		k.Name = cmp.Or(k.Name, f.Name)
	}
}

// ServedPod is an address that policies judge, with the judge of each direction;
// "" means not isolated.
type ServedPod struct {
	Address string `json:"address"`           // the pod's address
	Name    string `json:"name,omitempty"`    // the pod's name in the rules; "" if they have none
	Ingress string `json:"ingress,omitempty"` // the rules' name for the judge of received packets
	Egress  string `json:"egress,omitempty"`  // the rules' name for the judge of sent packets
}

// Normalize sorts frontends and pods.
func (s *Served) Normalize() {
	for i := range s.Frontends {
		e := &s.Frontends[i].Endpoints
		slices.Sort(*e)
		if *e = slices.Compact(*e); *e == nil {
			*e = []string{}
		}
		if len(*e) > 0 {
			s.Frontends[i].Does = ServedForward
		}
	}
	slices.SortFunc(s.Frontends, func(a, b ServedFrontend) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.At, b.At))
	})
	// Two rules can lead to the same frontend; keep one.
	s.Frontends = slices.CompactFunc(s.Frontends, func(a, b ServedFrontend) bool {
		return a.At == b.At && a.Name == b.Name && slices.Equal(a.Endpoints, b.Endpoints)
	})
	slices.SortFunc(s.Pods, func(a, b ServedPod) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Address, b.Address))
	})
}
