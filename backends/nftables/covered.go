package nftables

import "github.com/planec/planec/ir"

// The sets that are filled while programs at interfaces enforce policies
// ([backends.Options.PoliciesAtInterfaces]): no text has their elements.
const (
	// CoveredPods are addresses of pods of this node whose interfaces have both programs.
	CoveredPods = "covered"
	// WatchedPods are those and the ones that are about to be: rules note which of them have
	// connections translated. A pod is watched before it is covered.
	WatchedPods = "watched"
	// GuardedInterfaces are the numbers of the interfaces that have both programs. An address
	// may get another interface before who fills the sets knows it.
	GuardedInterfaces = "guarded"
	// TranslatedPods are pods that have had connections to pods translated by rules. Their
	// connections are tracked, so that answers are translated back.
	TranslatedPods = "translated"
)

// judgedChain accepts the packets that programs have judged, in the chains of policies.
const judgedChain = "judged"

// covers reports whether the rules know of covered pods: not where all that pods send
// would be masqueraded, which to_pod cannot judge.
func (t *table) covers() bool {
	return t.atInterfaces && (!t.program.Masquerade.Enabled(t.ir) || t.masqueradeExclusions.used())
}

// between matches packets from a pod of a set to another one that nothing masquerades.
func (t *table) between(pods string) string {
	match := t.ip + " saddr @" + pods + " " + t.ip + " daddr @" + pods
	if t.program.Masquerade.Enabled(t.ir) {
		match += " " + t.ip + " saddr @masquerade-exclusions " + t.ip + " daddr @masquerade-exclusions"
	}
	return match
}

// acrossGuarded matches forwarded packets between covered pods that both programs see.
func (t *table) acrossGuarded() string {
	return t.between(CoveredPods) + " iif @" + GuardedInterfaces + " oif @" + GuardedInterfaces
}

// coveredRules keep connections between covered pods from being tracked, unless one of
// the two has connections translated.
func (t *table) coveredRules() []string {
	if !t.covers() {
		return nil
	}
	var rules []string
	for _, protocol := range []string{"tcp", "udp"} {
		rules = append(rules, "meta l4proto "+protocol+" "+t.between(CoveredPods)+" iif @"+GuardedInterfaces+" "+t.notTranslated()+" notrack")
	}
	return rules
}

// rememberWatched notes which of the pods have connections translated. Only the first
// packet of a connection comes here, so a pod must be watched before it is covered, and
// what was translated before that is noted by who covers it.
func (t *table) rememberWatched() []string {
	if !t.covers() {
		return nil
	}
	return []string{"ct status dnat " + t.between(WatchedPods) + " " + t.rememberSource()}
}

// judgedJumps pass what the programs of both pods have judged, tracked or not: a pod that
// has a connection translated has its others tracked from their middle on, and policies
// must not judge those as new.
func (t *table) judgedJumps() []string {
	if !t.covers() {
		return nil
	}
	return []string{t.acrossGuarded() + " jump " + judgedChain}
}

// untrackedJudged is the short way of [table.judgedJumps] for packets that nothing tracks, and
// so nothing translates: the program at the interface has seen the same addresses, and judged
// for this direction whatever the other end is. What goes to a Service was not judged: rules
// of other programs may keep it from being tracked.
func (t *table) untrackedJudged(d direction) []string {
	switch {
	case !t.covers():
		return nil
	case d.ir == ir.Egress:
		return []string{"ct state untracked iif @" + GuardedInterfaces + " " + t.ip + " daddr @" + CoveredPods + " accept"}
	}
	return []string{"ct state untracked oif @" + GuardedInterfaces + " accept"}
}

// judged leaves to policies what from_pod could not judge: it has got its endpoint
// behind that program.
func (t *table) judged(w *chainWriter) {
	if t.covers() {
		w.chain(judgedChain, "", []string{"ct status dnat return", "accept"})
	}
}
