// Package calicov3 has the types of projectcalico.org/v3 that planec reads: policies,
// tiers and network sets. They have every field of Calico's definitions, so that an
// unknown field is an unknown field.
//
// The objects of crd.projectcalico.org/v1, in which Calico keeps them, have the same
// fields.
//
// Source: api/pkg/apis/projectcalico/v3 and api/config/crd of
// github.com/projectcalico/calico at 87c15906f20c.
package calicov3
