package e2e_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// TestFaults proves the faults that other tests rely on: each is seen by a client
// as it is meant to be, and passes.
func TestFaults(t *testing.T) {
	s := newStand(t)
	services := s.Client().CoreV1().Services(metav1.NamespaceDefault)
	s.serve(t, "first", "10.96.0.10")
	seen, stop := s.informer(t)
	defer stop()
	awaitService(within(t, 10*time.Second), t, seen, "first")

	t.Run("killed API server", func(t *testing.T) {
		ctx := within(t, time.Minute)
		must(t, s.APIServer.Kill())
		if _, err := services.Get(ctx, "first", metav1.GetOptions{}); err == nil {
			t.Error("an API server that was killed answers")
		}
		must(t, s.APIServer.Start(ctx))
		s.serve(t, "after-kill", "10.96.0.11")
		awaitService(ctx, t, seen, "after-kill")
	})
	t.Run("hung etcd", func(t *testing.T) {
		ctx := within(t, time.Minute)
		must(t, s.Etcd.Stop())
		short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		defer cancel()
		if _, err := services.Get(short, "first", metav1.GetOptions{}); err == nil {
			t.Error("the API server reads from an etcd that hangs")
		}
		must(t, s.Etcd.Continue())
		must(t, s.APIServer.Ready(ctx))
		s.serve(t, "after-hang", "10.96.0.12")
		awaitService(ctx, t, seen, "after-hang")
	})
	t.Run("killed etcd", func(t *testing.T) {
		ctx := within(t, time.Minute)
		must(t, s.Etcd.Restart(ctx))
		must(t, s.APIServer.Ready(ctx))
		s.serve(t, "after-etcd", "10.96.0.13")
		awaitService(ctx, t, seen, "after-etcd")
	})
	t.Run("expired watch", func(t *testing.T) {
		ctx := within(t, time.Minute)
		list, err := services.List(ctx, metav1.ListOptions{})
		must(t, err)
		if err := watchFrom(ctx, services, list.ResourceVersion); err != nil {
			t.Errorf("before: %v", err)
		}
		must(t, s.ExpireWatches(ctx))
		if err := watchFrom(ctx, services, list.ResourceVersion); !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
			t.Errorf("a watch from %s: %v, want 410 Gone", list.ResourceVersion, err)
		}
		s.serve(t, "after-expiry", "10.96.0.14")
		awaitService(ctx, t, seen, "after-expiry")
	})
}

// watchFrom is the error that a raw watch from a resource version is answered
// with, or that it sends as its first event; nil if there is none for a while.
func watchFrom(ctx context.Context, services interface {
	Watch(context.Context, metav1.ListOptions) (watch.Interface, error)
}, version string,
) error {
	w, err := services.Watch(ctx, metav1.ListOptions{ResourceVersion: version})
	if err != nil {
		return err
	}
	defer w.Stop()
	select {
	case e := <-w.ResultChan():
		if e.Type == watch.Error {
			return apierrors.FromObject(e.Object)
		}
		return nil
	case <-time.After(300 * time.Millisecond):
		return nil
	}
}

// informer tells of the Services that client-go's informers see.
func (s *stand) informer(t *testing.T) (seen func(name string) bool, stop func()) {
	t.Helper()
	factory := informers.NewSharedInformerFactory(s.Client(), 0)
	lister := factory.Core().V1().Services().Lister().Services(metav1.NamespaceDefault)
	ctx, cancel := context.WithCancel(t.Context())
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return func(name string) bool {
			_, err := lister.Get(name)
			return err == nil
		}, func() {
			cancel()
			factory.Shutdown()
		}
}

func awaitService(ctx context.Context, t *testing.T, seen func(string) bool, name string) {
	t.Helper()
	start := time.Now()
	for !seen(name) {
		if ctx.Err() != nil {
			t.Fatalf("the informer does not see Service %s", name)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("the informer sees %s after %v", name, time.Since(start).Round(time.Millisecond))
}

// account may read Services and nothing else.
const account = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules:
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects:
- {kind: ServiceAccount, name: reader, namespace: kube-system}
`

// TestServiceAccount shows that a kubeconfig of an account can do what a manifest
// lets it do, and no more: the proof of least privilege rests on it.
func TestServiceAccount(t *testing.T) {
	s := newStand(t)
	ctx := within(t, time.Minute)
	must(t, s.Apply(ctx, []byte(account)))
	path, err := s.ServiceAccountKubeconfig(ctx, "kube-system", "reader")
	must(t, err)
	config, err := clientcmd.BuildConfigFromFlags("", path)
	must(t, err)
	config.Dial = s.node.Dial
	reader, err := kubernetes.NewForConfig(config)
	must(t, err)
	if _, err := reader.CoreV1().Services(corev1.NamespaceAll).List(ctx, metav1.ListOptions{}); err != nil {
		t.Errorf("list Services: %v", err)
	}
	if _, err := reader.CoreV1().Pods(corev1.NamespaceAll).List(ctx, metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("list Pods: %v, want forbidden", err)
	}
}
