package manifest

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// workloadGroups maps workload kinds to their groups. Any version is accepted,
// because the used parts of templates are the same in all of them, and
// repositories still contain old ones.
var workloadGroups = map[string][]string{
	"Deployment":            {"apps", "extensions"},
	"StatefulSet":           {"apps"},
	"DaemonSet":             {"apps", "extensions"},
	"ReplicaSet":            {"apps", "extensions"},
	"ReplicationController": {""},
	"Job":                   {"batch"},
	"CronJob":               {"batch"},
}

func (t typeMeta) group() string {
	group, _, hasGroup := strings.Cut(t.apiVersion, "/")
	if !hasGroup {
		return ""
	}
	return group
}

func (t typeMeta) isWorkload() bool {
	groups, known := workloadGroups[t.kind]
	return known && slices.Contains(groups, t.group())
}

// isCustom reports whether the kind was added to the cluster: groups of Kubernetes
// have no dot or end in .k8s.io. The group of Gateways does so too, but operators make
// pods for them.
func (t typeMeta) isCustom() bool {
	group := t.group()
	if group == "gateway.networking.k8s.io" {
		return true
	}
	return t.kind != "" && strings.Contains(group, ".") && !strings.HasSuffix(group, ".k8s.io")
}

// readsWorkload reports whether pods are made from an object that the
// compiler does not use.
func (d *decoder) readsWorkload(m typeMeta) bool {
	return d.readsKnownWorkload(m) || d.workloads && (m.isCustom() && !m.isUnreadPolicy() || m.isDefinition() || m.isEndpoints())
}

// isEndpoints reports whether the cluster makes slices from the object.
func (t typeMeta) isEndpoints() bool { return t.kind == "Endpoints" && t.apiVersion == "v1" }

// endpoints reads one object of kind Endpoints.
func (d *decoder) endpoints(out *outcome, t *text, meta typeMeta) {
	o := &objects.Endpoints{}
	if !d.unmarshal(out, t, meta.kind, o) {
		return
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	t.complete(o)
	strange, at := t.strangeFields(), ir.Origin{Kind: meta.kind, Namespace: o.Namespace, Name: o.Name, File: t.file, Line: t.line}
	if isPatch(out, at, strange) {
		return
	}
	reportStrange(out, diag.UnknownField, at, strange, "")
	if problem := nameProblem(o, namespaced, isSubdomain); problem != "" {
		out.report(diag.UnnamedObject, ir.Origin{Kind: meta.kind, File: t.file, Line: t.line}, problem)
		return
	}
	o.ObjectMeta = d.meta(&o.ObjectMeta)
	out.set.Endpoints = append(out.set.Endpoints, objects.Sourced[*objects.Endpoints]{Object: o, File: t.file, Line: t.line})
}

// isDefinition reports whether the object defines a custom resource: the
// operator's pod labels start with the same group.
func (t typeMeta) isDefinition() bool {
	return t.kind == "CustomResourceDefinition" && t.group() == "apiextensions.k8s.io"
}

// readsKnownWorkload reports whether the object is a workload of Kubernetes itself,
// and workloads are read.
func (d *decoder) readsKnownWorkload(m typeMeta) bool { return d.workloads && m.isWorkload() }

// workloadShape holds the used fields of a workload of any kind.
type workloadShape struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		jobShape
		Replicas    *int32                `json:"replicas"`
		Selector    *metav1.LabelSelector `json:"selector"`
		ServiceName string                `json:"serviceName"`
		Ordinals    struct {
			Start int32 `json:"start"`
		} `json:"ordinals"`
		JobTemplate struct {
			Spec jobShape `json:"spec"`
		} `json:"jobTemplate"`
	} `json:"spec"`
}

// jobShape holds the used fields of a Job's spec; its template is like in all workloads.
type jobShape struct {
	Parallelism    *int32        `json:"parallelism"`
	Completions    *int32        `json:"completions"`
	CompletionMode string        `json:"completionMode"`
	ManualSelector bool          `json:"manualSelector"`
	Template       templateShape `json:"template"`
}

type templateShape struct {
	Metadata struct {
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
	Spec struct {
		NodeName       string            `json:"nodeName"`
		NodeSelector   map[string]string `json:"nodeSelector"`
		HostNetwork    bool              `json:"hostNetwork"`
		Hostname       string            `json:"hostname"`
		Subdomain      string            `json:"subdomain"`
		Account        string            `json:"serviceAccountName"`
		OldAccount     string            `json:"serviceAccount"` // its old name
		Containers     []containerShape  `json:"containers"`
		InitContainers []containerShape  `json:"initContainers"`
	} `json:"spec"`
}

type containerShape struct {
	Name          string                         `json:"name"`
	Image         anyText                        `json:"image"`
	Ports         []corev1.ContainerPort         `json:"ports"`
	RestartPolicy *corev1.ContainerRestartPolicy `json:"restartPolicy"`
}

// anyText is a text that no rule follows from: what is no text is left out, and is no fault
// of the object's.
type anyText string

// UnmarshalJSON implements json.Unmarshaler.
func (t *anyText) UnmarshalJSON(b []byte) error {
	var s string
	if json.UnmarshalCaseSensitivePreserveInts(b, &s) == nil {
		*t = anyText(s)
	}
	return nil
}

// customShape holds the used fields of an object of an unknown kind.
type customShape struct {
	metav1.ObjectMeta `json:"metadata"`
}

// customTemplate is the pod template that many custom kinds have at the same place
// as Kubernetes' own.
type customTemplate struct {
	Spec struct {
		Template struct {
			Metadata struct {
				Labels map[string]string `json:"labels"`
			} `json:"metadata"`
		} `json:"template"`
	} `json:"spec"`
}

// workload reads one object from which pods are made.
func (d *decoder) workload(out *outcome, t *text, meta typeMeta) {
	if meta.isEndpoints() {
		d.endpoints(out, t, meta)
		return
	}
	w := &objects.Workload{Kind: meta.kind, Group: meta.group()}
	var shape workloadShape
	if meta.isWorkload() {
		if !d.unmarshal(out, t, meta.kind, &shape) {
			return
		}
	} else {
		var custom customShape
		out.skipped.count(meta.tallyName(), 1)
		if json.UnmarshalCaseSensitivePreserveInts(t.json, &custom) != nil {
			return // only its operator validates it
		}
		shape.ObjectMeta, w.Opaque = custom.ObjectMeta, true
		var template customTemplate
		if meta.isCustom() && json.UnmarshalCaseSensitivePreserveInts(t.json, &template) == nil {
			w.PodLabels = d.shared.labels(template.Spec.Template.Metadata.Labels)
		}
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
	if !w.Opaque && t.schema == nil {
		want := d.readKinds()[meta.kind].apiVersion
		out.report(diag.UnsupportedKind, at, "apiVersion "+bounded(meta.apiVersion)+" is not known, so its fields are not checked; write it as "+want)
	}
	if problem := nameProblem(&shape, namespaced, isSubdomain); problem != "" {
		if !w.Opaque {
			out.report(diag.UnnamedObject, ir.Origin{Kind: meta.kind, File: t.file, Line: t.line}, problem)
		}
		return
	}
	w.ObjectMeta = d.meta(&shape.ObjectMeta)
	for _, o := range shape.OwnerReferences {
		if o.Controller != nil && *o.Controller {
			w.Owner = o.Kind + "/" + o.Name
		}
	}
	if !w.Opaque {
		d.template(w, &shape)
	}
	out.set.Workloads = append(out.set.Workloads, objects.Sourced[*objects.Workload]{Object: w, File: t.file, Line: t.line})
}

func (d *decoder) template(w *objects.Workload, shape *workloadShape) {
	spec, template := &shape.Spec, &shape.Spec.Template
	w.Replicas = spec.Replicas
	switch w.Kind {
	case "Job":
		spec.jobShape.of(w)
	case "CronJob":
		spec.JobTemplate.Spec.of(w)
		template = &spec.JobTemplate.Spec.Template
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
		w.Selector = spec.Selector
		d.selector(w.Selector)
		w.FirstOrdinal = max(spec.Ordinals.Start, 0)
	}
	w.PodLabels = d.shared.labels(template.Metadata.Labels)
	if d.images {
		w.Images = images(template)
	}
	w.Spec = corev1.PodSpec{
		NodeName:     d.shared.string(template.Spec.NodeName),
		NodeSelector: d.shared.labels(template.Spec.NodeSelector),
		HostNetwork:  template.Spec.HostNetwork,
		Hostname:     template.Spec.Hostname,
		Subdomain:    template.Spec.Subdomain,

		ServiceAccountName: d.shared.string(cmp.Or(template.Spec.Account, template.Spec.OldAccount)),
		Containers:         d.containers(asContainers(template.Spec.Containers)),
		InitContainers:     d.containers(asContainers(template.Spec.InitContainers)),
	}
	if w.Kind == "StatefulSet" {
		w.Spec.Subdomain = spec.ServiceName
	}
}

// of adds what a Job's spec says about its pods: an Indexed Job runs at most as
// many as it has completions.
func (j *jobShape) of(w *objects.Workload) {
	w.Replicas, w.ManualSelector = j.Parallelism, j.ManualSelector
	if j.CompletionMode == "Indexed" && j.Completions != nil && *j.Completions > 0 {
		w.Indexes = *j.Completions
		if w.Replicas != nil && *w.Replicas > w.Indexes {
			w.Replicas = &w.Indexes
		}
	}
}

func asContainers(in []containerShape) []corev1.Container {
	out := make([]corev1.Container, len(in))
	for i, c := range in {
		out[i] = corev1.Container{Name: c.Name, Ports: c.Ports, RestartPolicy: c.RestartPolicy}
	}
	return out
}

// images are those of all containers of a template.
func images(t *templateShape) (names []string) {
	for _, c := range slices.Concat(t.Spec.Containers, t.Spec.InitContainers) {
		if c.Image != "" {
			names = append(names, string(c.Image))
		}
	}
	return names
}
