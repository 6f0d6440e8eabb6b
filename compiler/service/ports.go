package service

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// readPorts reads the Service's ports and leaves out invalid ones.
func (s *service) readPorts(diags *diag.List) {
	names := make(map[string]bool, len(s.object.Spec.Ports))
	type number struct {
		protocol ir.Protocol
		port     uint16
	}
	numbers := make(map[number]bool, len(s.object.Spec.Ports))
	s.byName = make(map[portName]int, len(s.object.Spec.Ports))
	for i := range s.object.Spec.Ports {
		origin := s.origin.At(fmt.Sprintf("spec.ports[%d]", i))
		p, err := s.readPort(&s.object.Spec.Ports[i])
		n := number{p.id.Protocol, p.number}
		switch {
		case err != nil:
		case names[p.id.Port]:
			err = fmt.Errorf("a second port named %q", p.id.Port)
		case numbers[n]:
			err = fmt.Errorf("port %d/%v a second time", p.number, p.id.Protocol)
		}
		if err != nil {
			diags.Add(diag.BadServicePort, origin, err.Error())
			continue
		}
		names[p.id.Port], numbers[n] = true, true
		p.origin = origin
		s.byName[portName{p.id.Port, p.id.Protocol}] = len(s.ports)
		s.ports = append(s.ports, p)
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
