package service

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// few is how many ports of a Service are looked through one by one. It is faster than a map,
// which only a Service with more ports has.
const few = 8

// ports reads the Service's ports and leaves out invalid ones.
func (a *analysis) ports(s *service) {
	in := s.object.Spec.Ports
	s.ports = a.memory.ports.take(len(in))
	numbers := newPortNumbers(len(in))
	if len(in) > few {
		s.byName = make(map[string]int, len(in))
	}
	for i := range in {
		p, err := s.readPort(&in[i])
		switch {
		case err != nil:
		case s.portNamed(p.id.Port) != nil:
			err = fmt.Errorf("a second port named %q", p.id.Port)
		case numbers.has(s.ports, &p):
			err = fmt.Errorf("port %d/%v a second time", p.number, p.id.Protocol)
		}
		p.origin = a.memory.origins.one()
		*p.origin = s.origin.At(a.portPaths.of(i))
		if err != nil {
			a.diags.Add(diag.BadServicePort, *p.origin, err.Error())
			continue
		}
		numbers.add(&p)
		if s.byName != nil {
			s.byName[p.id.Port] = len(s.ports)
		}
		s.ports = append(s.ports, p)
	}
}

// portNamed returns the port with a name, or nil.
func (s *service) portNamed(name string) *port {
	if s.byName != nil {
		if i, there := s.byName[name]; there {
			return &s.ports[i]
		}
		return nil
	}
	for i := range s.ports {
		if s.ports[i].id.Port == name {
			return &s.ports[i]
		}
	}
	return nil
}

// portNumbers tells which numbers ports have; nil if there are few ports.
type portNumbers map[numbered]bool

type numbered struct {
	protocol ir.Protocol
	number   uint16
}

func newPortNumbers(ports int) portNumbers {
	if ports <= few {
		return nil
	}
	return make(portNumbers, ports)
}

// has reports whether one of the ports, which were added, has the protocol and number of p.
func (n portNumbers) has(ports []port, p *port) bool {
	if n != nil {
		return n[numbered{p.id.Protocol, p.number}]
	}
	for i := range ports {
		if ports[i].id.Protocol == p.id.Protocol && ports[i].number == p.number {
			return true
		}
	}
	return false
}

func (n portNumbers) add(p *port) {
	if n != nil {
		n[numbered{p.id.Protocol, p.number}] = true
	}
}

func (s *service) readPort(in *corev1.ServicePort) (port, error) {
	protocol, err := protocolOf(in.Protocol)
	if err != nil {
		return port{}, err
	}
	number, err := portNumber(in.Port)
	if err != nil {
		return port{}, err
	}
	if err := checkPortName(in.Name); err != nil {
		return port{}, err
	}
	p := port{
		id:     ir.ServicePort{Namespace: s.name.Namespace, Name: s.name.Name, Port: in.Name, Protocol: protocol},
		number: number,
	}
	if in.NodePort != 0 {
		if p.nodePort, err = portNumber(in.NodePort); err != nil {
			return port{}, fmt.Errorf("nodePort: %w", err)
		}
	}
	return p, nil
}

// checkPortName checks the name of a Service port like the API server: a DNS
// label, or empty.
func checkPortName(name string) error {
	if name == "" || (validName(name) && len(name) <= 63 && !strings.Contains(name, ".")) {
		return nil
	}
	return fmt.Errorf("name %q is no DNS label", clip(name))
}

func protocolOf(p corev1.Protocol) (ir.Protocol, error) {
	switch p {
	case corev1.ProtocolTCP, "":
		return ir.TCP, nil
	case corev1.ProtocolUDP:
		return ir.UDP, nil
	case corev1.ProtocolSCTP:
		return ir.SCTP, nil
	}
	return 0, fmt.Errorf("unknown protocol %q", clip(string(p)))
}

func portNumber(n int32) (uint16, error) {
	if n < 1 || n > 65535 {
		return 0, fmt.Errorf("port %d is not between 1 and 65535", n)
	}
	return uint16(n), nil
}
