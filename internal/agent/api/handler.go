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

// Handler serves the status and the wanted state of an agent.
func Handler(status func() Status, serving func(context.Context) (Serving, error)) http.Handler {
	mux := http.NewServeMux()
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
