package calico

// Labels that Calico gives to workloads and network sets, and prefixes of labels that
// come from the namespace and the service account (libcalico-go/lib/backend/k8s/conversion).
const (
	labelNamespace      = "projectcalico.org/namespace"
	labelServiceAccount = "projectcalico.org/serviceaccount"
	labelOrchestrator   = "projectcalico.org/orchestrator"
	labelName           = "projectcalico.org/name" // after one of the prefixes

	prefixNamespace      = "pcns."
	prefixServiceAccount = "pcsa."
)
