package ipam

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Lease says where agents agree who writes.
type Lease struct {
	Namespace, Name string // of the Lease object
	Identity        string // of this agent: the node's name, and what tells agents of one node apart
	// Duration is how long a Lease holds; 0 is 15 seconds. It is renewed three times as often.
	Duration time.Duration
}

// ParseLease reads "namespace/name".
func ParseLease(text string) (Lease, error) {
	namespace, name, found := strings.Cut(text, "/")
	if !found || namespace == "" || name == "" || strings.Contains(name, "/") {
		return Lease{}, fmt.Errorf("%q: want NAMESPACE/NAME", text)
	}
	return Lease{Namespace: namespace, Name: name}, nil
}

// Elect calls lead while this agent holds the Lease, again and again until ctx ends. The error of
// lead is returned once it has one. holds tells during a lead whether the Lease still holds.
func Elect(ctx context.Context, config *rest.Config, l Lease, lead func(ctx context.Context, holds func() error) error) error {
	client, err := coordination.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("the lease: %w", err)
	}
	if l.Duration == 0 {
		l.Duration = 15 * time.Second
	}
	for ctx.Err() == nil {
		if err := once(ctx, client, l, lead); err != nil {
			return err
		}
		if !pause(ctx, time.Second) {
			break
		}
	}
	return nil
}

// once waits for the Lease and leads until it is lost or ctx ends.
func once(ctx context.Context, client coordination.LeasesGetter, l Lease, lead func(context.Context, func() error) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var leading sync.Mutex // held while lead runs, which may begin when Run has ended
	var elector *leaderelection.LeaderElector
	holds := func() error {
		if !elector.IsLeader() {
			return errors.New("another agent has it")
		}
		return elector.Check(-l.Duration / 3) // others count from when they saw it renewed
	}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta: metav1.ObjectMeta{Namespace: l.Namespace, Name: l.Name}, Client: client,
			LockConfig: resourcelock.ResourceLockConfig{Identity: l.Identity},
		},
		LeaseDuration: l.Duration, RenewDeadline: l.Duration * 2 / 3, RetryPeriod: l.Duration * 2 / 15,
		Name: l.Name,
		// A write on its way when this agent ends must not meet one of the next leader: the Lease
		// is left to expire.
		ReleaseOnCancel: false,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				leading.Lock()
				defer leading.Unlock()
				if ctx.Err() != nil {
					return
				}
				if err := lead(ctx, holds); err != nil {
					stop(err)
				}
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return fmt.Errorf("the lease %s/%s: %w", l.Namespace, l.Name, err)
	}
	elector.Run(ctx)
	leading.Lock()
	defer leading.Unlock()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
