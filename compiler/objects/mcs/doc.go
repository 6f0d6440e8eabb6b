// Package mcs has the types of the Multi-Cluster Services API (KEP-1645), of
// multicluster.x-k8s.io/v1beta1 and v1alpha1, which have the same fields. Source:
// kubernetes-sigs/mcs-api, pkg/apis. Only fields that planec reads have types of their own.
package mcs
