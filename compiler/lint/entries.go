package lint

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// mostNames bounds the names that one finding lists.
const mostNames = 5

// Entries returns the findings about Ingresses and routes that lead nowhere. A Service of a
// namespace of which the set has no Service at all is probably somewhere else, and is not
// missed.
func Entries(set *objects.Set) diag.List {
	var diags diag.List
	services := make(map[string][]string) // by namespace
	for _, s := range set.Services {
		services[s.Object.Namespace] = append(services[s.Object.Namespace], s.Object.Name)
	}
	listed := make(map[string]string, len(services))
	for namespace, names := range services {
		slices.Sort(names)
		listed[namespace] = listOf(slices.Compact(names))
	}
	for _, a := range set.Astray() {
		at, name := objects.Origin(a.Entry.Object.Kind, a.Entry).At(a.Backend.Path), a.Backend.Service
		there := listed[name.Namespace]
		switch {
		case a.Service != nil:
			diags.Add(diag.NoSuchBackendPort, at, fmt.Sprintf("Service %v has no port %v: it has %s", name, a.Backend.Port.String(), listOf(portsOf(a.Service))))
		case there != "":
			diags.Add(diag.NoSuchBackend, at, fmt.Sprintf("there is no Service %v: the namespace has %s", name, there))
		}
	}
	diags.Sort()
	return diags
}

// portsOf are the ports of a Service: number, and name if it has one.
func portsOf(s *corev1.Service) []string {
	var out []string
	for _, p := range s.Spec.Ports {
		text := fmt.Sprint(p.Port)
		if p.Name != "" {
			text += " (" + p.Name + ")"
		}
		out = append(out, text)
	}
	return out
}

// listOf names the first of a list.
func listOf(names []string) string {
	if len(names) > mostNames {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNames], ", "), len(names)-mostNames)
	}
	return strings.Join(names, ", ")
}
