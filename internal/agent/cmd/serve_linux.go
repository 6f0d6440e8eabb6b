package cmd

import (
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/planec/planec/internal/agent/health"
	"github.com/planec/planec/internal/agent/listener"
	"github.com/planec/planec/ir"
)

// serve starts the health and metrics servers. It retries an address that cannot
// be opened until the agent ends. Such a failure is an error only if the
// configuration says so.
func (s *service) serve() (stop func(), err error) {
	m := s.report.metrics
	health := health.Handler(s.report.status, m.Healthz, m.Livez)
	var kept []*listener.Kept
	stop = func() {
		for _, k := range kept {
			k.Stop()
		}
	}
	for _, server := range []struct {
		name, addr string
		handler    http.Handler
	}{
		{"health", s.options.healthzAddr, health},
		{"metrics", s.options.metricsAddr, s.metricsHandler(health)},
	} {
		if server.addr == "" {
			continue
		}
		gate := listener.NewGate(mostConnections, mostOfOne)
		h := listener.NewServer(server.handler, gate, s.longestAnswer())
		k, err := listener.Keep(listener.Server{
			Listen: func() (net.Listener, error) {
				l, err := listener.Listen(server.addr)
				if err == nil {
					s.log.Info("serving", "what", server.name, "address", l.Addr())
				}
				return l, err
			},
			Serve: func(l net.Listener) error { return h.Serve(gate.Guard(l)) },
			Said:  func(err error) { s.report.unserved(server.name, server.addr, ir.Origin{}, err) },
		})
		kept = append(kept, k)
		if err != nil && s.config.Proxy.BindAddressHardFail {
			stop()
			return nil, fmt.Errorf("serving %s: %w", server.name, err)
		}
	}
	return stop, nil
}

// The maximum number of connections per server: of all clients, and of one.
const (
	mostConnections = 256
	mostOfOne       = 64
)

// longestProfile is the maximum duration of a profile.
const longestProfile = 5 * time.Minute

func (s *service) longestAnswer() time.Duration {
	if s.options.profiling {
		return longestProfile
	}
	return listener.WriteTimeout
}

// metricsHandler serves the paths of kube-proxy's metrics address.
func (s *service) metricsHandler(health http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(s.report.metrics.Registry, promhttp.HandlerOpts{}))
	mux.Handle("/healthz", health)
	mux.HandleFunc("/proxyMode", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		fmt.Fprint(w, s.backend.Name())
	})
	mux.HandleFunc("/configz", s.configz)
	if s.options.profiling {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}
