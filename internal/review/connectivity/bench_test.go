package connectivity_test

import (
	"fmt"
	"io"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/internal/review/connwrite"
	"github.com/planec/planec/internal/testing/clustergen"
)

// BenchmarkList lists who can reach whom among 2,000 workloads of one pod each: in 100
// namespaces with 200 policies, and without policies, and writes it as text.
func BenchmarkList(b *testing.B) {
	policed := clustergen.PolicyObjects(clustergen.PolicySize{Pods: 2000, Nodes: 20, Namespaces: 100, Policies: 200})
	for i := range policed.Pods {
		policed.Pods[i].Object.Name = fmt.Sprintf("workload%dx", i) // no replicas
	}
	open := objects.Set{}
	for i := range 2000 {
		open.Pods = append(open.Pods, objects.Sourced[*corev1.Pod]{Object: &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprintf("n%d", i%40), Name: fmt.Sprintf("workload%dx", i)},
			Status:     corev1.PodStatus{PodIP: fmt.Sprintf("10.244.%d.%d", i/200, i%200+1)},
		}})
	}
	for name, set := range map[string]*objects.Set{"policies": &policed, "open": &open} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				m := connectivity.Of(set, compiler.Prepare(set, objects.Config{}), nil)
				if err := connwrite.Text(io.Discard, m, &connwrite.Options{Explain: true}); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(m.Ends)), "workloads")
				b.ReportMetric(float64(len(m.Edges)), "edges")
			}
		})
	}
}
