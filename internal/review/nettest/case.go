package nettest

// File is one file of tests.
type File struct {
	Path string // as it was given
	// Manifests and Config are paths as written in the file: relative to its
	// directory.
	Manifests []string
	Config    string // the node's settings; "" without any
	// Node is the node that connections from outside reach first; "" is any.
	Node string
	// Synth adds the Pods and addresses that a repository does not contain.
	Synth bool
	Cases []Case // in the order of the file
}

// Case is one expectation. From, To and Port are as in the trace command; the
// workload of a pod stands for all of its pods.
type Case struct {
	Name           string      // its name in results
	From, To, Port string      // the source, the destination and the port
	Node           string      // the node of a connection from outside; "" is the file's
	Expect         Expectation // the expected result
	// Line is where the case begins, from 1.
	Line int
}

// Expectation is required of every connection of a case.
type Expectation struct {
	// Verdict is "" if it is not checked.
	Verdict Verdict
	// Endpoints are all possible endpoints of the connection: pods, workloads,
	// addresses with or without a port. They are only checked with HasEndpoints.
	Endpoints    []string
	HasEndpoints bool // Endpoints is checked, also if it is empty
	// SourcePreserved requires that the receiver sees the original source, or
	// not; nil is not checked.
	SourcePreserved *bool
}

// Verdict is the expected or the actual result of a connection.
type Verdict string

// The verdicts. Deny is a drop or a reject. Mixed admits some endpoints and
// denies others; a case cannot expect it.
const (
	Allow  Verdict = "allow"
	Deny   Verdict = "deny"
	Drop   Verdict = "drop"
	Reject Verdict = "reject"
	Mixed  Verdict = "mixed"
)

// Endpoint is a possible destination of a connection.
type Endpoint struct {
	// Address is "address:port"; Pod is "namespace/name" and Workload that of its
	// workload, or "" if unknown.
	Address, Pod, Workload string
}

// Answer is the result of one connection.
type Answer struct {
	// From, To and Node identify the connection of the case.
	From, To, Node string     // the ends, and the first node
	Verdict        Verdict    // the result
	Endpoints      []Endpoint // the possible endpoints
	Denied         []Endpoint // the endpoints that a policy denies
	// Preserved and Hidden report that some endpoint sees the sender's own
	// address, or does not.
	Preserved, Hidden bool
	// Decided are the reasons of the verdict, and Masqueraded those of the
	// source that the receiver sees, each with its place.
	Decided, Masqueraded []string
}

// Result is the result of a case.
type Result struct {
	Case *Case // the case as it was read
	// Failures is empty if the case passed.
	Failures []Failure
	// Connections is the number of traced connections.
	Connections int
}

// Failure is one connection that differs from the expectation.
type Failure struct {
	Text    string   `json:"text"`                // the connection, the expectation and the actual result
	Decided []string `json:"decidedBy,omitempty"` // the reasons, as in [Answer]
}
