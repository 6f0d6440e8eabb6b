package apisource

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/planec/planec/compiler/objects/mcs"
)

// The versions of the Multi-Cluster Services API.
var (
	mcsBeta  = schema.GroupVersion{Group: mcs.Group, Version: mcs.Beta}
	mcsAlpha = schema.GroupVersion{Group: mcs.Group, Version: mcs.Alpha}
)

// withImports adds ServiceImports, and the Services of other proxies, whose ClusterIPs no import
// may have.
func withImports(all []kind) []kind {
	for i := range all {
		if all[i].kind == "Service" {
			all[i].labels = ""
		}
	}
	return append(all, kind{
		kind: mcs.KindServiceImport, group: mcsBeta, resource: "serviceimports", object: &mcs.ServiceImport{}, optional: true,
		older: []schema.GroupVersion{mcsAlpha},
	})
}
