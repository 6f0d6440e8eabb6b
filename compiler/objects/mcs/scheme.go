package mcs

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/planec/planec/compiler/objects/listed"
)

// AddToScheme registers the kinds and their lists in versions of the group.
func AddToScheme(s *runtime.Scheme, versions ...schema.GroupVersion) {
	listed.AddToScheme(s, versions, listed.Of[ServiceImport](KindServiceImport), listed.Of[ServiceExport](KindServiceExport))
}
