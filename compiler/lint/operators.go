package lint

import (
	"slices"
	"strings"
)

// groupKind is a kind of custom resources.
type groupKind struct{ group, kind string }

// withoutPods reports whether no pods are made for objects of the kind, because it
// only configures others. Unknown kinds may have pods.
func withoutPods(group, kind string) bool {
	if slices.ContainsFunc(podlessBelow, func(domain string) bool { return strings.HasSuffix(group, domain) }) {
		return true
	}
	kinds := podless[group]
	return slices.ContainsFunc(strings.Fields(kinds), func(k string) bool { return k == "*" || strings.EqualFold(k, kind) })
}

// podlessBelow are domains whose groups represent things outside of the cluster.
var podlessBelow = []string{".services.k8s.aws", ".cnrm.cloud.google.com", ".aws.upbound.io", ".azure.upbound.io", ".gcp.upbound.io"}

// podless are the kinds of widespread custom resources without pods, by group; "*" is
// every kind of the group.
var podless = map[string]string{
	"monitoring.coreos.com":           "ServiceMonitor PodMonitor Probe PrometheusRule AlertmanagerConfig ScrapeConfig",
	"monitoring.rhobs":                "ServiceMonitor PodMonitor Probe PrometheusRule AlertmanagerConfig ScrapeConfig",
	"operator.victoriametrics.com":    "VMServiceScrape VMPodScrape VMNodeScrape VMStaticScrape VMProbe VMRule VMUser VMAlertmanagerConfig VMScrapeConfig",
	"monitoring.googleapis.com":       "PodMonitoring ClusterPodMonitoring Rules ClusterRules GlobalRules",
	"grafana.integreatly.org":         "GrafanaDashboard GrafanaDatasource GrafanaFolder GrafanaAlertRuleGroup GrafanaContactPoint",
	"cert-manager.io":                 "Certificate CertificateRequest Issuer ClusterIssuer",
	"trust.cert-manager.io":           "*",
	"external-secrets.io":             "*",
	"generators.external-secrets.io":  "*",
	"bitnami.com":                     "SealedSecret",
	"secrets-store.csi.x-k8s.io":      "*",
	"secrets.hashicorp.com":           "*",
	"networking.istio.io":             "VirtualService DestinationRule Gateway ServiceEntry Sidecar WorkloadEntry WorkloadGroup EnvoyFilter ProxyConfig",
	"security.istio.io":               "*",
	"telemetry.istio.io":              "*",
	"extensions.istio.io":             "*",
	"policy.linkerd.io":               "*",
	"linkerd.io":                      "ServiceProfile",
	"split.smi-spec.io":               "*",
	"access.smi-spec.io":              "*",
	"specs.smi-spec.io":               "*",
	"traefik.io":                      "*",
	"traefik.containo.us":             "*",
	"projectcontour.io":               "HTTPProxy TLSCertificateDelegation ExtensionService",
	"configuration.konghq.com":        "*",
	"k8s.nginx.org":                   "*",
	"getambassador.io":                "*",
	"route.openshift.io":              "*",
	"image.openshift.io":              "*",
	"security.openshift.io":           "*",
	"project.openshift.io":            "*",
	"user.openshift.io":               "*",
	"authorization.openshift.io":      "*",
	"quota.openshift.io":              "*",
	"console.openshift.io":            "*",
	"elbv2.k8s.aws":                   "*",
	"vpcresources.k8s.aws":            "*",
	"karpenter.sh":                    "*",
	"karpenter.k8s.aws":               "*",
	"cloud.google.com":                "BackendConfig",
	"networking.gke.io":               "*",
	"cilium.io":                       "*",
	"crd.projectcalico.org":           "*",
	"projectcalico.org":               "*",
	"crd.antrea.io":                   "*",
	"k8s.cni.cncf.io":                 "*",
	"metallb.io":                      "IPAddressPool L2Advertisement BGPAdvertisement BGPPeer BFDProfile Community AddressPool ServiceL2Status",
	"kyverno.io":                      "*",
	"wgpolicyk8s.io":                  "*",
	"templates.gatekeeper.sh":         "*",
	"constraints.gatekeeper.sh":       "*",
	"config.gatekeeper.sh":            "*",
	"keda.sh":                         "ScaledObject TriggerAuthentication ClusterTriggerAuthentication",
	"argoproj.io":                     "Application ApplicationSet AppProject EventBus WorkflowTemplate ClusterWorkflowTemplate AnalysisTemplate ClusterAnalysisTemplate",
	"source.toolkit.fluxcd.io":        "*",
	"kustomize.toolkit.fluxcd.io":     "*",
	"image.toolkit.fluxcd.io":         "*",
	"notification.toolkit.fluxcd.io":  "*",
	"externaldns.k8s.io":              "*",
	"externaldns.nginx.org":           "*",
	"velero.io":                       "*",
	"objectbucket.io":                 "*",
	"flagger.app":                     "AlertProvider MetricTemplate",
	"networking.x-k8s.io":             "*",
	"gateway.networking.k8s.io":       "GatewayClass HTTPRoute GRPCRoute TLSRoute TCPRoute UDPRoute ReferenceGrant BackendTLSPolicy ListenerSet",
	"gateway.envoyproxy.io":           "ClientTrafficPolicy BackendTrafficPolicy SecurityPolicy EnvoyPatchPolicy EnvoyExtensionPolicy Backend",
	"gateway.nginx.org":               "ClientSettingsPolicy ObservabilityPolicy SnippetsFilter UpstreamSettingsPolicy",
	"appprotect.f5.com":               "*",
	"operator.cluster.x-k8s.io":       "*",
	"infrastructure.cluster.x-k8s.io": "*",
	"cluster.x-k8s.io":                "*",
}

// furtherDomains are label domains of operators that differ from those of their
// kinds, by group.
var furtherDomains = map[string][]string{
	"monitoring.coreos.com": {"operator.prometheus.io"},
	"jobset.x-k8s.io":       {"jobset.sigs.k8s.io"},
}

// knownLabels are the labels that an operator gives to the pods of one role: NAME is
// the resource's name, NAMESPACE its namespace; open are keys with unknown values.
type knownLabels struct {
	labels map[string]string
	open   string
}

// operatorLabels covers kinds that many Services and policies select and whose
// labels have no domain; one entry for each role.
var operatorLabels = map[groupKind][]knownLabels{
	{"monitoring.coreos.com", "Prometheus"}: {{
		map[string]string{"app.kubernetes.io/name": "prometheus", "app.kubernetes.io/instance": "NAME", "app.kubernetes.io/managed-by": "prometheus-operator", "prometheus": "NAME"},
		"app.kubernetes.io/version",
	}},
	{"monitoring.coreos.com", "Alertmanager"}: {{
		map[string]string{"app.kubernetes.io/name": "alertmanager", "app.kubernetes.io/instance": "NAME", "app.kubernetes.io/managed-by": "prometheus-operator", "alertmanager": "NAME"},
		"app.kubernetes.io/version",
	}},
	{"acid.zalan.do", "postgresql"}: {{map[string]string{"application": "spilo", "cluster-name": "NAME"}, "spilo-role"}},
	{"rabbitmq.com", "RabbitmqCluster"}: {{
		map[string]string{"app.kubernetes.io/name": "NAME", "app.kubernetes.io/component": "rabbitmq", "app.kubernetes.io/part-of": "rabbitmq"}, "",
	}},
	{"argoproj.io", "Rollout"}:        {{nil, "rollouts-pod-template-hash"}},
	{"postgresql.cnpg.io", "Cluster"}: {{map[string]string{"postgresql": "NAME", "cnpg.io/cluster": "NAME", "cnpg.io/podRole": "instance"}, "role cnpg.io/instanceRole cnpg.io/instanceName"}},
	{"postgresql.cnpg.io", "Pooler"}:  {{map[string]string{"cnpg.io/poolerName": "NAME", "cnpg.io/podRole": "pooler"}, "cnpg.io/cluster"}},
	{"helm.toolkit.fluxcd.io", "HelmRelease"}: {{
		map[string]string{"app.kubernetes.io/instance": "NAME", "release": "NAME"}, "app app.kubernetes.io/name app.kubernetes.io/component app.kubernetes.io/part-of app.kubernetes.io/managed-by",
	}},
	{"ceph.rook.io", "CephCluster"}: {
		{map[string]string{"app": "rook-ceph-mgr", "rook_cluster": "NAMESPACE"}, "mgr mgr_role instance ceph_daemon_id ceph_daemon_type"},
		{map[string]string{"app": "rook-ceph-mon", "rook_cluster": "NAMESPACE"}, "mon mon_cluster ceph_daemon_id ceph_daemon_type"},
		{map[string]string{"app": "rook-ceph-osd", "rook_cluster": "NAMESPACE"}, "osd ceph-osd-id ceph_daemon_id ceph_daemon_type"},
	},
	{"ceph.rook.io", "CephObjectStore"}: {{map[string]string{"app": "rook-ceph-rgw", "rook_cluster": "NAMESPACE", "rook_object_store": "NAME"}, "rgw ceph_daemon_id ceph_daemon_type"}},
	{"ceph.rook.io", "CephFilesystem"}:  {{map[string]string{"app": "rook-ceph-mds", "rook_cluster": "NAMESPACE", "rook_file_system": "NAME"}, "mds ceph_daemon_id ceph_daemon_type"}},
}
