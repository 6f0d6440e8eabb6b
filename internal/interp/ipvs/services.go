package ipvs

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/ir"
)

// service is one virtual service.
type service struct {
	text        string
	scheduler   string
	persistence uint32
	endpoints   []endpoint
	has         map[netip.AddrPort]bool
}

type endpoint struct {
	address netip.AddrPort
	weight  uint16
}

type addressKey struct {
	netip.AddrPort
	protocol ir.Protocol
}

type markKey struct {
	family ir.Family
	mark   uint32
}

// services is IPVS's two tables.
type services struct {
	byAddress map[addressKey]*service
	byMark    map[markKey]*service
}

var schedulers = []string{"rr", "wrr", "lc", "wlc", "sh", "mh"}

// parseServices reads what ipvsadm -R does.
func parseServices(text []byte) (*services, error) {
	all := &services{byAddress: make(map[addressKey]*service), byMark: make(map[markKey]*service)}
	return all, eachLine(text, func(words []string) error {
		r := &reader{words: words}
		command := r.next()
		at := all.slot(r)
		switch command {
		case "-A":
			s := &service{text: strings.Join(words[1:], " "), has: make(map[netip.AddrPort]bool)}
			s.options(r)
			if err := r.end(); err != nil {
				return err
			}
			if at.get() != nil {
				return fmt.Errorf("%q is there already", s.text)
			}
			at.put(s)
			return nil
		case "-a":
			return at.add(r)
		}
		return fmt.Errorf("command %q is not known", command)
	})
}

// slot is a virtual service's place in its table.
type slot struct {
	family ir.Family
	get    func() *service
	put    func(*service)
	// mark is whether the service is selected by mark.
	mark bool
}

func (all *services) slot(r *reader) slot {
	protocols := map[string]ir.Protocol{"-t": ir.TCP, "-u": ir.UDP, "--sctp-service": ir.SCTP}
	kind := r.next()
	if kind == "-f" {
		k := markKey{ir.IPv4, uint32(r.number(32))}
		if r.skip("-6") {
			k.family = ir.IPv6
		}
		if k.mark == 0 {
			r.fail("mark 0 selects nothing")
		}
		return slot{family: k.family, mark: true, get: func() *service { return all.byMark[k] }, put: func(s *service) { all.byMark[k] = s }}
	}
	p, known := protocols[kind]
	if !known {
		r.fail("%q is not known", kind)
	}
	k := addressKey{r.addrPort(), p}
	return slot{
		family: ir.FamilyOf(k.Addr()),
		get:    func() *service { return all.byAddress[k] }, put: func(s *service) { all.byAddress[k] = s },
	}
}

func (s *service) options(r *reader) {
	r.want("-s")
	if s.scheduler = r.next(); !slices.Contains(schedulers, s.scheduler) {
		r.fail("scheduler %q is not known", s.scheduler)
	}
	if r.skip("-p") {
		if s.persistence = uint32(r.number(32)); s.persistence == 0 || s.persistence > 31*86400 {
			r.fail("ipvsadm takes no persistence of %d s", s.persistence)
		}
	}
}

// add reads an endpoint.
func (at slot) add(r *reader) error {
	r.want("-r")
	e := endpoint{address: r.addrPort()}
	r.want("-m", "-w")
	e.weight = uint16(r.number(16))
	if err := r.end(); err != nil {
		return err
	}
	s := at.get()
	switch {
	case s == nil:
		return fmt.Errorf("endpoint %v of a virtual service that there is not", e.address)
	case ir.FamilyOf(e.address.Addr()) != at.family:
		return fmt.Errorf("endpoint %v is of another family", e.address)
	case at.mark && s.persistence > 0:
		return fmt.Errorf("endpoint %v: a persistent service that a mark selects does not translate ports (ip_vs_sched_persist)", e.address)
	case s.has[e.address]:
		return fmt.Errorf("endpoint %v is there already", e.address)
	}
	s.has[e.address] = true
	if e.weight > 0 {
		s.endpoints = append(s.endpoints, e)
	}
	return nil
}
