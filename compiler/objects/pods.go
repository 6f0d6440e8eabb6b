package objects

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Finished reports whether a pod has ended and so released its addresses.
func Finished(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// ContainerPorts returns the ports of a pod's containers and then of its sidecars.
func ContainerPorts(p *corev1.Pod) []corev1.ContainerPort {
	var out []corev1.ContainerPort
	for _, c := range p.Spec.Containers {
		out = append(out, c.Ports...)
	}
	for _, c := range p.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			out = append(out, c.Ports...)
		}
	}
	return out
}

// PodIndex finds unfinished pods by the labels with which Services select them.
type PodIndex map[podLabel][]*corev1.Pod

// podLabel is a label of pods in a namespace.
type podLabel struct{ namespace, key, value string }

// IndexPods indexes pods. Pods that match one selector keep their order.
func IndexPods(pods []Sourced[*corev1.Pod]) PodIndex {
	x := make(PodIndex)
	for _, p := range pods {
		if Finished(p.Object) {
			continue
		}
		for k, v := range p.Object.Labels {
			at := podLabel{p.Object.Namespace, k, v}
			x[at] = append(x[at], p.Object)
		}
	}
	return x
}

// Selected returns the pods of a namespace with all labels of a selector, which must
// have at least one. It searches the pods of the rarest label.
func (x PodIndex) Selected(namespace string, selector map[string]string) (out []*corev1.Pod) {
	var fewest []*corev1.Pod
	first := true
	for k, v := range selector {
		if have := x[podLabel{namespace, k, v}]; first || len(have) < len(fewest) {
			fewest, first = have, false
		}
	}
	want := labels.SelectorFromSet(selector)
	for _, p := range fewest {
		if want.Matches(labels.Set(p.Labels)) {
			out = append(out, p)
		}
	}
	return out
}
