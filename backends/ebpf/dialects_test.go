package ebpf

import (
	"bytes"
	"strings"
	"testing"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

func ports(protocol ir.Protocol, first, last uint16) ir.PortRange {
	return ir.PortRange{Protocol: protocol, First: first, Last: last}
}

// dialects is a program with what only other dialects than Kubernetes' have.
func dialects() *ir.Program {
	p := &ir.Program{Node: ir.Node{Name: "node-a", Addresses: addrs("192.168.9.1"), Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	ping := ports(ir.ICMP, ir.TypeAndCode(8, 0), ir.TypeAndCode(8, 255))
	log := policyRule(ir.Log, "spec.ingress[0]", []string{"db"}, tcp(80, 90))
	log.Prefix = "calico-packet"
	logAll := policyRule(ir.Log, "spec.egress[0]", nil)
	logAll.Prefix = "sent: "
	resolver := policyRule(ir.Accept, "spec.ingress[1]", []string{"db"}, ports(ir.UDP, 0, 65535))
	resolver.SourcePorts = []ir.PortRange{ports(ir.UDP, 53, 53), ports(ir.UDP, 1000, 1023)}
	probe := policyRule(ir.Deny, "spec.ingress[2]", nil, tcp(22, 22))
	probe.OwnNode = true
	p.Policy = ir.Policy{
		OnDeny: ir.Drop,
		Profiles: []ir.Profile{
			{ID: "node", Node: true, Ingress: isolated(policyRule(ir.Accept, "spec.ingress[0]", []string{"db"}, tcp(22, 22)))},
			{
				ID: "shop/web/1", Pods: []ir.Pod{podOf("web-0", "10.1.0.2", "fd00:10:1::2")},
				Ingress: isolated(log, resolver, probe, policyRule(ir.Accept, "spec.ingress[3]", nil, ping, ports(47, 0, 65535), tcp(443, 443))),
				Egress:  []ir.Tier{{Kind: ir.NamedTier, Name: "audit", Default: ir.Pass, Rules: []ir.Rule{logAll}}},
			},
			{
				ID: "shop/own/2", Pods: []ir.Pod{podOf("own-0", "10.1.0.3")},
				Ingress: []ir.Tier{{Kind: ir.NamedTier, Name: "probes", Default: ir.Pass, Rules: []ir.Rule{probe, policyRule(ir.Accept, "spec.ingress[4]", nil)}}},
			},
		},
		AddressSets: []ir.AddressSet{{ID: "db", Addresses: addrs("10.1.9.9", "fd00:10:9::9")}},
	}
	p.Policy.Profiles[2].Ingress[0].Rules = p.Policy.Profiles[2].Ingress[0].Rules[1:]
	own := probe
	own.Peers, own.AnyPeer = []string{"node"}, false
	p.Policy.Profiles[2].Ingress[0].Rules = append([]ir.Rule{own}, p.Policy.Profiles[2].Ingress[0].Rules...)
	p.Policy.AddressSets = append(p.Policy.AddressSets, ir.AddressSet{ID: "node", OwnNode: true})
	p.Normalize()
	return p
}

// TestDialectFlags: directions that deny nothing say so, and packets from the own node
// are marked.
func TestDialectFlags(t *testing.T) {
	img := imageOf(t, dialects())
	pods := img.Map(layout.Pods)
	got := make(map[string]uint32)
	for i := range pods.Len() {
		got[layout.Address(pods.Key(i)).Addr().String()] = layout.DecodePod(pods.Value(i)).Flags
	}
	const own = layout.PodIngress | layout.PodOwn
	if got["10.1.0.2"] != own|layout.PodEgress|layout.PodEgressOpen|layout.PodLogs || got["10.1.0.3"] != own|layout.PodIngressOpen {
		t.Errorf("%v", got)
	}
	if f := img.Info().Node.Flags; f != layout.PodIngress {
		t.Errorf("the node has flags %d", f)
	}
	if name := img.Symbols().NodeProfile().Name; name != "node" {
		t.Errorf("the profile of the node is called %q", name)
	}
}

// TestReadRefusesDialects violates one invariant at a time of what other dialects need.
func TestReadRefusesDialects(t *testing.T) {
	pods := func(change func(p *layout.Pod)) func(*Image) {
		return func(img *Image) {
			edit{img, layout.Pods}.each(func(_ int, key, value []byte) []byte {
				p := layout.DecodePod(value)
				change(&p)
				return p.Append(key)
			})
		}
	}
	node := func(change func(p *layout.Pod)) func(*Image) {
		return func(img *Image) {
			info := img.Info()
			change(&info.Node)
			img.maps[layout.Meta].data = info.Append(nil)
		}
	}
	verdicts := func(change func(k layout.PortKey, v layout.Verdict) layout.Verdict) func(*Image) {
		return func(img *Image) {
			edit{img, layout.Ports}.each(func(_ int, key, value []byte) []byte {
				return layout.AppendIndex(key, uint32(change(layout.DecodePortKey(key), layout.Verdict(layout.DecodeIndex(value)))))
			})
		}
	}
	entries := func(index int, change func(key, value []byte) []byte) func(*Image) {
		return func(img *Image) {
			edit{img, index}.each(func(_ int, key, value []byte) []byte { return change(key, value) })
		}
	}
	drop := func([]byte, []byte) []byte { return nil }
	for _, c := range []struct {
		want   string
		change func(*Image)
	}{
		{"unknown flags, profile", pods(func(p *layout.Pod) { p.Flags |= 64 })},
		{"unknown flags, profile", pods(func(p *layout.Pod) {
			p.Flags |= layout.PodEgressOpen
			p.Flags &^= layout.PodEgress
			p.Egress = layout.PolicyID{}
		})},
		{"does not judge packets from the own node", pods(func(p *layout.Pod) { p.Flags &^= layout.PodOwn })},
		{"its flags say otherwise", pods(func(p *layout.Pod) { p.Flags &^= layout.PodEgressOpen | layout.PodIngressOpen })},
		{"its flags say otherwise", pods(func(p *layout.Pod) { p.Flags |= layout.PodIngressOpen })},
		{"it logs, true, but its flags", pods(func(p *layout.Pod) { p.Flags &^= layout.PodLogs })},
		{"it logs, false, but its flags", node(func(p *layout.Pod) { p.Flags |= layout.PodLogs })},
		{"judges packets from the own node", node(func(p *layout.Pod) { p.Flags |= layout.PodOwn })},
		{"unknown flags, profile", node(func(p *layout.Pod) { p.Flags = 0 })},
		{"or not policed", node(func(p *layout.Pod) { *p = layout.Pod{} })},
		{"there is no row for packets from the own node", entries(layout.Rows, func(key, value []byte) []byte {
			if layout.DecodeRowKey(key).Direction == layout.DirectionOwn {
				return nil
			}
			return append(key, value...)
		})},
		{"would pass without it", entries(layout.Rows, func(key, value []byte) []byte {
			if layout.DecodeRowKey(key).Direction == layout.DirectionOwn {
				return append(key, layout.RowAccept[:]...)
			}
			return append(key, value...)
		})},
		{"which have no class", entries(layout.Rows, func(key, value []byte) []byte {
			k := layout.DecodeRowKey(key)
			if k.Direction == layout.DirectionOwn {
				k.Class[3] = 1
			}
			return append(k.Append(nil), value...)
		})},
		{"unknown verdict", verdicts(func(_ layout.PortKey, v layout.Verdict) layout.Verdict { return v | 1<<9 })},
		{"a log that is not there", verdicts(func(_ layout.PortKey, v layout.Verdict) layout.Verdict {
			if v.Log() > 0 {
				v += 1 << 16
			}
			return v
		})},
		{"unlike others of its row", verdicts(func(k layout.PortKey, v layout.Verdict) layout.Verdict {
			if k.Bits > layout.RowBits {
				v &^= layout.VerdictSources
			}
			return v
		})},
		{"has some and is not", verdicts(func(_ layout.PortKey, v layout.Verdict) layout.Verdict { return v &^ layout.VerdictSources })},
		{"it is marked for source ports and has none", entries(layout.SourcePorts, drop)},
		{"a log that is not there", entries(layout.Logs, drop)},
		{"is no prefix", entries(layout.Logs, func(key, _ []byte) []byte { return layout.AppendLogPrefix(key, "a\nb") })},
		{"is no prefix", entries(layout.Logs, func(key, value []byte) []byte { return append(append(key, value[:31]...), 'x') })},
		{"is not the next one", entries(layout.Logs, func(key, value []byte) []byte {
			key[11]++
			return append(key, value...)
		})},
		{"has no source ports", entries(layout.SourcePorts, func(key, value []byte) []byte {
			key[13] = 1
			return append(key, value...)
		})},
		{"is not there, or has source ports itself", entries(layout.SourcePorts, func(key, _ []byte) []byte {
			k := layout.DecodePortKey(key)
			return append(key, k.Row[:]...)
		})},
		{"is not there, or has source ports itself", entries(layout.SourcePorts, func(key, value []byte) []byte {
			value[0]++
			return append(key, value...)
		})},
		{"is not in its canonical form", entries(layout.Ports, func(key, value []byte) []byte {
			k := layout.DecodePortKey(key)
			if k.Bits == layout.MaxPortBits {
				k.Protocol = 47
			}
			return append(k.Append(nil), value...)
		})},
	} {
		img := imageOf(t, dialects())
		c.change(img)
		if err := resealed(img); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want an error about %q, got %v", c.want, err)
		}
	}
	if err := resealed(imageOf(t, dialects())); err != nil {
		t.Error(err)
	}
}

// resealed corrects counts and digests, and reads the image.
func resealed(img *Image) error {
	info := img.Info()
	var entries [layout.NumMaps][]byte
	for i := range img.maps {
		if m := &img.maps[i]; i != layout.Meta {
			m.sort()
			info.SetCount(i, uint32(m.Len()))
		}
	}
	img.maps[layout.Meta].data = info.Append(nil)
	img.seal()
	for i := range img.maps {
		entries[i] = bytes.Clone(img.maps[i].data)
	}
	_, err := NewImage(entries)
	return err
}
