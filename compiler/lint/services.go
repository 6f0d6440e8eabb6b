package lint

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/ir/diag"
)

// Services returns the findings about Services. cidrs are the ranges of ClusterIPs;
// pods are the ranges by which the local detector recognises pods, if it does;
// elsewhere holds objects that may have pods outside of the set.
func Services(set *objects.Set, cidrs, pods []netip.Prefix, elsewhere *policy.Elsewhere) diag.List {
	l := linter{
		set: set, elsewhere: elsewhere,
		pods: make(map[string]int), labelled: objects.IndexPods(set.Pods), endpoints: make(map[objects.Name][]discoveryv1.Endpoint),
		served: make(map[servedPort]bool), nodes: make(map[string]bool), slices: make(map[objects.Name][]slice),
	}
	for _, p := range set.Pods {
		if !objects.Finished(p.Object) {
			l.pods[p.Object.Namespace]++
		}
	}
	for _, s := range set.EndpointSlices {
		of := objects.ServiceOf(s.Object)
		l.endpoints[of] = append(l.endpoints[of], s.Object.Endpoints...)
		l.slices[of] = append(l.slices[of], s)
		for _, p := range s.Object.Ports {
			if len(s.Object.Endpoints) > 0 && p.Name != nil && p.Protocol != nil {
				l.served[servedPort{of, *p.Name, *p.Protocol}] = true
			}
		}
	}
	for _, n := range set.Nodes {
		l.nodes[n.Object.Name] = true
	}
	for _, s := range set.Services {
		if s.Object.Spec.Type == corev1.ServiceTypeExternalName {
			continue
		}
		l.selector(s)
		l.sourceRanges(s)
		l.local(s)
		l.slicesOf(s)
	}
	l.endpointAddresses()
	l.healthPorts()
	l.outsideCIDRs(pods)
	l.takenPorts()
	l.nodePorts()
	l.addresses(cidrs)
	l.diags.Sort()
	return l.diags
}

// servedPort is a port of a Service, by the Service's name for it.
type servedPort struct {
	of       objects.Name
	port     string
	protocol corev1.Protocol
}

type linter struct {
	set       *objects.Set
	elsewhere *policy.Elsewhere
	// pods counts unfinished pods by namespace; labelled finds them.
	pods      map[string]int
	labelled  objects.PodIndex
	endpoints map[objects.Name][]discoveryv1.Endpoint
	slices    map[objects.Name][]slice
	// served are the ports with endpoints in slices.
	served map[servedPort]bool
	nodes  map[string]bool
	diags  diag.List
}

type sourced = objects.Sourced[*corev1.Service]

// selector reports a Service that selects no pod, and target ports that no
// selected pod has.
func (l *linter) selector(s sourced) {
	o := s.Object
	if len(o.Spec.Selector) == 0 || len(l.set.Pods) == 0 {
		return
	}
	selector := labels.SelectorFromSet(o.Spec.Selector)
	if selected := l.labelled.Selected(o.Namespace, o.Spec.Selector); len(selected) > 0 {
		l.targetPorts(s, selected)
		return
	}
	if len(l.endpoints[objects.NameOf(o)]) > 0 {
		return // given slices are more reliable
	}
	at := objects.Origin("Service", s).At("spec.selector")
	if who := l.elsewhere.Pods(o.Namespace, selector); who != "" {
		l.diags.Add(diag.PodsElsewhere, at, who)
		return
	}
	if l.pods[o.Namespace] == 0 {
		l.diags.Add(diag.PodsElsewhere, at, "the input has no pods in the namespace "+o.Namespace)
		return
	}
	l.diags.Add(diag.SelectsNothing, at, fmt.Sprintf("none of %d pods has the labels %s", l.pods[o.Namespace], selector))
}

func (l *linter) targetPorts(s sourced, pods []*corev1.Pod) {
	for i := range s.Object.Spec.Ports {
		p := &s.Object.Spec.Ports[i]
		of := objects.NameOf(s.Object)
		if p.TargetPort.Type != intstr.String || l.served[servedPort{of, p.Name, p.Protocol}] || slices.ContainsFunc(pods, func(pod *corev1.Pod) bool {
			return slices.ContainsFunc(objects.ContainerPorts(pod), func(c corev1.ContainerPort) bool {
				return c.Name == p.TargetPort.StrVal && cmp.Or(c.Protocol, corev1.ProtocolTCP) == p.Protocol
			})
		}) {
			continue
		}
		at := objects.Origin("Service", s).At(fmt.Sprintf("spec.ports[%d].targetPort", i))
		l.diags.Add(diag.NoSuchTargetPort, at, fmt.Sprintf("none of %d pods has a port %s/%s%s", len(pods), p.TargetPort.StrVal, p.Protocol, theyHave(pods)))
	}
}

// theyHave lists some port names, because most wrong names are nearly right.
func theyHave(pods []*corev1.Pod) string {
	const most = 5
	var names []string
	for _, pod := range pods {
		for _, p := range objects.ContainerPorts(pod) {
			if p.Name != "" {
				names = append(names, p.Name+"/"+string(cmp.Or(p.Protocol, corev1.ProtocolTCP)))
			}
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return ", nor any other by name"
	}
	return "; there is " + strings.Join(names[:min(len(names), most)], ", ")
}
