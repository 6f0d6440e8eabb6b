package agentcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

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
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", server.addr)
		if err != nil && s.config.Proxy.BindAddressHardFail {
			return fmt.Errorf("serving %s: %w", server.name, err)
		}
		if err != nil {
			s.log.Error("not served", "what", server.name, "error", err)
			continue
		}
		s.log.Info("serving", "what", server.name, "address", l.Addr())
		part(server.name, func(ctx context.Context) error { return serveUntil(ctx, l, server.handler) })
	}
	return nil
}

func serveUntil(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody is waited for
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
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
