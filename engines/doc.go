// Package engines compares planec with the policy engine of Cilium, which is linked as a
// module. It is a module of its own, so that planec does not depend on it.
//
// Random clusters with random policies are judged by planec's compiler and evaluator and
// by Cilium's engine (package cilium): every pair of ends with several protocols and
// ports. A set of policies is known by its seed; a difference prints it, with the
// policies, which are left out one by one until the difference needs all that remain.
//
//	make engines                          # 10,000 sets
//	go test . -sets 100 -seed 4711        # in this directory
//	go test . -sets 100 -authentication 2 # half of the rules that allow ask for it
//
// Versions: Cilium v1.20.2 is written against client-go 0.36 and network-policy-api 0.2,
// whose clients it embeds, and does not compile with later ones. So all of Kubernetes'
// modules are those versions here, also for planec; policyv1beta1 is the one package of
// network-policy-api 0.3 that planec needs besides, as a module that scripts/engines.sh
// copies.
//
// Nothing differs in 20,000 sets from seed 1. Two things are counted apart and printed.
// The engine's maps have no order, and a rule about authentication may or may not be left
// out as one that says what another says: where planec's verdict is not the engine's
// first, new engines are asked, and it may be any answer of theirs. And where rules about
// authentication are involved, both may deny for another reason, one because a proxy would
// have to decide and the other because the test always fails: the entity world is to the
// engine a group of its own, and to planec a peer as any other.
//
// The engine's own look-up, EndpointPolicy.Lookup, is not used: it differs from the
// datapath's in which of two entries about authentication decides (package cilium,
// lookup.go).
//
// Calico is not linked: the commit that docs/policies/calico.md is about cannot be had as
// a Go module, and the newest one (of August 2025) is a year older.
package engines
