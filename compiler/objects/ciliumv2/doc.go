// Package ciliumv2 has the types of cilium.io/v2 that planec reads: policies, groups of
// CIDRs, pools of addresses, and who announces them by BGP. They have every field of
// Cilium's definitions, so that an unknown field is an unknown field.
//
// An absent list and an empty one differ to Cilium: [] is kept, and is not nil.
//
// Source: pkg/policy/api and pkg/k8s/apis/cilium.io/client/crds/v2 of
// github.com/cilium/cilium at v1.20.2.
package ciliumv2
