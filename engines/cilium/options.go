package cilium

import (
	"log/slog"

	"github.com/cilium/cilium/pkg/labelsfilter"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"
)

// clusterName is that of an agent without one of its own.
const clusterName = "default"

// quiet is a log that nothing reads: verdicts are what the engine is asked for.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Configure sets the options of an agent with both families on Kubernetes. The engine
// keeps them in variables of its own packages, so it is configured once in a process.
func Configure() error {
	c := option.Config
	c.EnableIPv4, c.EnableIPv6 = true, true
	c.ClusterName = clusterName
	c.EnableL7Proxy, c.EnableICMPRules = true, true
	c.EnableNonDefaultDenyPolicies = true
	c.UnsafeDaemonConfigOption.AllowLocalhost = option.AllowLocalhostAlways
	policy.SetPolicyEnabled(option.DefaultEnforcement)
	api.InitEntities(clusterName)
	return labelsfilter.ParseLabelPrefixCfg(quiet(), nil, nil, "")
}
