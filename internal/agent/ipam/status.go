package ipam

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pools "github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
)

// maxMessage is the API server's bound on the message of a condition, in bytes.
const maxMessage = 32768

// conditionOf returns the condition of an assignment, without its time.
func conditionOf(a *pools.Assignment) metav1.Condition {
	reason, more := a.Reason()
	c := metav1.Condition{Type: objects.AllocatedCondition, Status: metav1.ConditionTrue, Reason: reason}
	if len(a.Findings) > 0 {
		c.Status = metav1.ConditionFalse
	} else {
		more = poolsOf(a)
	}
	if c.Message = objects.AllocatedMessage(a.Addrs(), more); len(c.Message) > maxMessage {
		c.Message = c.Message[:maxMessage]
	}
	return c
}

// poolsOf names the pools of an assignment, each once.
func poolsOf(a *pools.Assignment) string {
	text := ""
	var seen []pools.PoolName
	for _, x := range a.Addresses {
		if slices.Contains(seen, x.Pool) {
			continue
		}
		if seen = append(seen, x.Pool); text == "" {
			text = "of " + x.Pool.String()
		} else {
			text += " and " + x.Pool.String()
		}
	}
	return text
}

// differs reports whether the status of a Service is not that of its assignment. The status of a
// Service that is not planec's never is.
func differs(o *corev1.Service, a *pools.Assignment) bool {
	i := slices.IndexFunc(o.Status.Conditions, func(c metav1.Condition) bool { return c.Type == objects.AllocatedCondition })
	switch a.Outcome {
	case pools.Released:
		return i >= 0
	case pools.Served:
	default:
		return false
	}
	if !slices.Equal(ips(o.Status.LoadBalancer.Ingress), ips(a.Ingress(o.Status.LoadBalancer.Ingress))) || i < 0 {
		return true
	}
	want, have := conditionOf(a), o.Status.Conditions[i]
	return want.Status != have.Status || want.Reason != have.Reason || want.Message != have.Message
}

func ips(list []corev1.LoadBalancerIngress) []string {
	out := make([]string, 0, len(list))
	for _, in := range list {
		out = append(out, in.IP)
	}
	return out
}

// patch is a strategic merge patch of a status: conditions of others stay, and the API server
// refuses it for another version of the Service.
func patch(o *corev1.Service, a *pools.Assignment, now time.Time) ([]byte, error) {
	condition := any(map[string]any{"$patch": "delete", "type": objects.AllocatedCondition})
	if a.Outcome == pools.Served {
		c := conditionOf(a)
		c.LastTransitionTime = metav1.NewTime(now)
		if i := slices.IndexFunc(o.Status.Conditions, func(h metav1.Condition) bool { return h.Type == c.Type && h.Status == c.Status }); i >= 0 {
			c.LastTransitionTime = o.Status.Conditions[i].LastTransitionTime
		}
		condition = c
	}
	ingress := a.Ingress(o.Status.LoadBalancer.Ingress)
	if ingress == nil {
		ingress = []corev1.LoadBalancerIngress{}
	}
	text, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": o.UID, "resourceVersion": o.ResourceVersion},
		"status":   map[string]any{"loadBalancer": map[string]any{"ingress": ingress}, "conditions": []any{condition}},
	})
	if err != nil {
		return nil, fmt.Errorf("the status of Service %s/%s: %w", o.Namespace, o.Name, err)
	}
	return text, nil
}

// StatusWriter writes to an API server.
type StatusWriter struct {
	// Patch applies a strategic merge patch to the status of a Service, and returns it in the form
	// of an [inbox.Source].
	Patch func(ctx context.Context, name objects.Name, patch []byte) (*corev1.Service, error)
}

// patience bounds one write.
const patience = 10 * time.Second

// Write implements [Writer].
func (w *StatusWriter) Write(ctx context.Context, o *corev1.Service, a *pools.Assignment) (*corev1.Service, error) {
	text, err := patch(o, a, time.Now())
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	now, err := w.Patch(ctx, a.Service, text)
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return nil, fmt.Errorf("writing to Service %s: %w", a.Service, ErrChanged)
	case err != nil:
		return nil, fmt.Errorf("writing to Service %s: %w", a.Service, err)
	}
	return now, nil
}
