package nftables

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// translatedFor is how long a pod counts as one whose connections to pods are translated,
// after the last of them began: the kernel's timeout of an established connection
// (nf_conntrack_tcp_timeout_established).
const translatedFor = "5d"

// translatedSize bounds the pods of a family that do; beyond it their answers get lost.
const translatedSize = "65536"

// leavesUntracked reports whether connections between pods of the family need no
// tracking: planec knows the pods' addresses, no policy asks for a connection's state,
// and nothing masquerades them. A network of pods that has Services too (--cluster-cidr
// is too wide) keeps all tracked: what goes to a Service is no packet to a pod.
func (t *table) leavesUntracked() bool {
	if !t.untracked || t.program.Node.Local.Mode != ir.DetectCIDR || !t.localSources.used() || len(t.program.Policy.Profiles) > 0 {
		return false
	}
	return !slices.ContainsFunc(ir.PrefixesOf(t.ir, t.program.Node.Local.CIDRs), func(p netip.Prefix) bool {
		return t.masquerades(p) || slices.ContainsFunc(t.program.Node.ServiceCIDRs, p.Overlaps)
	})
}

// masquerades reports whether the node's egress masquerade may apply to destinations of
// a prefix.
func (t *table) masquerades(p netip.Prefix) bool {
	return t.program.Masquerade.Enabled(t.ir) && !slices.ContainsFunc(t.program.Masquerade.Exclude, func(e netip.Prefix) bool {
		return e.Bits() <= p.Bits() && e.Contains(p.Addr())
	})
}

// untrackedRules keep connections between pods from being tracked. A pod that has had a
// connection to a pod translated here, because its socket was not, is left out: the
// answers must be translated back. The verdict ends the chain, since notrack does not.
func (t *table) untrackedRules() []string {
	if !t.leavesUntracked() {
		return nil
	}
	var rules []string
	for _, protocol := range []string{"tcp", "udp"} {
		rules = append(rules, "meta l4proto "+protocol+" "+t.betweenPods()+" "+t.notTranslated()+" notrack accept")
	}
	return rules
}

// betweenPods matches packets from a pod to a pod. The kernel compares a single prefix in
// a fraction of the time of a look-up in a set, and does so at every packet.
func (t *table) betweenPods() string {
	pods := "@local-sources"
	if list := ir.PrefixesOf(t.ir, t.program.Node.Local.CIDRs); len(list) == 1 {
		pods = string(appendPrefix(nil, list[0]))
	}
	return t.ip + " saddr " + pods + " " + t.ip + " daddr " + pods
}

// notTranslated matches packets between pods of which none has connections translated.
func (t *table) notTranslated() string {
	return t.ip + " saddr != @" + TranslatedPods + " " + t.ip + " daddr != @" + TranslatedPods
}

// rememberSource notes that the source has.
func (t *table) rememberSource() string {
	return "update @" + TranslatedPods + " { " + t.ip + " saddr timeout " + translatedFor + " }"
}

// rememberTranslated notes which pods have connections to pods translated.
func (t *table) rememberTranslated() []string {
	return t.jumps(t.leavesUntracked(), "ct status dnat "+t.betweenPods()+" "+t.rememberSource())
}

// passUntracked accepts what is not tracked, whatever keeps it from that: it is neither
// invalid nor new, and no rule of the chain is about anything else.
func (t *table) passUntracked() []string {
	return t.jumps(t.leavesUntracked(), "ct state untracked accept")
}

// invalid drops what connection tracking calls invalid: also an ICMP error about a
// connection that is not tracked, which has to pass.
func (t *table) invalid() []string {
	if !t.program.Node.DropInvalid {
		return nil
	}
	rules := t.jumps(t.leavesUntracked(), "ct state invalid meta l4proto "+t.icmp+" accept")
	if t.covers() {
		rules = append(rules, "ct state invalid "+t.acrossGuarded()+" accept")
	}
	return append(rules, "ct state invalid drop")
}
