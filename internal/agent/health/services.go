package health

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"github.com/planec/planec/internal/agent/listener"
	"github.com/planec/planec/ir"
)

// Services answers on the healthCheckNodePorts of Services. It is safe for
// concurrent use.
type Services struct {
	// Healthy is whether the proxy itself is.
	Healthy func() bool
	// Said is told why the port of a check cannot be listened on at an address, which
	// is tried again until it can be, and nil once it is or is not wanted any more.
	// Calls may come from goroutines of their own, and must not call Services.
	Said func(c ir.HealthCheck, at string, err error)

	mu      sync.Mutex
	servers map[serviceKey]*serviceServer
	// gate bounds the connections of all ports together.
	gate *listener.Gate
}

// The connections of all Services' ports together, and those of one client.
const (
	mostConnections = 1024
	mostOfOne       = 128
)

type serviceKey struct {
	family ir.Family
	port   uint16
	// at are the addresses listened on.
	at string
}

// serviceServer is the answers for one Service and family.
type serviceServer struct {
	services *Services
	server   *http.Server
	// places are the addresses that are listened on, or tried again.
	places map[string]*listener.Kept

	mu    sync.Mutex
	check ir.HealthCheck
}

// Set answers for these checks from now on, and no others. Ports are listened on
// where the scope serves nodePorts: its addresses, those of the node in its
// prefixes, or all of the family.
func (s *Services) Set(checks []ir.HealthCheck, scope ir.NodePortScope, own []netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := make(map[serviceKey]ir.HealthCheck, len(checks))
	where := make(map[serviceKey][]string, len(checks))
	for _, c := range checks {
		at := listenAddresses(c.Family, scope, own)
		k := serviceKey{c.Family, c.Port, fmt.Sprint(at)}
		wanted[k], where[k] = c, at
	}
	for k, server := range s.servers {
		if _, stays := wanted[k]; !stays {
			server.close()
			delete(s.servers, k)
		}
	}
	for k, c := range wanted {
		if server := s.servers[k]; server != nil {
			server.set(c)
			continue
		}
		if s.servers == nil {
			s.servers = make(map[serviceKey]*serviceServer)
		}
		s.servers[k] = s.start(c, where[k])
	}
}

// Close stops all answers.
func (s *Services) Close() { s.Set(nil, ir.NodePortScope{}, nil) }

// listenAddresses are where a nodePort of the family is served.
func listenAddresses(f ir.Family, scope ir.NodePortScope, own []netip.Addr) []string {
	var at []netip.Addr
	at = append(at, ir.AddrsOf(f, scope.Addresses)...)
	for _, p := range ir.PrefixesOf(f, scope.Prefixes) {
		if p.Bits() == 0 {
			return []string{unspecified(f)}
		}
		for _, a := range own {
			if p.Contains(a) && !a.IsLoopback() {
				at = append(at, a)
			}
		}
	}
	slices.SortFunc(at, netip.Addr.Compare)
	at = slices.Compact(at)
	out := make([]string, 0, len(at))
	for _, a := range at {
		out = append(out, a.String())
	}
	return out
}

func unspecified(f ir.Family) string {
	if f == ir.IPv4 {
		return "0.0.0.0"
	}
	return "::"
}

// start serves a check on some addresses, each for itself.
func (s *Services) start(c ir.HealthCheck, at []string) *serviceServer {
	h := &serviceServer{services: s, check: c, places: make(map[string]*listener.Kept)}
	if s.gate == nil {
		s.gate = listener.NewGate(mostConnections, mostOfOne)
	}
	h.server = listener.NewServer(h, s.gate, listener.WriteTimeout)
	network := "tcp4"
	if c.Family == ir.IPv6 {
		network = "tcp6"
	}
	for _, host := range at {
		addr := net.JoinHostPort(host, strconv.Itoa(int(c.Port)))
		h.places[addr], _ = listener.Keep(listener.Server{ // what fails is tried again
			Listen: func() (net.Listener, error) { return (&net.ListenConfig{}).Listen(context.Background(), network, addr) },
			Serve:  func(l net.Listener) error { return h.server.Serve(s.gate.Guard(l)) },
			Said:   func(err error) { h.said(addr, err) },
		})
	}
	return h
}

// said passes on what became of a place.
func (h *serviceServer) said(at string, err error) {
	h.mu.Lock()
	c := h.check
	h.mu.Unlock()
	h.services.Said(c, at, err)
}

func (h *serviceServer) set(c ir.HealthCheck) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.check = c
}

// close frees the port.
func (h *serviceServer) close() {
	for at, p := range h.places {
		p.Stop()
		h.said(at, nil)
	}
	_ = h.server.Close() // connections that are left; nothing is lost with them
}

// body is the answer's, with kube-proxy's names (service_health.go).
type body struct {
	Service struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"service"`
	LocalEndpoints      int  `json:"localEndpoints"`
	ServiceProxyHealthy bool `json:"serviceProxyHealthy"`
}

// ServeHTTP answers 200 while the node has an endpoint and its proxy is healthy.
func (h *serviceServer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	c := h.check
	h.mu.Unlock()
	b := body{LocalEndpoints: c.LocalEndpoints, ServiceProxyHealthy: h.services.Healthy()}
	b.Service.Namespace, b.Service.Name = c.Namespace, c.Name
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("X-Load-Balancing-Endpoint-Weight", strconv.Itoa(c.LocalEndpoints))
	if c.LocalEndpoints == 0 || !b.ServiceProxyHealthy {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(b) // the asker may be gone
}
