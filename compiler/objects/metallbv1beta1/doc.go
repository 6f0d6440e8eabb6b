// Package metallbv1beta1 has the types of metallb.io/v1beta1 that planec reads: pools of
// addresses for Services of type LoadBalancer, and who announces them by BGP. They have every field of MetalLB's
// definitions, so that an unknown field is an unknown field.
//
// Source: api/v1beta1 and api/v1beta2 of github.com/metallb/metallb at v0.15.
package metallbv1beta1
