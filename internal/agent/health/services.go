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
	// Healthy reports whether the proxy itself is healthy.
	Healthy func() bool
	// Said is called with the error if a check's port cannot be opened at an
	// address; planec retries it. It is called with nil once the port is open or
	// no longer wanted. It may be called concurrently, and must not call Services.
	Said func(c ir.HealthCheck, at string, err error)

	mu      sync.Mutex
	servers map[serviceKey]*serviceServer
	// gate bounds the connections of all ports together.
	gate *listener.Gate
}

// Limits of the connections of all Services' ports together, and of one client.
const (
	mostConnections = 1024
	mostOfOne       = 128
)

type serviceKey struct {
	family ir.Family
	port   uint16
	// at is the address that is listened on.
	at string
}

// serviceServer answers for one Service and family.
type serviceServer struct {
	services *Services
	server   *http.Server
	// places are the addresses that are open or retried.
	places map[string]*listener.Kept

	mu    sync.Mutex
	check ir.HealthCheck
}

// Set replaces the set of checks. It listens on the addresses that serve nodePorts
// according to scope: the listed addresses, the node's addresses in the prefixes,
// or all addresses of the family.
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

// Close stops all servers.
func (s *Services) Close() { s.Set(nil, ir.NodePortScope{}, nil) }

// listenAddresses returns the addresses that serve nodePorts of the family.
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

// start serves a check on several addresses independently.
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

// said reports the success or failure of an address.
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
	_ = h.server.Close() // remaining connections; nothing is lost with them
}

// body is the JSON of an answer, with kube-proxy's names (service_health.go).
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
	_ = json.NewEncoder(w).Encode(b) // the client may be gone
}
