package frr

import (
	"fmt"
	"strings"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/bgp"
)

// Name is the name of the directory of the artifact, and File that of its file.
const (
	Name = "frr"
	File = "frr.conf"
)

// Header begins each file that planec wrote.
const Header = "! Written by planec for node "

// Nothing is a file of a node that announces nothing, and is planec's no more.
const Nothing = Header + "no more\nfrr defaults traditional\nend\n"

// Options are what the speaker does not say.
type Options struct {
	NoComments bool // leave out the names of Services
	// Passwords writes passwords of neighbors in clear.
	Passwords bool
}

// Emit writes the configuration of a node.
func Emit(s *bgp.Speaker, o Options) backends.Artifact {
	w := writer{options: o}
	w.line(0, Header+"%s: it is made anew with every change.", word(s.Node))
	w.line(0, "frr defaults traditional")
	if multihop(s) {
		w.line(0, "ip nht resolve-via-default")
		w.line(0, "ipv6 nht resolve-via-default")
	}
	w.profiles(s.Profiles)
	for i := range s.Routers {
		for j := range s.Routers[i].Neighbors {
			w.policy(&s.Routers[i], &s.Routers[i].Neighbors[j])
		}
	}
	if len(s.Routers) > 0 {
		w.line(0, "route-map %s deny 65535", nothing)
		w.line(0, "exit")
	}
	for i := range s.Routers {
		w.router(&s.Routers[i])
	}
	w.line(0, "end")
	return backends.Artifact{Files: []backends.File{{Name: File, Data: []byte(w.String())}}, Private: o.Passwords}
}

// nothing is the route map that denies all.
const nothing = "planec-in"

// multihop reports whether a neighbor may be reached by the default route.
func multihop(s *bgp.Speaker) bool {
	for _, r := range s.Routers {
		for _, n := range r.Neighbors {
			if n.TTL > 0 {
				return true
			}
		}
	}
	return false
}

// writer writes lines.
type writer struct {
	strings.Builder
	options Options
}

func (w *writer) line(depth int, format string, args ...any) {
	w.WriteString(strings.Repeat(" ", depth))
	fmt.Fprintf(w, format, args...)
	w.WriteByte('\n')
}

func (w *writer) profiles(list []bgp.Profile) {
	if len(list) == 0 {
		return
	}
	w.line(0, "bfd")
	for _, p := range list {
		w.line(1, "profile %s", profileName(p.Name))
		for _, n := range []struct {
			words           string
			value, standard uint32 // FRR writes no line for the standard
		}{
			{"detect-multiplier", p.Detect, 3},
			{"receive-interval", p.Receive, 300},
			{"transmit-interval", p.Transmit, 300},
			{"echo receive-interval", p.Echo, 50},
			{"echo transmit-interval", p.Echo, 50},
			{"minimum-ttl", p.MinimumTTL, 254},
		} {
			if n.value > 0 && n.value != n.standard {
				w.line(2, "%s %d", n.words, n.value)
			}
		}
		if p.EchoMode {
			w.line(2, "echo-mode")
		}
		if p.Passive {
			w.line(2, "passive-mode")
		}
		w.line(1, "exit")
	}
	w.line(0, "exit")
}

// router writes a router with its neighbors.
func (w *writer) router(r *bgp.Router) {
	vrf := ""
	if r.VRF != "" {
		vrf = " vrf " + r.VRF
	}
	w.line(0, "router bgp %d%s", r.ASN, vrf)
	w.line(1, "bgp router-id %s", r.ID)
	w.line(1, "no bgp default ipv4-unicast")
	w.line(1, "no bgp network import-check")
	for i := range r.Neighbors {
		w.neighbor(r, &r.Neighbors[i])
	}
	for _, f := range ir.Families() {
		w.family(r, f)
	}
	w.line(0, "exit")
}

// neighbor writes what is the same for both families.
func (w *writer) neighbor(r *bgp.Router, n *bgp.Neighbor) {
	id, how := neighborID(n), ""
	if n.Interface != "" {
		how = " interface"
	}
	say := func(format string, args ...any) { w.line(1, "neighbor "+id+" "+format, args...) }
	w.line(1, "neighbor %s%s remote-as %s", id, how, remote(n))
	say("description %s", word(n.Origin.Kind+" "+n.Name))
	if n.LocalAS != 0 {
		say("local-as %d no-prepend replace-as", n.LocalAS)
	}
	internal := n.Internal(r)
	if n.BFD != "" {
		say("bfd")
		say("bfd profile %s", profileName(n.BFD))
	}
	if n.Port != 0 && n.Port != 179 {
		say("port %d", n.Port)
	}
	switch {
	case n.PasswordFrom != "":
		w.line(1, "! the password of %s is in %s, which planec does not read", id, word(n.PasswordFrom))
	case n.Password != "" && w.options.Passwords:
		say("password %s", n.Password)
	case n.Password != "":
		w.line(1, "! the password of %s is written with --bgp-passwords only", id)
	}
	if n.TTL > 0 && !internal {
		say("ebgp-multihop %d", n.TTL)
	}
	if n.TTL == 0 && !internal && n.Address.Is6() {
		say("disable-connected-check") // the address may be announced by a router that is not on the link, as MetalLB allows
	}
	if n.Source.IsValid() {
		say("update-source %s", n.Source)
	}
	if n.Hold >= 0 {
		say("timers %d %d", n.Keepalive, n.Hold)
	}
	if n.Connect > 0 {
		say("timers connect %d", n.Connect)
	}
	if n.GracefulRestart {
		say("graceful-restart")
	}
}

func remote(n *bgp.Neighbor) string {
	switch {
	case n.Remote != 0:
		return fmt.Sprint(n.Remote)
	case n.External:
		return "external"
	}
	return "internal"
}

// family writes the networks of a family, and which neighbors are told them.
func (w *writer) family(r *bgp.Router, f ir.Family) {
	var active []*bgp.Neighbor
	for i := range r.Neighbors {
		if has(&r.Neighbors[i], f) {
			active = append(active, &r.Neighbors[i])
		}
	}
	if len(active) == 0 {
		return
	}
	w.line(1, "address-family %s unicast", f)
	for _, n := range networks(active, f) {
		if !w.options.NoComments {
			w.line(2, "! %s", why(n.reasons))
		}
		w.line(2, "network %s", n.prefix)
	}
	for _, n := range active {
		id := neighborID(n)
		w.line(2, "neighbor %s activate", id)
		w.line(2, "neighbor %s route-map %s in", id, nothing)
		w.line(2, "neighbor %s route-map %s out", id, mapName(r, n))
	}
	w.line(1, "exit-address-family")
}
