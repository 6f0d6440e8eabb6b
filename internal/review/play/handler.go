package play

import (
	"bytes"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Handler serves a playground below /SECRET/. Manifests may be confidential, and a port
// of this machine is open to all its users, so only who knows the secret gets an answer.
type Handler struct {
	secret string
	remote bool
	assets map[string]Asset
}

// NewHandler returns a handler. With remote, clients may use any address of this machine;
// without, only a loopback one.
func NewHandler(assets []Asset, secret string, remote bool) *Handler {
	h := &Handler{secret: secret, remote: remote, assets: make(map[string]Asset, len(assets))}
	for _, a := range assets {
		h.assets[a.Name] = a
	}
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.knows(r.Host) {
		http.Error(w, "this host name is not served: use the printed address", http.StatusMisdirectedRequest)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are served", http.StatusMethodNotAllowed)
		return
	}
	name, ours := strings.CutPrefix(r.URL.Path, "/"+h.secret+"/")
	if name == "" {
		name = "index.html"
	}
	a, known := h.assets[name]
	if !ours || !known {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", a.Type)
	header.Set("Content-Security-Policy", policy+"; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "no-store") // the next playground of this port has other files
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.Data))
}

// knows reports whether a Host header may be this server's. Another name means that a
// foreign page had its name resolved to this address (DNS rebinding); an address cannot
// be resolved to another one.
func (h *Handler) knows(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && (h.remote || addr.Unmap().IsLoopback())
}
