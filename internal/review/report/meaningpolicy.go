package report

import (
	"fmt"
	"strings"

	"github.com/planec/planec/ir"
)

// mostNames is how many names a line has before it counts.
const mostNames = 4

// policies writes each group of pods that policies treat alike, with what it may
// send and receive.
func (r *reading) policies(p *ir.Policy) {
	for i := range p.Profiles {
		profile := &p.Profiles[i]
		ids := []int{}
		names := make([]string, 0, len(profile.Pods))
		for _, pod := range profile.Pods {
			names = append(names, pod.Namespace+"/"+pod.Name)
			ids = append(ids, r.of(ir.Origin{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name})...)
		}
		word := "Pod "
		switch {
		case profile.Node:
			word = "The node itself"
		case len(names) > 1:
			word = "Pods "
		}
		r.head(word+shortened(names), append(ids, r.x.words[profile.ID]...))
		r.direction("may receive", "from", profile.Ingress, p)
		r.direction("may send", "to", profile.Egress, p)
	}
}

func shortened(names []string) string {
	if len(names) <= mostNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNames], ", "), len(names)-mostNames)
}

func (r *reading) direction(what, word string, tiers []ir.Tier, p *ir.Policy) {
	if len(tiers) == 0 {
		r.say(1, what+" everything: no policy selects it", nil)
		return
	}
	r.say(1, what, nil)
	for _, t := range tiers {
		if t.Kind == ir.NamedTier {
			r.say(2, "tier "+t.Name, nil)
		}
		for i := range t.Rules {
			rule := &t.Rules[i]
			ids := r.of(rule.Origin)
			r.say(2, ruleWords(rule, word, p), ids)
			r.say(4, rule.Origin.Object()+" "+rule.Origin.Path, ids)
			r.members(rule, ids)
		}
		ids := r.of(t.Isolating...)
		if t.Default == ir.Deny {
			names := make([]string, 0, len(t.Isolating))
			for _, o := range t.Isolating {
				names = append(names, o.Object())
			}
			own := ""
			if t.OwnNode {
				own = ", from the own node too"
			}
			r.say(2, fmt.Sprintf("all else: %s%s, isolated by %s", refused(p.OnDeny), own, strings.Join(names, ", ")), ids)
		}
	}
}

// ruleWords is a rule in words; word is "from" or "to".
func ruleWords(rule *ir.Rule, word string, p *ir.Policy) string {
	return fmt.Sprintf("%s %s %s %s%s", verb(rule.Action), portsOf(rule), word, peersOf(rule), besides(rule, p))
}

func refused(a ir.Refusal) string {
	if a == ir.Reject {
		return "rejected"
	}
	return "dropped"
}

func verb(a ir.Action) string {
	switch a {
	case ir.Accept:
		return "allow"
	case ir.Deny:
		return "deny"
	case ir.Log:
		return "log"
	case ir.Redirect:
		return "redirect to a proxy"
	}
	return "pass on"
}

// besides is what a rule says besides ports and peers.
func besides(rule *ir.Rule, p *ir.Policy) string {
	text := ""
	if rule.OwnNode {
		text += ", from the own node too"
	}
	switch {
	case rule.Action == ir.Log:
		text += fmt.Sprintf(", with prefix %q, and go on", rule.Prefix)
	case rule.Action == ir.Redirect && p.OnRedirect == ir.Deny:
		text += fmt.Sprintf(" (%s): there is none, so %s", rule.Payload, refused(p.OnDeny))
	case rule.Action == ir.Redirect:
		text += fmt.Sprintf(" (%s): there is none, so allowed", rule.Payload)
	}
	return text
}

func portsOf(rule *ir.Rule) string {
	text := "no port"
	switch {
	case rule.AnyPort:
		text = "every port"
	case len(rule.Ports) > 0:
		text = strings.Join(texts(rule.Ports), ", ")
	}
	if len(rule.NotPorts) > 0 {
		text += " but " + strings.Join(texts(rule.NotPorts), ", ")
	}
	if len(rule.SourcePorts) > 0 {
		text += " of source port " + strings.Join(texts(rule.SourcePorts), ", ")
	}
	return text
}

func peersOf(rule *ir.Rule) string {
	words := func(sets []string) string {
		list := make([]string, 0, len(sets))
		for _, id := range sets {
			list = append(list, peerWords(id))
		}
		return strings.Join(list, " or ")
	}
	text := words(rule.Peers)
	switch {
	case rule.AnyPeer:
		text = "everywhere"
	case len(rule.Peers) == 0:
		return "nowhere"
	}
	if len(rule.NotPeers) > 0 {
		text += " but " + words(rule.NotPeers)
	}
	return text
}

// members names the pods and nodes of the rule's peers.
func (r *reading) members(rule *ir.Rule, ids []int) {
	for _, id := range rule.Sets() {
		set := r.sets[id]
		if set == nil || len(set.Addresses) == 0 {
			continue // networks are their own name
		}
		names := make([]string, 0, len(set.Addresses))
		for _, a := range set.Addresses {
			name := r.names[a]
			if name == "" {
				name = a.String()
			}
			names = append(names, name)
		}
		r.say(4, "today "+shortened(dedupe(names)), ids)
	}
}

// dedupe drops repeated names: a pod has an address of each family.
func dedupe(names []string) []string {
	seen := make(map[string]bool, len(names))
	out := names[:0]
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}
