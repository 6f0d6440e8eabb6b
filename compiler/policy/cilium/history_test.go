package cilium_test

import (
	"bytes"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
)

// TestHistory changes one cluster into another, kind by kind: after every change the
// rules are those of a compilation of everything.
func TestHistory(t *testing.T) {
	const slices = "egress: [{toServices: [{k8sService: {serviceName: void}}]}, {toEntities: [kube-apiserver]}]\ningress: [{fromCIDRSet: [{cidrGroupRef: partners}]}]"
	set := small(t, "np\n"+web+slices, "group\nexternalCIDRs: [198.51.100.0/24]")
	next := small(t, "np\n"+web+slices+"\nenableDefaultDeny: {ingress: false}", "cnp\nendpointSelector: {}\ningressDeny: [{fromEntities: [remote-node]}]",
		"group\nexternalCIDRs: [203.0.113.0/24]", "config\n{enable-policy: always}", "service\nmetadata: {name: void}\nspec: {}")
	addSlice(next, "shop", "void", "198.51.100.9")
	x := compiler.NewIncremental(set, "node-a", objects.Config{})
	to := next.Lists()
	for i, l := range set.Lists() {
		u := compiler.Update{}
		switch l.Kind() {
		case "EndpointSlice":
			set.EndpointSlices = next.EndpointSlices
			for _, s := range next.EndpointSlices {
				u.Slices = append(u.Slices, compiler.SliceUpdate{Name: objects.NameOf(s.Object), Slice: s})
			}
		case "Service":
			set.Services = next.Services
			for _, s := range next.Services {
				u.Services = append(u.Services, compiler.ServiceUpdate{Name: objects.NameOf(s.Object), Service: s})
			}
		default:
			l.Delete(func(int, metav1.Object) bool { return true })
			for o := range to[i].All() {
				l.Add(o)
			}
			others := *set
			u.Others = &others
		}
		x.Apply(u)
		want, _ := compiler.Compile(compiler.Input{Objects: set, Node: "node-a"})
		want.Normalize()
		if got := x.Program(); !bytes.Equal(got.Text(), want.Text()) {
			t.Fatalf("after %s:\n%s\nwant\n%s", l.Kind(), got.Text(), want.Text())
		}
	}
}
