package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

// Apply applies a manifest of any kinds like `kubectl apply --server-side`, so
// that the objects of deploy/ have the same roles as in a real cluster.
func (c *Cluster) Apply(ctx context.Context, manifest []byte) error {
	_, err := c.patch(ctx, manifest, metav1.PatchOptions{})
	return err
}

// Check asks the API server what it would make of a manifest, like `kubectl apply
// --server-side --dry-run=server --validate=strict`: it validates the objects, and writes
// nothing. It returns them with their defaults, in the order of the manifest.
func (c *Cluster) Check(ctx context.Context, manifest []byte) ([]unstructured.Unstructured, error) {
	return c.patch(ctx, manifest, metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
}

func (c *Cluster) patch(ctx context.Context, manifest []byte, o metav1.PatchOptions) (out []unstructured.Unstructured, err error) {
	client, err := dynamic.NewForConfig(c.Config())
	if err != nil {
		return nil, err
	}
	groups, err := restmapper.GetAPIGroupResources(c.admin.Discovery())
	if err != nil {
		return nil, fmt.Errorf("kinds of the API server: %w", err)
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	o.FieldManager, o.Force = "planec-e2e", new(true)
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		var u unstructured.Unstructured
		err := documents.Decode(&u.Object)
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("manifest: %w", err)
		case len(u.Object) == 0:
			continue
		}
		kind := u.GroupVersionKind()
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", kind.Kind, u.GetName(), err)
		}
		text, err := u.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", kind.Kind, u.GetName(), err)
		}
		// The interface ignores an empty namespace, which is right for cluster-wide
		// kinds.
		made, err := client.Resource(mapping.Resource).Namespace(u.GetNamespace()).Patch(ctx, u.GetName(), types.ApplyPatchType, text, o)
		if err != nil {
			return nil, fmt.Errorf("apply %s %s/%s: %w", kind.Kind, u.GetNamespace(), u.GetName(), err)
		}
		out = append(out, *made)
	}
}
