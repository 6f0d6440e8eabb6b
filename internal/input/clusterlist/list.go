package clusterlist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Source says which cluster, as kubectl does.
type Source struct {
	Kubeconfig string // a file; "" is $KUBECONFIG, or the user's own
	Context    string // a context of it; "" is the current one
	Entries    bool   // list Ingresses and routes too
	// Progress is called with the number of objects so far, for each answer; it may be nil.
	Progress func(objects int)
}

// Listed is what a cluster has.
type Listed struct {
	// Name is how diagnostics call the cluster: "context prod".
	Name    string
	Objects []manifest.Built
	// Unread are the kinds that could not be listed.
	Unread diag.List
}

const (
	// pageSize is how many objects one answer has, as in kubectl.
	pageSize = 500
	// patience is how long one answer may take.
	patience = 60 * time.Second
	// tries is how often a kind is listed from the beginning, if its pages expire.
	tries = 3
)

// List lists the kinds that planec reads, and policies of other projects, so that the reader
// says that it does not read them. An error is about the whole cluster.
func List(ctx context.Context, s Source) (*Listed, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = s.Kubeconfig
	config := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: s.Context})
	raw, err := config.RawConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	name := s.Context
	if name == "" {
		name = raw.CurrentContext
	}
	client, err := config.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("context %q: %s", name, withoutUser(err))
	}
	client.UserAgent, client.Timeout = "planec", patience
	client.QPS, client.Burst = 50, 100 // a handful of lists
	listed, err := list(ctx, client, "context "+name, s)
	if err != nil {
		return nil, fmt.Errorf("%w: context %q: %s", ErrCluster, name, withoutUser(err))
	}
	return listed, nil
}

// ErrCluster means that the cluster did not answer as it should.
var ErrCluster = errors.New("the cluster cannot be read")

// user is the user of a URL, which may have a password.
var user = regexp.MustCompile(`//[^/@\s]*@`)

func withoutUser(err error) string { return user.ReplaceAllString(err.Error(), "//") }

func list(ctx context.Context, config *rest.Config, name string, s Source) (*Listed, error) {
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	client, err := newClient(config)
	if err != nil {
		return nil, err
	}
	// What the library logs, its errors say too.
	ctx = klog.NewContext(ctx, logr.Discard())
	l := &lister{client: client, entries: s.Entries, progress: s.Progress, out: &Listed{Name: name}}
	wanted, err := l.resources(d)
	if err != nil {
		return nil, err
	}
	for _, r := range wanted {
		if err := l.all(ctx, r); err != nil {
			return nil, err
		}
	}
	l.out.Unread.Sort()
	return l.out, nil
}

// newClient returns a client that understands what a server says of a failure, and nothing of
// objects.
func newClient(config *rest.Config) (rest.Interface, error) {
	scheme, version := runtime.NewScheme(), schema.GroupVersion{Version: "v1"}
	metav1.AddToGroupVersion(scheme, version)
	c := rest.CopyConfig(config)
	c.APIPath, c.GroupVersion = "/api", &version
	c.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	return rest.RESTClientFor(c)
}

// lister lists one kind after the other.
type lister struct {
	client  rest.Interface
	entries bool
	// progress is told how many objects there are so far, or nil.
	progress func(objects int)
	out      *Listed
}

// unread notes a kind that cannot be listed.
func (l *lister) unread(kind string, err error) {
	l.out.Unread.Add(diag.UnreadKind, ir.Origin{File: l.out.Name}, kind+": "+diag.Printable(reason(err)))
}

// reason is an error without the address of the request, whose parameters say nothing.
func reason(err error) string {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	return err.Error()
}

// all adds the objects of a kind, or notes why it is unread.
func (l *lister) all(ctx context.Context, r resource) error {
	before := len(l.out.Objects)
	var err error
	for try := range tries {
		l.out.Objects = l.out.Objects[:before]
		limit := pageSize
		if try == tries-1 {
			limit = 0 // all at once cannot expire
		}
		if err = l.pages(ctx, r, limit); err == nil || !apierrors.IsResourceExpired(err) {
			break
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		l.out.Objects = l.out.Objects[:before]
		l.unread(r.name, err)
	}
	return nil
}

// page is an answer to a list.
type page struct {
	Metadata struct {
		Continue string `json:"continue"`
	} `json:"metadata"`
	Items []map[string]json.RawMessage `json:"items"`
}

func (l *lister) pages(ctx context.Context, r resource, limit int) error {
	next := ""
	for {
		request := l.client.Get().AbsPath(r.path)
		if limit > 0 {
			request = request.Param("limit", strconv.Itoa(limit))
		}
		if r.fields != "" {
			request = request.Param("fieldSelector", r.fields)
		}
		if next != "" {
			request = request.Param("continue", next)
		}
		result := request.Do(ctx)
		if err := result.Error(); err != nil {
			return err
		}
		answer, err := result.Raw()
		if err != nil {
			return err
		}
		var p page
		if err := json.Unmarshal(answer, &p); err != nil {
			return fmt.Errorf("the answer is no list: %w", err)
		}
		for _, item := range p.Items {
			if err := l.add(r, item); err != nil {
				return err
			}
		}
		if l.progress != nil {
			l.progress(len(l.out.Objects))
		}
		if p.Metadata.Continue == "" {
			return nil
		}
		if p.Metadata.Continue == next {
			return errors.New("the same page again")
		}
		next = p.Metadata.Continue
	}
}

// add adds an object. Those of a list do not say what they are, and managedFields, which repeat
// the names of all fields, say nothing about the network.
func (l *lister) add(r resource, item map[string]json.RawMessage) error {
	if item == nil {
		return errors.New("an object of the list is null")
	}
	item["apiVersion"], item["kind"] = r.apiVersion, r.kind
	var metadata map[string]json.RawMessage
	if json.Unmarshal(item["metadata"], &metadata) == nil && metadata["managedFields"] != nil {
		delete(metadata, "managedFields")
		item["metadata"], _ = json.Marshal(metadata) // of what was read
	}
	text, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("an object of the list: %w", err)
	}
	l.out.Objects = append(l.out.Objects, manifest.Built{File: l.out.Name, Text: text})
	return nil
}
