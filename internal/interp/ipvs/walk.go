package ipvs

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// walk is one packet on its way.
type walk struct {
	*Interpreter
	packet eval.Packet
	tables ruleset
	family ir.Family

	// dst and port are where the packet goes now.
	dst  netip.Addr
	port uint16
	mark uint32
	// byIPVS is set once IPVS has given the packet an endpoint.
	byIPVS      bool
	masqueraded bool
	hook        string
	budget      int
	// last is the rule that gave the last verdict.
	last  *rule
	steps []eval.Step
}

// verdict of a chain or of a hook.
type verdict uint8

const (
	none verdict = iota
	accept
	drop
	reject
)

var errDisagree = errors.New("the endpoints of one virtual service are refused in different ways")

// hookTables is a hook with some of its tables.
type hookTables struct {
	hook   string
	tables []string
}

func (w *walk) run() (eval.Result, error) {
	if w.packet.From == eval.FromNode {
		return w.sent()
	}
	return w.arrived()
}

// arrived is a packet from another host or a pod.
func (w *walk) arrived() (eval.Result, error) {
	if v, err := w.through(hookTables{"PREROUTING", []string{"mangle", "nat"}}); v != accept || err != nil {
		return w.end(v), err
	}
	if !w.isLocal(w.dst) {
		if w.sysctls["net.ipv4.ip_forward"] != "1" {
			return w.end(drop), nil
		}
		v, err := w.through(hookTables{"FORWARD", []string{"mangle", "filter"}}, postrouting)
		return w.end(v), err
	}
	v, err := w.through(hookTables{"INPUT", []string{"mangle", "filter"}})
	s := w.find()
	if v != accept || err != nil {
		return w.refusedPair(v, s), err
	}
	if s == nil {
		return w.end(accept), nil
	}
	return w.balance(s, func(c *walk) (verdict, error) {
		if c.isLocal(c.dst) {
			return accept, nil
		}
		return c.through(hookTables{"OUTPUT", []string{"mangle", "filter"}}, postrouting)
	})
}

var postrouting = hookTables{"POSTROUTING", []string{"mangle", "nat"}}

// sent is a packet of the node itself.
func (w *walk) sent() (eval.Result, error) {
	if v, err := w.through(hookTables{"OUTPUT", []string{"mangle", "nat"}}); v != accept || err != nil {
		return w.end(v), err
	}
	if s := w.find(); s != nil {
		return w.balance(s, func(c *walk) (verdict, error) {
			if c.isLocal(c.dst) {
				return c.toSelf()
			}
			return c.through(hookTables{"OUTPUT", []string{"mangle", "filter"}}, postrouting)
		})
	}
	if w.isLocal(w.dst) {
		v, err := w.toSelf()
		return w.end(v), err
	}
	v, err := w.through(hookTables{"OUTPUT", []string{"filter"}}, postrouting)
	return w.end(v), err
}

// toSelf leaves by the loopback interface and comes in again. Its NAT was
// decided on the way out.
func (w *walk) toSelf() (verdict, error) {
	return w.through(
		hookTables{"OUTPUT", []string{"filter"}}, postrouting,
		hookTables{"PREROUTING", []string{"mangle"}}, hookTables{"INPUT", []string{"mangle", "filter"}},
	)
}

// find is IPVS's search (ip_vs_service_find): the whole mark first.
func (w *walk) find() *service {
	if s := w.services.byMark[markKey{w.family, w.mark}]; s != nil && w.mark != 0 {
		return s
	}
	return w.services.byAddress[addressKey{netip.AddrPortFrom(w.dst, w.port), w.packet.Protocol}]
}

// balance tries every endpoint that IPVS may choose.
func (w *walk) balance(s *service, deliver func(*walk) (verdict, error)) (eval.Result, error) {
	if len(s.endpoints) == 0 {
		return w.end(reject), nil // ip_vs_leave
	}
	r := eval.Result{Verdict: eval.DNAT, Affinity: s.persistence, Masquerade: true}
	var refusal eval.Verdict
	w.step("ipvs", s.text)
	for i, e := range s.endpoints {
		c := *w
		c.steps = slices.Clip(w.steps) // each has its own from here
		c.byIPVS, c.dst, c.port = true, e.address.Addr(), e.address.Port()
		v, err := deliver(&c)
		if err != nil {
			return eval.Result{}, err
		}
		if v != accept {
			if refused := c.end(v).Verdict; i > 0 && len(r.Denied) > 0 && refusal != refused {
				return eval.Result{}, errDisagree
			} else {
				refusal = refused
			}
			r.Denied = append(r.Denied, eval.Choice{Address: e.address, Weight: e.weight})
			continue
		}
		masquerade := c.masqueraded && c.sysctls["net.ipv4.vs.conntrack"] == "1"
		r.Masquerade = r.Masquerade && masquerade
		r.Endpoints = append(r.Endpoints, eval.Choice{
			Address: e.address, Weight: e.weight, Masquerade: masquerade,
			Hairpin: masquerade && c.toItself(),
		})
		r.Steps = c.steps
	}
	if len(r.Endpoints) == 0 {
		return eval.Result{Verdict: refusal, Denied: r.Denied, Affinity: r.Affinity, Steps: w.steps}, nil
	}
	return r, nil
}

// refusedPair ends a packet that came as far as INPUT. Where it was refused for
// its pair of virtual service and client, none of the endpoints may be had.
func (w *walk) refusedPair(v verdict, s *service) eval.Result {
	r := w.end(v)
	if s == nil || v == accept || w.last == nil || !w.last.pairs {
		return r
	}
	r.Affinity = s.persistence
	for _, e := range s.endpoints {
		r.Denied = append(r.Denied, eval.Choice{Address: e.address, Weight: e.weight})
	}
	return r
}

// toItself reports whether a set of endpoints that may be given themselves has
// the packet.
func (w *walk) toItself() bool {
	e := entry{addr: w.dst, protocol: w.packet.Protocol, port: w.port, second: w.packet.Src}
	return w.dst == w.packet.Src && slices.ContainsFunc(w.pairs, func(s *ipset) bool {
		_, found := s.lookup(e)
		return found
	})
}

func (w *walk) end(v verdict) eval.Result {
	switch v {
	case drop:
		return eval.Result{Verdict: eval.Drop, Steps: w.steps}
	case reject:
		return eval.Result{Verdict: eval.Reject, Steps: w.steps}
	}
	return eval.Result{Verdict: eval.Pass, Masquerade: w.masqueraded, Steps: w.steps}
}

func (w *walk) step(stage, text string) {
	if w.explain {
		w.steps = append(w.steps, eval.Step{Stage: stage, Text: text})
	}
}
