package dns

import (
	"fmt"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// port is a port of a Service or of a slice.
type port struct {
	name, protocol string // in lower case
	number         uint16 // 0: no port is declared
}

func portOf(name, protocol string, number int32) port {
	p := port{name: strings.ToLower(name), protocol: strings.ToLower(protocol)}
	if number > 0 && number < 1<<16 {
		p.number = uint16(number)
	}
	return p
}

// port makes the SRV record of a named port. The answers to a question share a weight of 100,
// as CoreDNS has it: addresses is the number of them.
func (m *maker) port(service, target string, p port, addresses int, at ir.Origin) {
	if p.name == "" || p.number == 0 {
		return
	}
	name := "_" + p.name + "._" + p.protocol + "." + service
	if !isLabel(p.name) || !isLabel(p.protocol) || len(p.name) == longestLabel || len(name)-1 > longestName {
		m.diags.Add(diag.NoDNSRecord, at, fmt.Sprintf("port %.80q has no name in DNS", p.name))
		return
	}
	m.forward = append(m.forward, Record{Name: name, Type: SRV, TTL: m.ttl, Target: target, Weight: uint16(max(1, wholeWeight/addresses)), Port: p.number, Origin: at})
}

// wholeWeight is the sum of the weights of the answers to one question, before rounding.
const wholeWeight = 100
