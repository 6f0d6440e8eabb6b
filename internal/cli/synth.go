package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/synth"
)

// sourceAnnotation holds the origin of an object that was made or completed.
const sourceAnnotation = "planec.io/source"

func newSynth(s *Streams) *cobra.Command {
	var in input
	var output string
	var only bool
	cmd := &cobra.Command{
		Use:   "synth -f PATH...",
		Short: "Make the Pods, slices and addresses that a repository does not hold",
		Long: `synth reads Deployments and other workloads, and prints the objects that a cluster
would have of them: Pods, EndpointSlices, Nodes, Namespaces, and Services with
ClusterIPs, nodePorts and load-balancer addresses. Whatever the input has is kept.
Addresses depend on names alone, so one object more moves no other. Made objects
have the label planec.io/synthetic and say where they come from.

Where the input has pools of addresses (CiliumLoadBalancerIPPool, IPAddressPool of
MetalLB), Services of type LoadBalancer get addresses of these: see planec addresses.

The other commands that read manifests do the same by themselves with --synth.`,
		Example: `  # See what is made of a repository
  planec synth -f manifests/ -R --only

  # The same in one step and in two
  kustomize build . | planec compile --synth -f - --node node-1 --backend nftables
  kustomize build . | planec synth -f - | planec compile -f - --node node-1 --backend nftables --cluster-cidr 10.128.0.0/9,fd00:10:128::/48`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			l, err := in.load(s)
			if err != nil {
				return err
			}
			if err := l.report(l.read); err != nil {
				return err
			}
			set := &l.objects
			if only {
				set = &l.made
			}
			return printObjects(s.Out, printable(set), output)
		},
	}
	in.care = empty
	in.register(cmd.Flags())
	in.synth = true                     // the flag's default is false
	_ = cmd.Flags().MarkHidden("synth") // the flag was just registered
	formatFlag(cmd.Flags(), &output, "yaml", "json")
	cmd.Flags().BoolVar(&only, "only", false, "print only what was made or completed")
	return cmd
}

// printable returns the objects with what manifests need: a kind, and an
// annotation with the origin of objects that --synth made.
func printable(set *objects.Set) []any {
	return append(announcingObjects(set), slices.Concat(
		typed("v1", "Namespace", set.Namespaces),
		typed("v1", "Node", set.Nodes),
		typed("networking.k8s.io/v1", "ServiceCIDR", set.ServiceCIDRs),
		typed("v1", "Service", set.Services),
		typed("discovery.k8s.io/v1", "EndpointSlice", set.EndpointSlices),
		typed("v1", "Pod", set.Pods),
		typed("networking.k8s.io/v1", "NetworkPolicy", set.NetworkPolicies),
		typed("policy.networking.k8s.io/v1beta1", "ClusterNetworkPolicy", set.ClusterNetworkPolicies),
		typed("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", set.AdminNetworkPolicies),
		typed("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy", set.BaselineAdminNetworkPolicies),
		typed("v1", "ServiceAccount", set.ServiceAccounts),
		typed("projectcalico.org/v3", "Tier", set.CalicoTiers),
		typed("projectcalico.org/v3", "NetworkSet", set.CalicoNetworkSets),
		typed("projectcalico.org/v3", "GlobalNetworkSet", set.CalicoGlobalNetworkSets),
		typed("projectcalico.org/v3", "NetworkPolicy", set.CalicoNetworkPolicies),
		typed("projectcalico.org/v3", "GlobalNetworkPolicy", set.CalicoGlobalNetworkPolicies),
		typed("v1", "ConfigMap", set.CiliumConfigs),
		typed("cilium.io/v2", "CiliumLoadBalancerIPPool", set.CiliumPools),
		typed("metallb.io/v1beta1", "IPAddressPool", set.MetalLBPools),
		typed("cilium.io/v2", "CiliumCIDRGroup", set.CiliumCIDRGroups),
		typed("cilium.io/v2", "CiliumNetworkPolicy", set.CiliumNetworkPolicies),
		typed("cilium.io/v2", "CiliumClusterwideNetworkPolicy", set.CiliumClusterwideNetworkPolicies),
	)...)
}

func typed[T interface {
	metav1.Object
	runtime.Object
}](version, kind string, list []objects.Sourced[T]) []any {
	out := make([]any, 0, len(list))
	for _, o := range sortedByName(list) {
		object := o.Object.DeepCopyObject().(T) // a copy has the type of its original
		meta := metav1.TypeMeta{APIVersion: version, Kind: kind}
		object.GetObjectKind().SetGroupVersionKind(meta.GroupVersionKind())
		if pos := objects.Origin(kind, o).Position(); pos != "" && object.GetLabels()[synth.Label] != "" {
			annotations := maps.Clone(object.GetAnnotations())
			if annotations == nil {
				annotations = make(map[string]string)
			}
			annotations[sourceAnnotation] = pos
			object.SetAnnotations(annotations)
		}
		out = append(out, slimNode(object))
	}
	return out
}

// slimNode is a Node without two parts of its status that are marshalled even
// if they are empty.
func slimNode(o any) any {
	n, isNode := o.(*corev1.Node)
	if !isNode {
		return o
	}
	return map[string]any{
		"apiVersion": n.APIVersion, "kind": n.Kind, "metadata": n.ObjectMeta, "spec": n.Spec,
		"status": map[string]any{"addresses": n.Status.Addresses},
	}
}

func printObjects(w io.Writer, list []any, format string) error {
	switch format {
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		whole := map[string]any{"apiVersion": "v1", "kind": "List", "items": list}
		if err := e.Encode(whole); err != nil {
			return systemError(fmt.Errorf("writing objects: %w", err))
		}
	case "yaml":
		for _, o := range list {
			text, err := yaml.Marshal(o)
			if err != nil {
				return systemError(fmt.Errorf("writing an object: %w", err))
			}
			if _, err := fmt.Fprintf(w, "---\n%s", text); err != nil {
				return systemError(fmt.Errorf("writing objects: %w", err))
			}
		}
	default:
		return inputError(fmt.Errorf("-o %q: want yaml or json", format))
	}
	return nil
}

// sortedByName sorts objects by namespace and name, then by place.
func sortedByName[T objects.Meta](in []objects.Sourced[T]) []objects.Sourced[T] {
	out := slices.Clone(in)
	slices.SortStableFunc(out, func(a, b objects.Sourced[T]) int {
		return cmp.Or(
			cmp.Compare(a.Object.GetNamespace(), b.Object.GetNamespace()), cmp.Compare(a.Object.GetName(), b.Object.GetName()),
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
		)
	})
	return out
}
