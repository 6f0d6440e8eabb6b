package agentcmd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/planec/planec/internal/listener"
	"github.com/planec/planec/internal/proxyhealth"
)

// serve starts the health and metrics servers. An address that cannot be served
// on is an error only where the configuration says so.
func (s *service) serve(part func(string, func(context.Context) error)) error {
	m := s.report.metrics
	health := proxyhealth.Handler(s.report.status, m.Healthz, m.Livez)
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
		l, err := listener.Listen(server.addr)
		if err != nil && s.config.Proxy.BindAddressHardFail {
			return fmt.Errorf("serving %s: %w", server.name, err)
		}
		if err != nil {
			s.log.Error("not served", "what", server.name, "error", err)
			continue
		}
		s.log.Info("serving", "what", server.name, "address", l.Addr())
		gate := listener.NewGate(mostConnections, mostOfOne)
		h := listener.NewServer(server.handler, gate, s.longestAnswer())
		part(server.name, func(ctx context.Context) error { return listener.Serve(ctx, l, h, gate) })
	}
	return nil
}

// The connections of each server: of all clients, and of one.
const (
	mostConnections = 256
	mostOfOne       = 64
)

// longestProfile is how long a profile may take to make.
const longestProfile = 5 * time.Minute

func (s *service) longestAnswer() time.Duration {
	if s.options.profiling {
		return longestProfile
	}
	return listener.WriteTimeout
}

// metricsHandler has what kube-proxy's metrics address has.
func (s *service) metricsHandler(health http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(s.report.metrics.Registry, promhttp.HandlerOpts{}))
	mux.Handle("/healthz", health)
	mux.HandleFunc("/proxyMode", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		fmt.Fprint(w, s.backend.Name())
	})
	mux.HandleFunc("/configz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"planec": s.config}) // the asker may be gone
	})
	if s.options.profiling {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}
