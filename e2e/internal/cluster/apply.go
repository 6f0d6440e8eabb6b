package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

// Apply applies a manifest of any kinds like `kubectl apply --server-side`, so
// that the objects of deploy/ have the same roles as in a real cluster.
func (c *Cluster) Apply(ctx context.Context, manifest []byte) error {
	client, err := dynamic.NewForConfig(c.Config())
	if err != nil {
		return err
	}
	groups, err := restmapper.GetAPIGroupResources(c.admin.Discovery())
	if err != nil {
		return fmt.Errorf("kinds of the API server: %w", err)
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		var u unstructured.Unstructured
		err := documents.Decode(&u.Object)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("manifest: %w", err)
		case len(u.Object) == 0:
			continue
		}
		kind := u.GroupVersionKind()
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return fmt.Errorf("%s %s: %w", kind.Kind, u.GetName(), err)
		}
		// The interface ignores an empty namespace, which is right for cluster-wide
		// kinds.
		_, err = client.Resource(mapping.Resource).Namespace(u.GetNamespace()).
			Apply(ctx, u.GetName(), &u, metav1.ApplyOptions{FieldManager: "planec-e2e", Force: true})
		if err != nil {
			return fmt.Errorf("apply %s %s/%s: %w", kind.Kind, u.GetNamespace(), u.GetName(), err)
		}
	}
}
