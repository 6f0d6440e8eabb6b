package nettest

// File is one file of tests.
type File struct {
	Path string // as it was given
	// Manifests and Config are paths as the file has them: relative to its
	// directory.
	Manifests []string
	Config    string // the node's settings; "" is none
	// Node is the node that connections from outside reach first; "" is any.
	Node string
	// Synth asks for the Pods and addresses that a repository does not hold.
	Synth bool
	Cases []Case // in the file's order
}

// Case is one expectation. From, To and Port are what the trace command takes; a
// pod may be named by its workload too, which means all of its pods.
type Case struct {
	Name           string      // what the results call it
	From, To, Port string      // who connects, to what, and the port
	Node           string      // the node of a connection from outside; "" is that of the file
	Expect         Expectation // what must be true
	// Line is where the case begins, from 1.
	Line int
}

// Expectation is what must be true of every connection of a case.
type Expectation struct {
	// Verdict is "" where nothing is said of it.
	Verdict Verdict
	// Endpoints are all that the connection may get: pods, workloads, addresses
	// with or without a port. They are not asked for unless HasEndpoints.
	Endpoints    []string
	HasEndpoints bool // whether Endpoints is asked for: no endpoint can be wanted too
	// SourcePreserved is whether the receiver sees who really sent it; nil is
	// not asked.
	SourcePreserved *bool
}

// Verdict is what is expected of a connection, or what became of it.
type Verdict string

// The verdicts. Deny is a drop or a reject; Mixed, which no case can expect, lets
// the connection have some endpoints and keeps it from others.
const (
	Allow  Verdict = "allow"
	Deny   Verdict = "deny"
	Drop   Verdict = "drop"
	Reject Verdict = "reject"
	Mixed  Verdict = "mixed"
)

// Endpoint is where a connection may end.
type Endpoint struct {
	// Address is "address:port"; Pod is "namespace/name" and Workload the same of
	// its workload, or "" for none that is known.
	Address, Pod, Workload string
}

// Answer is what happens to one connection.
type Answer struct {
	// From, To and Node say which connection of the case it is.
	From, To, Node string     // the ends, and the node that is met first
	Verdict        Verdict    // what happens to it
	Endpoints      []Endpoint // those that it may get
	Denied         []Endpoint // those that a policy keeps it from
	// Preserved and Hidden are whether there is an endpoint that sees the
	// sender's own address, and one that does not.
	Preserved, Hidden bool
	// Decided are the reasons, and Masqueraded those for the source that the
	// receiver sees, each with where it is written.
	Decided, Masqueraded []string
}

// Result is what became of a case.
type Result struct {
	Case *Case // the case as it was read
	// Failures are empty when all is as expected.
	Failures []Failure
	// Connections is how many were followed.
	Connections int
}

// Failure is one connection that is not as expected.
type Failure struct {
	Text    string   `json:"text"`                // which connection, what was expected and what happens
	Decided []string `json:"decidedBy,omitempty"` // where that is decided, as in [Answer]
}
