package health_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/agent/health"
)

// TestAnswers follows a proxy from its start: it is alive while it waits for objects,
// ready when rules are in the kernel, and neither if the first rules wait too long.
func TestAnswers(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := health.NewStatus(time.Minute, func() time.Time { return now })
	counted := make(map[string]int)
	count := func(code string) { counted[code]++ }
	h := health.Handler(s, count, count)
	ask := func(path string) (int, health.Report) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if h := w.Header(); h.Get("Content-Type") != "application/json" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("headers of %s: %v", path, h)
		}
		var r health.Report
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", w.Body, err)
		}
		return w.Code, r
	}
	want := func(when string, healthz, livez int, reason string) {
		t.Helper()
		code, r := ask("/healthz")
		if code != healthz || !strings.Contains(strings.Join(r.Reasons, "\n"), reason) || (reason == "") != (len(r.Reasons) == 0) {
			t.Errorf("%s: healthz %d %+v, want %d", when, code, r, healthz)
		}
		if code, _ := ask("/livez"); code != livez {
			t.Errorf("%s: livez %d, want %d", when, code, livez)
		}
	}
	s.SetUnread([]string{"pods: forbidden"})
	want("at the start", 503, 200, "pods: forbidden")
	if _, r := ask("/livez"); !r.LastUpdated.IsZero() {
		t.Errorf("nothing was applied, and lastUpdated is %v", r.LastUpdated)
	}
	now = now.Add(time.Hour)
	want("an hour later", 503, 200, "no rules were applied yet")
	s.SetUnread(nil)
	s.Queued(now)
	want("when all was listed", 503, 200, "no rules were applied yet")
	now = now.Add(2 * time.Minute)
	want("when the first rules do not get in", 503, 503, "no rules were applied yet")
	s.Failed(errors.New("no such table"))
	want("when the kernel has refused them", 503, 503, "the last apply failed and is tried again: no such table")
	s.Updated()
	want("when they are in", 200, 200, "")
	if _, r := ask("/healthz"); !r.LastUpdated.Equal(now) {
		t.Errorf("a healthy answer is of %v", r.LastUpdated)
	}
	now = now.Add(10 * time.Second)
	if _, r := ask("/healthz"); !r.LastUpdated.Equal(now) || r.NodeEligible == nil || !*r.NodeEligible {
		t.Errorf("a healthy answer some seconds later: %+v", r)
	}
	if _, r := ask("/livez"); r.NodeEligible != nil {
		t.Errorf("livez speaks of the node: %+v", r)
	}
	s.SetUnread([]string{"x.yaml: it cannot be opened"})
	want("when a file cannot be read any more", 200, 200, "x.yaml")
	s.SetEligible(false)
	want("when the node is about to go", 503, 200, "x.yaml")
	if counted["200"] == 0 || counted["503"] == 0 {
		t.Errorf("counted is %v", counted)
	}
}
