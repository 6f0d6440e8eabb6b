package health

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Counter is told the status of every answer.
type Counter func(code string)

// Handler answers /healthz, which load balancers ask about the node, and /livez,
// which asks about the proxy alone: whether starting it again could help.
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
		// A healthy proxy's answer is recent, as it was when kube-proxy still
		// synchronised without a change. One that never applied has no such time.
		r.LastUpdated = r.CurrentTime
	}
	count(strconv.Itoa(code))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(r) // the asker may be gone
}
