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
		if len(names) > 1 {
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
		for i := range t.Rules {
			rule := &t.Rules[i]
			ids := r.of(rule.Origin)
			r.say(2, fmt.Sprintf("%s %s %s %s", verb(rule.Action), portsOf(rule), word, peersOf(rule)), ids)
			r.say(4, rule.Origin.Object()+" "+rule.Origin.Path, ids)
			r.members(rule, ids)
		}
		ids := r.of(t.Isolating...)
		if t.Default == ir.Deny {
			names := make([]string, 0, len(t.Isolating))
			for _, o := range t.Isolating {
				names = append(names, o.Object())
			}
			r.say(2, fmt.Sprintf("all else: %s, isolated by %s", refused(p.OnDeny), strings.Join(names, ", ")), ids)
		}
	}
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
	}
	return "pass on"
}

func portsOf(rule *ir.Rule) string {
	if rule.AnyPort {
		return "every port"
	}
	if len(rule.Ports) == 0 {
		return "no port"
	}
	return strings.Join(texts(rule.Ports), ", ")
}

func peersOf(rule *ir.Rule) string {
	if rule.AnyPeer {
		return "everywhere"
	}
	if len(rule.Peers) == 0 {
		return "nowhere"
	}
	words := make([]string, 0, len(rule.Peers))
	for _, id := range rule.Peers {
		words = append(words, peerWords(id))
	}
	return strings.Join(words, " or ")
}

// members names the pods and nodes of the rule's peers.
func (r *reading) members(rule *ir.Rule, ids []int) {
	for _, id := range rule.Peers {
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
