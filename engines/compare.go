package engines

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/engines/cilium"
	"github.com/planec/planec/engines/planec"
	"github.com/planec/planec/engines/random"
	"github.com/planec/planec/ir"
)

// difference is a connection that the two judge differently in a direction.
type difference struct {
	asked
	cilium []string // what the engine says, each time that it is asked
	planec string
}

func (d difference) String() string {
	direction := "egress"
	if d.ingress {
		direction = "ingress"
	}
	return fmt.Sprintf("%v: %s of %s on %s: Cilium %s, planec %s", d.connection, direction, d.pod, d.node, strings.Join(d.cilium, " or "), d.planec)
}

// comparison is what the two say about a set.
type comparison struct {
	verdicts  int
	different []difference
	// unsure are verdicts of which the engine gives several, for the same objects, and
	// planec one of them: the engine's maps have no order, and what it leaves out
	// because another entry says the same depends on which came first.
	unsure int
	// reasons are connections that both deny, one because a proxy would have to decide
	// or both ends to prove who they are, and the other because they never can. Only
	// rules about authentication make such.
	reasons int
}

// transports are asked between every two ends.
var transports = []struct {
	protocol ir.Protocol
	port     uint16
}{
	{ir.TCP, 80}, {ir.TCP, 8080}, {ir.TCP, 443}, {ir.UDP, 53}, {ir.UDP, 5353}, {ir.SCTP, 80}, {ir.ICMP, 8}, {ir.ICMPv6, 128},
}

// compare asks both about every connection of a set.
func compare(s *random.Set) (comparison, error) {
	var out comparison
	text, err := s.YAML()
	if err != nil {
		return out, err
	}
	own, err := planec.New(text)
	if err != nil {
		return out, fmt.Errorf("seed %d: %w", s.Seed, err)
	}
	cluster, err := cilium.Read(text)
	if err != nil {
		return out, fmt.Errorf("seed %d: %w", s.Seed, err)
	}
	all, err := everything(cluster, s.Ends)
	if err != nil {
		return out, fmt.Errorf("seed %d: %w", s.Seed, err)
	}
	out.verdicts = len(all)
	for _, n := range cluster.Nodes {
		found, err := compareNode(cluster, n.Name, own, all, &out)
		if err == nil {
			found, err = again(text, n.Name, found, &out)
		}
		if err != nil {
			return out, fmt.Errorf("seed %d: %w", s.Seed, err)
		}
		out.different = append(out.different, found...)
	}
	return out, nil
}

// compareNode asks about the pods of one node.
func compareNode(c *cilium.Cluster, node string, own *planec.Judge, all []asked, to *comparison) ([]difference, error) {
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
		switch want := withoutProxy(theirs); {
		case want == ours:
		case theirs.Authenticates() && want != "allowed" && ours != "allowed":
			to.reasons++
		default:
			out = append(out, difference{q, []string{want}, ours})
		}
	}
	return out, nil
}

// times is how often the engine is asked again where it differs. Half of its answers are
// others where it gives two.
const times = 24

// again asks new engines about differences, and returns those that stay with every answer.
func again(text []byte, node string, found []difference, to *comparison) ([]difference, error) {
	for i := 0; i < times && len(found) > 0; i++ {
		cluster, err := cilium.Read(text)
		if err != nil {
			return nil, err
		}
		engine, err := cilium.NewEngine(cluster, node)
		if err != nil {
			return nil, err
		}
		var left []difference
		for _, d := range found {
			theirs, err := engine.Judge(d.pod, d.ingress, d.peer, uint8(d.protocol), d.port)
			if err != nil {
				engine.Close()
				return nil, err
			}
			answer := withoutProxy(theirs)
			if answer == d.planec {
				to.unsure++
				continue
			}
			if !slices.Contains(d.cilium, answer) {
				d.cilium = append(d.cilium, answer)
			}
			left = append(left, d)
		}
		engine.Close()
		found = left
	}
	return found, nil
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
