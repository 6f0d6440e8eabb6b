package proxyhealth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"github.com/planec/planec/internal/listener"
	"github.com/planec/planec/ir"
)

// Services answers on the healthCheckNodePorts of Services. It is safe for
// concurrent use.
type Services struct {
	// Healthy is whether the proxy itself is.
	Healthy func() bool
	// Failed is told when a port cannot be listened on.
	Failed func(ir.HealthCheck, error)

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
		server, err := s.start(c, where[k])
		if err != nil {
			s.Failed(c, err)
			continue
		}
		if s.servers == nil {
			s.servers = make(map[serviceKey]*serviceServer)
		}
		s.servers[k] = server
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

func (s *Services) start(c ir.HealthCheck, at []string) (*serviceServer, error) {
	h := &serviceServer{services: s, check: c}
	if s.gate == nil {
		s.gate = listener.NewGate(mostConnections, mostOfOne)
	}
	h.server = listener.NewServer(h, s.gate, listener.WriteTimeout)
	network := "tcp4"
	if c.Family == ir.IPv6 {
		network = "tcp6"
	}
	var listeners []net.Listener
	for _, host := range at {
		l, err := (&net.ListenConfig{}).Listen(context.Background(), network, net.JoinHostPort(host, strconv.Itoa(int(c.Port))))
		if err != nil {
			for _, l := range listeners {
				err = errors.Join(err, l.Close())
			}
			return nil, fmt.Errorf("service %s/%s, health check port %d: %w", c.Namespace, c.Name, c.Port, err)
		}
		listeners = append(listeners, l)
	}
	for _, l := range listeners {
		go h.server.Serve(s.gate.Guard(l)) // it ends with Close
	}
	return h, nil
}

func (h *serviceServer) set(c ir.HealthCheck) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.check = c
}

func (h *serviceServer) close() { _ = h.server.Close() } // nobody to tell

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
