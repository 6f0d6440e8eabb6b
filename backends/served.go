package backends

import (
	"cmp"
	"slices"
	"strings"
)

// Served is what a kernel serves, in the words of no backend: for people who want
// to know what is really there.
type Served struct {
	Frontends []ServedFrontend `json:"frontends"` // sorted by At
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
	// Does says what happens to new connections: [ServedForward], [ServedReject] or
	// [ServedDrop].
	Does      string   `json:"does,omitempty"`
	Endpoints []string `json:"endpoints"` // addresses with ports, sorted
	// Via is the backend's own word for it: a chain, a scheduler.
	Via string `json:"via,omitempty"`
}

// What happens at a frontend. One that only some clients may use, or that has
// endpoints for some, forwards.
const (
	ServedForward = "forward"
	ServedReject  = "reject"
	ServedDrop    = "drop"
)

// Services counts what frontends are of: by their names, without those of ports, and
// by their addresses where rules have no names.
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

// Refused adds frontends that refuse, at their places; those that are known already
// keep their endpoints.
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
		if k.Name == "" {
			k.Name = f.Name
		}
	}
}

// ServedPod is one address that policies judge, with what judges each direction;
// "" is open.
type ServedPod struct {
	Address string `json:"address"`           // the pod's address
	Name    string `json:"name,omitempty"`    // what the rules say of it; "" where they do not
	Ingress string `json:"ingress,omitempty"` // the rules' own word for what judges received packets
	Egress  string `json:"egress,omitempty"`  // the rules' own word for what judges sent packets
}

// Normalize sorts.
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
	// One that two rules lead to is one.
	s.Frontends = slices.CompactFunc(s.Frontends, func(a, b ServedFrontend) bool {
		return a.At == b.At && a.Name == b.Name && slices.Equal(a.Endpoints, b.Endpoints)
	})
	slices.SortFunc(s.Pods, func(a, b ServedPod) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Address, b.Address))
	})
}
