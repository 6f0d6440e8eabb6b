package manifest

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// wanted says which objects are read that the compiler does not use.
type wanted struct {
	workloads bool // [Options.Workloads]
	entries   bool // [Options.Entries]
	images    bool // [Options.Images]
}

// entryGroups maps kinds of entries to their groups. Any version is accepted: the used
// fields are the same in all, but for the backend of an old Ingress.
var entryGroups = map[string][]string{
	"Ingress":   {"networking.k8s.io", "extensions"},
	"HTTPRoute": {gatewayGroup}, "GRPCRoute": {gatewayGroup}, "TLSRoute": {gatewayGroup}, "TCPRoute": {gatewayGroup}, "UDPRoute": {gatewayGroup},
	"Route": {"route.openshift.io", ""},
}

const gatewayGroup = "gateway.networking.k8s.io"

// readsEntry reports whether the object leads requests from outside to Services, and
// such objects are read.
func (d *decoder) readsEntry(m typeMeta) bool {
	return d.entries && slices.Contains(entryGroups[m.kind], m.group())
}

// entryShape holds the used fields of all kinds of entries.
type entryShape struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		DefaultBackend *ingressBackend `json:"defaultBackend"`
		Backend        *ingressBackend `json:"backend"` // its name before networking.k8s.io/v1
		Rules          []struct {
			HTTP struct {
				Paths []struct {
					Backend ingressBackend `json:"backend"`
				} `json:"paths"`
			} `json:"http"`
			BackendRefs []objectReference `json:"backendRefs"`
		} `json:"rules"`
		ParentRefs []objectReference `json:"parentRefs"`
		// To, AlternateBackends and Port are those of an OpenShift Route.
		To                objectReference   `json:"to"`
		AlternateBackends []objectReference `json:"alternateBackends"`
		Port              struct {
			TargetPort intstr.IntOrString `json:"targetPort"`
		} `json:"port"`
	} `json:"spec"`
}

type ingressBackend struct {
	Service struct {
		Name string `json:"name"`
		Port struct {
			Name   string `json:"name"`
			Number int32  `json:"number"`
		} `json:"port"`
	} `json:"service"`
	ServiceName string             `json:"serviceName"`
	ServicePort intstr.IntOrString `json:"servicePort"`
}

// objectReference is a parentRef or a backendRef of the Gateway API, or what a Route
// leads to.
type objectReference struct {
	Group     string `json:"group"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Port      int32  `json:"port"`
	Weight    *int32 `json:"weight"` // absent is 1
}

// entry reads one object of such a kind.
func (d *decoder) entry(out *outcome, t *text, meta typeMeta) {
	var shape entryShape
	if !d.unmarshal(out, t, meta.kind, &shape) {
		return
	}
	if shape.Namespace == "" {
		shape.Namespace = "default"
	}
	t.complete(&shape)
	strange := t.strangeFields()
	at := ir.Origin{Kind: meta.kind, Namespace: shape.Namespace, Name: shape.Name, File: t.file, Line: t.line}
	if isPatch(out, at, strange) {
		return
	}
	reportStrange(out, diag.UnknownField, at, strange, "")
	if problem := nameProblem(&shape, namespaced, isSubdomain); problem != "" {
		out.report(diag.UnnamedObject, ir.Origin{Kind: meta.kind, File: t.file, Line: t.line}, problem)
		return
	}
	e := &objects.Entry{ObjectMeta: d.meta(&shape.ObjectMeta), Kind: meta.kind, Group: meta.group()}
	switch {
	case e.Kind == "Ingress":
		shape.ingress(e)
	case e.Group == gatewayGroup:
		shape.route(e)
	default:
		shape.openShift(e)
	}
	out.set.Entries = append(out.set.Entries, objects.Sourced[*objects.Entry]{Object: e, File: t.file, Line: t.line})
}

func (s *entryShape) ingress(e *objects.Entry) {
	add := func(b *ingressBackend, path string) {
		if b == nil {
			return
		}
		x := objects.EntryBackend{Service: objects.Name{Namespace: s.Namespace, Name: b.Service.Name}, Path: path}
		switch {
		case b.ServiceName != "":
			x.Service.Name, x.Port = b.ServiceName, b.ServicePort
		case b.Service.Port.Name != "":
			x.Port = intstr.FromString(b.Service.Port.Name)
		default:
			x.Port = intstr.FromInt32(b.Service.Port.Number)
		}
		if x.Service.Name != "" {
			e.Backends = append(e.Backends, x)
		}
	}
	add(s.Spec.DefaultBackend, "spec.defaultBackend")
	add(s.Spec.Backend, "spec.backend")
	for i := range s.Spec.Rules {
		for j := range s.Spec.Rules[i].HTTP.Paths {
			add(&s.Spec.Rules[i].HTTP.Paths[j].Backend, fmt.Sprintf("spec.rules[%d].http.paths[%d].backend", i, j))
		}
	}
}

// route reads a route of the Gateway API. A parent that is a Service is a mesh's, whose
// requests come from pods and not from outside.
func (s *entryShape) route(e *objects.Entry) {
	mesh := false
	for _, p := range s.Spec.ParentRefs {
		if p.Kind != "" && p.Kind != "Gateway" {
			mesh = true
			continue
		}
		e.Gateways = append(e.Gateways, p.in(s.Namespace))
	}
	if mesh && len(e.Gateways) == 0 {
		return
	}
	for i := range s.Spec.Rules {
		for j, b := range s.Spec.Rules[i].BackendRefs {
			if b.Name != "" && b.used() && b.Group == "" && (b.Kind == "" || b.Kind == "Service") {
				e.Backends = append(e.Backends, objects.EntryBackend{Service: b.in(s.Namespace), Port: intstr.FromInt32(b.Port), Path: fmt.Sprintf("spec.rules[%d].backendRefs[%d]", i, j)})
			}
		}
	}
}

func (s *entryShape) openShift(e *objects.Entry) {
	add := func(o objectReference, path string) {
		if o.Name != "" && o.used() && (o.Kind == "" || o.Kind == "Service") {
			e.Backends = append(e.Backends, objects.EntryBackend{Service: o.in(s.Namespace), Port: s.Spec.Port.TargetPort, Target: true, Path: path})
		}
	}
	add(s.Spec.To, "spec.to")
	for i, o := range s.Spec.AlternateBackends {
		add(o, fmt.Sprintf("spec.alternateBackends[%d]", i))
	}
}

// used reports whether requests go there: a weight of 0 takes it out.
func (o *objectReference) used() bool { return o.Weight == nil || *o.Weight != 0 }

// in returns the name, in a namespace unless it has its own.
func (o *objectReference) in(namespace string) objects.Name {
	if o.Namespace != "" {
		namespace = o.Namespace
	}
	return objects.Name{Namespace: namespace, Name: o.Name}
}
