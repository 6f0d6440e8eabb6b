package proof

import (
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Certificate is what a proof says, for machines.
type Certificate struct {
	Node    string `json:"node"`
	Backend string `json:"backend"`
	// Proved says that the files do with every packet what the program says.
	Proved bool `json:"proved"`
	// Input, Program and Artifact are SHA-256 sums, in hexadecimal digits: of the
	// objects, of the program's JSON, and of the files' names and contents.
	Input    string `json:"input,omitempty"`
	Program  string `json:"program"`
	Artifact string `json:"artifact"`
	// Boxes is how many sets of packets were compared, Excluded how many were not. Limits
	// is what the backend says that it cannot do, or does a little differently: why packets
	// are excluded, or affinity and logs are not compared.
	Boxes    int      `json:"boxes"`
	Excluded int      `json:"excluded,omitzero"`
	Limits   []string `json:"limits,omitempty"`
	// Assumptions are what the proof takes for granted.
	Assumptions []string  `json:"assumptions"`
	Differences []Example `json:"differences,omitempty"`
	// More says that there may be differences besides these.
	More bool `json:"more,omitzero"`
	// Against are the files of another program's rules that were compared, Meant the
	// documented differences, and Notes what was not compared.
	Against []string `json:"against,omitempty"`
	Meant   []Meant  `json:"meant,omitempty"`
	Notes   []string `json:"notes,omitempty"`
}

// Example is packets that the files treat differently, with their lowest one.
type Example struct {
	Packet Packet     `json:"packet"`
	Set    []FieldSet `json:"set"`
	Reason string     `json:"reason"`
	Want   string     `json:"want"` // what the program says
	Got    string     `json:"got"`  // what the files do
	// Because are the steps of the program, Rules the rules that matched.
	Because []Step   `json:"because,omitempty"`
	Rules   []string `json:"rules,omitempty"`
}

// Step is a reason, with the place in an object that it comes from.
type Step struct {
	Text   string `json:"text"`
	Object string `json:"object,omitempty"`
	Path   string `json:"path,omitempty"`
}

// Packet is one packet in words.
type Packet struct {
	From       string `json:"from"`
	Interface  string `json:"interface,omitempty"`
	Source     string `json:"source"`
	Dest       string `json:"destination"`
	Protocol   string `json:"protocol"`
	Port       uint16 `json:"port,omitzero"`
	SourcePort uint16 `json:"sourcePort,omitzero"`
	Type       *uint8 `json:"type,omitempty"`
	Code       *uint8 `json:"code,omitempty"`
	Midstream  bool   `json:"midstream,omitzero"`
	// State is the state of the connection, unless it is new.
	State string `json:"state,omitempty"`
}

// Assumptions returns what a proof of a backend's files takes for granted.
func Assumptions(backend string) []string {
	list := []string{
		"the kernel reads the files as the interpreter of the backend does (the tests compare them on real kernels)",
		"the node's addresses are those that the program knows, with the loopback addresses",
		"packets from elsewhere have no multicast and no loopback address as their source",
		"ICMP is that of the packet's family",
		"the files are loaded by planec, over its own older rules or over none, and sets and maps are large enough for their clients",
		"what rules of other programs do before and after is not compared",
		"a client has no bound endpoint yet",
	}
	if len(statesOf(backend)) == 1 {
		list = append(list, "each packet is the first of its connection: later ones follow tables of the kernel, which the files do not have")
	}
	if backend == "ipvs" {
		list = append(list, "no packet from elsewhere has an address of the node as its source, ClusterIPs among them")
	}
	return list
}

// CertificateOf returns the certificate of a report.
func CertificateOf(r *Report, p *ir.Program, backend string) Certificate {
	c := Certificate{
		Node: p.Node.Name, Backend: backend, Proved: len(r.Differences) == 0,
		Boxes: r.Boxes, Excluded: r.Excluded, Assumptions: Assumptions(backend), More: r.More,
	}
	c.Limits = r.Limits
	for i := range r.Differences {
		c.Differences = append(c.Differences, exampleOf(&r.Differences[i]))
	}
	return c
}

func exampleOf(d *Difference) Example {
	e := Example{Packet: packetOf(d.Packet), Set: Describe(&d.Box), Reason: d.Reason, Want: outcomeText(&d.Want), Got: outcomeText(&d.Got)}
	for _, s := range d.Want.Steps {
		step := Step{Text: s.Text}
		if s.Origin.Kind != "" {
			step.Object, step.Path = s.Origin.Object(), s.Origin.Path
		}
		e.Because = append(e.Because, step)
	}
	for _, s := range d.Got.Steps {
		e.Rules = append(e.Rules, s.Stage+": "+s.Text)
	}
	return e
}

func packetOf(p eval.Packet) Packet {
	out := Packet{
		From: p.From.String(), Interface: p.Interface, Source: p.Src.String(), Dest: p.Dst.String(), Protocol: p.Protocol.String(),
		Port: p.Port, SourcePort: p.SourcePort, Midstream: p.Midstream,
	}
	if p.State != eval.FirstPacket {
		out.State = p.State.String()
	}
	if p.Protocol.HasTypes() {
		out.Type, out.Code = &p.Type, &p.Code
	}
	return out
}
