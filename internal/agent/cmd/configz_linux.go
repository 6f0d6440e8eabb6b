package cmd

import (
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/ir"
)

// configuration is the effective configuration: flags, configuration file and
// defaults combined.
type configuration struct {
	Node             string                `json:"node"`
	Backend          string                `json:"backend"`
	Cgroup           string                `json:"cgroup,omitempty"`
	ManifestDir      string                `json:"manifestDir,omitempty"`
	Kubeconfig       string                `json:"kubeconfig,omitempty"`
	Policies         bool                  `json:"policies"`
	EndDenied        bool                  `json:"endDenied"`
	KeepFlows        bool                  `json:"keepFlows"`
	AllowEmpty       bool                  `json:"allowEmpty"`
	KeepGoing        bool                  `json:"keepGoing"`
	HealthzAddress   string                `json:"healthzBindAddress"`
	MetricsAddress   string                `json:"metricsBindAddress"`
	StateDir         string                `json:"stateDir"`
	VerifyEvery      string                `json:"verifyEvery"`
	Comments         bool                  `json:"comments"`
	Sysctls          bool                  `json:"sysctls"`
	Profiling        bool                  `json:"profiling"`
	Takeover         string                `json:"takeover,omitempty"`
	ConfigurationOf  []string              `json:"files,omitempty"`
	ConfigurationHas nodeconfig.NodeConfig `json:"settings"`
}

func (s *service) configuration() configuration {
	o, settings := s.options, s.config
	settings.Config.OnDeny = cmp.Or(settings.Config.OnDeny, ir.Drop)
	settings.Config.OnRedirect = cmp.Or(settings.Config.OnRedirect, ir.Deny)
	return configuration{
		Node: o.node, Backend: s.backend.Name(), Cgroup: o.cgroup, ManifestDir: o.manifestDir, Kubeconfig: o.kubeconfig,
		Policies: o.policies, EndDenied: o.endDenied, KeepFlows: o.keepFlows, AllowEmpty: o.allowEmpty, KeepGoing: o.keepGoing,
		HealthzAddress: o.healthzAddr, MetricsAddress: o.metricsAddr, StateDir: o.stateDir, VerifyEvery: o.verifyEvery.String(),
		Comments: !o.noComments, Sysctls: o.sysctls, Profiling: o.profiling, Takeover: o.takeover,
		ConfigurationOf: o.settings.Files(), ConfigurationHas: settings,
	}
}

// configz serves the configuration like other Kubernetes components: under the
// name of its group.
func (s *service) configz(w http.ResponseWriter, _ *http.Request) {
	text, err := json.MarshalIndent(map[string]configuration{"planec.io": s.configuration()}, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(append(text, '\n')) // the client may be gone
}
