package api

import (
	"context"
	"encoding/json"
	"net/http"
)

// The paths of the socket's server.
const (
	statusPath  = "/status"
	servingPath = "/serving"
)

// The paths of what the agent serves for other programs too, for a report about a fault.
const (
	MetricsPath = "/metrics"
	ConfigPath  = "/configz"
	HealthPath  = "/healthz"
)

// Handler serves the status and the wanted state of an agent. More serves [MetricsPath] and the
// like; nil is nothing.
func Handler(status func() Status, serving func(context.Context) (Serving, error), more http.Handler) http.Handler {
	mux := http.NewServeMux()
	if more != nil {
		for _, path := range []string{MetricsPath, ConfigPath, HealthPath} {
			mux.Handle(path, more)
		}
	}
	mux.HandleFunc(statusPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(status()) // the client may be gone
	})
	mux.HandleFunc(servingPath, func(w http.ResponseWriter, r *http.Request) {
		s, err := serving(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/x-tar")
		_ = s.write(w) // as above; the client rejects a truncated archive
	})
	return mux
}
