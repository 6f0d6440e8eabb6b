package health

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Counter is called with the status code of every answer.
type Counter func(code string)

// Handler serves /healthz, which tells load balancers about the node, and /livez,
// which tells about the proxy alone: whether a restart could help.
func Handler(s *Status, healthz, livez Counter) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		r, eligible := s.Report(), s.Eligible()
		r.NodeEligible = &eligible
		r.Healthy = r.Healthy && !r.LastUpdated.IsZero()
		answer(w, r, r.Healthy && eligible, healthz)
	})
	mux.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) {
		r := s.Report()
		answer(w, r, r.Healthy, livez)
	})
	return mux
}

func answer(w http.ResponseWriter, r Report, fine bool, count Counter) {
	code := http.StatusServiceUnavailable
	if fine {
		code = http.StatusOK
	}
	if fine && !r.LastUpdated.IsZero() {
		// A healthy proxy reports a recent time, like a kube-proxy that synchronises
		// without changes. A proxy that has not applied anything has no such time.
		r.LastUpdated = r.CurrentTime
	}
	count(strconv.Itoa(code))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(r) // the client may be gone
}
