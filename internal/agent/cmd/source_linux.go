package cmd

import (
	"context"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/planec/planec/internal/input/apisource"
	"github.com/planec/planec/internal/input/filesource"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/podnet"
)

// source delivers objects.
type source interface {
	Run(context.Context, *inbox.Inbox) error
}

// Default limits for requests to the API server. There are few watches; the number
// of requests grows only with Events and leases.
const (
	defaultQPS   = 20
	defaultBurst = 40
)

// source returns the source that the flags select; Events exist only for objects
// of an API server.
func (s *service) source(ctx context.Context) (source, *apisource.Events, error) {
	if dir := s.options.manifestDir; dir != "" {
		return &filesource.Source{
			Dir: dir, Log: s.log, Report: s.sourced, AllowEmpty: s.options.allowEmpty, Spare: s.spareFiles(ctx),
		}, nil, nil
	}
	config, err := s.restConfig()
	if err != nil {
		return nil, nil, err
	}
	src, err := apisource.New(apisource.Options{
		Config: config, Node: s.options.node, Policies: s.options.policies, AllNodes: s.config.PodRoutes.Mode != podnet.Off,
		Imports: len(s.config.Config.ImportCIDRs) > 0, Log: s.log, Report: s.sourced,
	})
	if err != nil {
		return nil, nil, err
	}
	events, err := src.Events()
	return src, events, err
}

func (s *service) restConfig() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", s.options.kubeconfig)
	if err != nil {
		return nil, usage("--kubeconfig %q: %w (give --kubeconfig, --manifest-dir, or run as a pod)", s.options.kubeconfig, err)
	}
	config.UserAgent = apisource.Controller
	config.QPS, config.Burst = defaultQPS, defaultBurst
	if p := s.config.Proxy; p.QPS > 0 {
		config.QPS, config.Burst = float32(p.QPS), max(p.Burst, p.QPS)
	}
	return config, nil
}

// sourced forwards the findings of sources, which are created before the reporter.
func (s *service) sourced(all diag.List) { s.report.sourced(all) }
