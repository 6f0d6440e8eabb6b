package engines

import (
	"fmt"

	"github.com/planec/planec/engines/cilium"
	"github.com/planec/planec/engines/planec"
	"github.com/planec/planec/engines/random"
	"github.com/planec/planec/ir"
)

// difference is a connection that the two judge differently in a direction.
type difference struct {
	asked
	cilium, planec string
}

func (d difference) String() string {
	direction := "egress"
	if d.ingress {
		direction = "ingress"
	}
	return fmt.Sprintf("%v: %s of %s on %s: Cilium %s, planec %s", d.connection, direction, d.pod, d.node, d.cilium, d.planec)
}

// transports are asked between every two ends.
var transports = []struct {
	protocol ir.Protocol
	port     uint16
}{
	{ir.TCP, 80}, {ir.TCP, 8080}, {ir.TCP, 443}, {ir.UDP, 53}, {ir.UDP, 5353}, {ir.SCTP, 80}, {ir.ICMP, 8}, {ir.ICMPv6, 128},
}

// compare asks both about every connection of a set, and returns how many verdicts there
// are and which differ.
func compare(s *random.Set) (verdicts int, different []difference, err error) {
	text, err := s.YAML()
	if err != nil {
		return 0, nil, err
	}
	cluster, err := cilium.Read(text)
	if err != nil {
		return 0, nil, fmt.Errorf("seed %d: %w", s.Seed, err)
	}
	own, err := planec.New(text)
	if err != nil {
		return 0, nil, fmt.Errorf("seed %d: %w", s.Seed, err)
	}
	all, err := everything(cluster, s.Ends)
	if err != nil {
		return 0, nil, fmt.Errorf("seed %d: %w", s.Seed, err)
	}
	for _, n := range cluster.Nodes {
		found, err := compareNode(cluster, n.Name, own, all)
		if err != nil {
			return verdicts, different, fmt.Errorf("seed %d: %w", s.Seed, err)
		}
		different = append(different, found...)
	}
	return len(all), different, nil
}

// compareNode asks about the pods of one node.
func compareNode(c *cilium.Cluster, node string, own *planec.Judge, all []asked) ([]difference, error) {
	engine, err := cilium.NewEngine(c, node)
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	var out []difference
	for _, q := range all {
		if q.node != node {
			continue
		}
		theirs, err := engine.Judge(q.pod, q.ingress, q.peer, uint8(q.protocol), q.port)
		if err != nil {
			return nil, err
		}
		ours, err := own.Judge(q.pod, q.ingress, q.peer, q.own, q.protocol, q.port)
		if err != nil {
			return nil, err
		}
		if want := withoutProxy(theirs); want != ours {
			out = append(out, difference{q, want, ours})
		}
	}
	return out, nil
}

// everything returns the questions about every two ends, with every transport of their
// families.
func everything(c *cilium.Cluster, ends []string) ([]asked, error) {
	var out []asked
	for _, from := range ends {
		for _, to := range ends {
			if from == to {
				continue
			}
			for _, t := range transports {
				conn := connection{from, to, t.protocol, t.port}
				if !conn.possible() {
					continue
				}
				q, err := questions(c, conn)
				if err != nil {
					return nil, err
				}
				out = append(out, q...)
			}
		}
	}
	return out, nil
}
