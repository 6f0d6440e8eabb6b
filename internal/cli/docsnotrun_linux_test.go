package cli_test

const (
	needsNetwork   = "needs the network"
	needsCluster   = "needs a cluster, and kubectl"
	serves         = "serves until it is ended; its package starts it in tests of its own"
	builtAlready   = "the test is built from the same source"
	placeholders   = "has words in the place of names"
	otherProgram   = "needs a program that tests cannot expect"
	nodeOfReaders  = "is about files of the reader's own node"
	renderedBySDK  = "e2e/charts renders it by Helm's library"
	exampleOfFault = "an example of a fault, made from ir/diag"
)

// notRun are the commands of documents that do not run in a test, and why; an empty
// text is all of a document. An entry that excuses no command fails the test.
var notRun = []struct{ file, begins, why string }{
	{"README.md", "git clone ", needsNetwork},
	{"README.md", "make build", builtAlready},
	{"README.md", "planec play ", serves},
	{"docs/diagnostics.md", "", exampleOfFault},
	{"docs/reference/flags.md", "", placeholders},
	{"docs/reviewing.md", "planec diff OLD NEW", placeholders},
	{"docs/reviewing.md", "planec matrix --context", needsCluster},
	{"docs/reviewing.md", "planec diff context:", needsCluster},
	{"docs/reviewing.md", "git clone ", needsNetwork},
	{"docs/reviewing.md", "go run ./internal/testing/npguard", needsNetwork},
	{"docs/reviewing.md", "planec play ", serves},
	{"docs/tasks/review-a-change.md", "planec lint --synth -R -f manifests --baseline", "has the baseline of the reader's repository"},
	{"docs/reviewing.md", "helm ", otherProgram},
	{"docs/reviewing.md", "kustomize ", otherProgram},
	{"docs/reviewing.md", "planec diff git:origin/main:overlays/prod", "examples/gitops has no kustomization; kustomize has tests of its own"},
	{"docs/addresses.md", "planec-agent ", nodeOfReaders},
	{"docs/announcing.md", "planec-agent --bgp frr", nodeOfReaders},
	{"docs/dns.md", "planec-agent --policies --fqdn-listen", nodeOfReaders},
	{"docs/layer2.md", "planec-agent ", nodeOfReaders},
	{"docs/operations.md", "planec-agent ", nodeOfReaders},
	{"docs/podroutes.md", "planec-agent ", needsCluster},
	{"docs/operations.md", "planec status", "needs a running agent: docs/tasks/run-a-node.md runs it"},
	{"docs/operations.md", "planec verify", "needs a running agent: docs/tasks/run-a-node.md runs it"},
	{"docs/operations.md", "planec show", "needs a running agent: docs/tasks/run-a-node.md runs it"},
	{"docs/operations.md", "planec trace -f dump.yaml", placeholders},
	{"docs/operations.md", "kubectl ", needsCluster},
	{"docs/operations.md", "helm ", renderedBySDK},
	{"deploy/chart/planec/README.md", "helm ", renderedBySDK},
	{"docs/backends.md", "", "files that the reader has compiled; tests of golden load them"},
	{"docs/tasks/write-a-backend.md", "go ", "CI runs the tests of this repository"},
	{"docs/tasks/migrate-from-kube-proxy.md", "kubectl ", needsCluster},
	{"examples/kube-proxy-migration/README.md", "kubectl ", needsCluster},
}
