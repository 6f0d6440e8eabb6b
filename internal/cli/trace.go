package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planec/planec/compiler/dns"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

// traceCommand is `planec trace`.
type traceCommand struct {
	streams        *Streams
	input          input
	from, to, port string
	// first is the node that a connection from outside reaches first, or "".
	first  string
	format string
	// backend is the backend whose rules answer; "" is the evaluator.
	backend string
	// live asks this node's kernel, by what is pinned in pins.
	live bool
	pins string
	// dialects adds what the policies of each dialect decide alone, and what engines
	// make of them.
	dialects bool
}

func newTrace(s *Streams) *cobra.Command {
	t := &traceCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "trace -f PATH... --from SRC --to DST --port N[/PROTOCOL]",
		Short: "Say what happens to a connection, and why",
		Long: `trace follows the first packet of a connection through the cluster: the egress
policies of a pod, load balancing on its node, and the ingress policies on the
node that the packet comes to. With --node it says what that node alone does.

SRC is namespace/pod, node/NAME or an IP address; DST may be svc/namespace/name or
a DNS name too, as cart.shop or cart.shop.svc.cluster.local.`,
		Example: `  # A pod to a Service
  planec trace -f manifests/ --from shop/web-0 --to svc/shop/cart --port 80

  # Why can this pod not reach that one?
  planec trace -f manifests/ --from shop/web-0 --to shop/db-0 --port 5432

  # A client outside to a nodePort
  planec trace -f manifests/ --from 203.0.113.7 --to node/node-a --port 30080

  # What the emitted nftables rules do, rule by rule
  planec trace -f manifests/ --from shop/web-0 --to svc/shop/cart --port 80 --backend nftables

  # What the eBPF programs of this node do
  planec trace -f manifests/ --from shop/web-0 --to svc/shop/cart --port 80 --node node-a --backend ebpf --live

  # What the policies of Kubernetes, Calico and Cilium each say, and where the engines differ
  planec trace -f manifests/ --from shop/web-0 --to shop/db-0 --port 5432 --dialects

  # For machines
  planec trace -f manifests/ --from 203.0.113.7 --to 198.51.100.10 --port 443 --node node-a -o json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return t.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	t.input.register(flags)
	t.input.registerClusters(flags, "PATH")
	flags.StringVar(&t.from, "from", "", "where the connection comes from: namespace/pod, node/NAME or an address")
	flags.StringVar(&t.to, "to", "", "where it goes: namespace/pod, node/NAME, svc/namespace/name, a DNS name of the cluster or an address")
	flags.StringVar(&t.input.zone, "zone", dns.DefaultZone, "domain of the cluster, for DNS names")
	flags.StringVar(&t.first, "first-node", "", "the node that a connection from outside reaches first; unlike --node, trace follows it to the other nodes")
	flags.StringVar(&t.port, "port", "", "destination port, as 80, 53/udp or the name of a Service port; or icmp")
	backendFlag(flags, &t.backend, "ask the rules that this backend emits, by interpreting them, instead of the evaluator")
	flags.BoolVar(&t.live, "live", false, "with --backend ebpf on a node: ask the maps and programs in its kernel about the packets of --node")
	flags.StringVar(&t.pins, "pins", defaultPins, "with --live: the directory of a BPF file system where the maps are pinned")
	flags.BoolVar(&t.dialects, "dialects", false, "say too what the policies of Kubernetes, Calico and Cilium decide each alone, and what Calico and Cilium, which read policies of Kubernetes in their own way, would do; as text or JSON")
	formatFlag(flags, &t.format, "text", "json", "mermaid", "dot", "html")
	return cmd
}

func (t *traceCommand) run(ctx context.Context) error {
	if t.from == "" || t.to == "" || t.port == "" {
		return inputError(fmt.Errorf("--from, --to and --port are all needed"))
	}
	write := traceWriters[t.format]
	if t.dialects && t.format != "text" && t.format != "json" {
		return inputError(fmt.Errorf("--dialects prints text or JSON, not %s", t.format))
	}
	l, err := t.input.load(t.streams)
	if err != nil {
		return err
	}
	judge, err := t.judge(ctx, l)
	if err != nil {
		return err
	}
	l.network = netpath.New(&l.objects, l.cluster, judge)
	if t.first != "" {
		if err := l.hasNode(t.first); err != nil {
			return inputError(err)
		}
		l.nodeName = t.first
	}
	c, err := l.resolve(t.from, t.to, t.port)
	if err != nil {
		return inputError(err)
	}
	outcome, err := l.network.Trace(c)
	if err != nil {
		return systemError(err)
	}
	if err := l.report(append(l.diagnostics(), l.nodeDiagnostics(outcome.Hops)...)); err != nil {
		return err
	}
	note, err := t.familyNote(l, c, outcome)
	if err != nil {
		return systemError(err)
	}
	for _, n := range append(l.named, note, l.unasked(outcome)) {
		if n == "" {
			continue
		}
		if _, err := fmt.Fprintf(t.streams.Err, "note: %s\n", n); err != nil {
			return systemError(err)
		}
	}
	l.locate(outcome.Hops)
	if t.dialects {
		if write, err = t.withDialects(l, c); err != nil {
			return systemError(err)
		}
	}
	return written(t.streams.forPeople(t.format, func(w io.Writer) error { return write(w, outcome) }))
}

// judge is what says what nodes do with packets.
func (t *traceCommand) judge(ctx context.Context, l *loaded) (func(*ir.Program) (netpath.Judge, error), error) {
	if !t.live {
		return l.judgeOf(t.backend, true)
	}
	node, err := l.node()
	if err != nil {
		return nil, err
	}
	return liveJudges(ctx, t.backend, node, t.pins)
}

var traceWriters = map[string]func(io.Writer, netpath.Outcome) error{
	"text": writeTraceText, "json": writeTraceJSON, "mermaid": writeTraceMermaid, "dot": writeTraceDot, "html": writeTraceHTML,
}

// nodeDiagnostics returns the diagnostics of the nodes on the path.
func (l *loaded) nodeDiagnostics(hops []netpath.Hop) diag.List {
	var out diag.List
	seen := make(map[string]bool)
	for _, h := range hops {
		if h.Node != "" && !seen[h.Node] {
			seen[h.Node] = true
			_, diags := l.cluster.Program(h.Node)
			out = append(out, diags...)
		}
	}
	return out
}

// locate adds the line of the field to every step for which only the line of
// the object is known.
func (l *loaded) locate(hops []netpath.Hop) {
	var locator manifest.Locator
	defer locator.Close()
	for _, h := range hops {
		for i := range h.Result.Steps {
			h.Result.Steps[i].Origin = locator.Locate(h.Result.Steps[i].Origin)
		}
	}
}

// traceJSON is the stable format of `trace -o json`.
type traceJSON struct {
	Verdict string `json:"verdict"`
	// Endpoints are the possible endpoints, sorted; empty unless the verdict is
	// dnat.
	Endpoints []string `json:"endpoints"`
	// Denied are possible endpoints that a policy denies; if there are no
	// others, the verdict is drop or reject.
	Denied []string `json:"denied,omitempty"`
	// Masquerade reports that the source becomes the node's address with every
	// endpoint.
	Masquerade bool `json:"masquerade"`
	// Hairpin are the endpoints that would connect to themselves, whose packets
	// always get the node's address.
	Hairpin []string `json:"hairpin,omitempty"`
	// Affinity is the number of seconds for which the client keeps its endpoint.
	Affinity uint32 `json:"affinitySeconds,omitempty"`
	// Node is the first node of the packet.
	Node  string      `json:"node"`
	Steps []traceStep `json:"steps"`
	// Dialects is there with --dialects.
	Dialects *dialectsJSON `json:"dialects,omitempty"`
}

type traceStep struct {
	Node   string    `json:"node"`
	Stage  string    `json:"stage"`
	Text   string    `json:"text"`
	Origin ir.Origin `json:"origin"`
}

func newTraceJSON(o netpath.Outcome) traceJSON {
	out := traceJSON{
		Verdict: o.Verdict.String(), Endpoints: addressList(o.Endpoints), Denied: addressList(o.Denied), Masquerade: o.Masquerade,
		Affinity: o.Affinity, Node: o.Hops[0].Node, Steps: []traceStep{},
	}
	for _, c := range o.Endpoints {
		if c.Hairpin {
			out.Hairpin = append(out.Hairpin, c.Address.String())
		}
	}
	for _, h := range o.Hops {
		for _, s := range h.Result.Steps {
			out.Steps = append(out.Steps, traceStep{h.Node, s.Stage, s.Text, s.Origin})
		}
	}
	return out
}

// addressList formats addresses for programs, sorted as text.
func addressList(choices []eval.Choice) []string {
	out := make([]string, len(choices))
	for i, c := range choices {
		out[i] = c.Address.String()
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func writeTraceJSON(w io.Writer, o netpath.Outcome) error {
	return encodeTrace(w, newTraceJSON(o))
}

func encodeTrace(w io.Writer, out traceJSON) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func writeTraceText(w io.Writer, o netpath.Outcome) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n", o.Question(), answer(o))
	for _, h := range o.Hops {
		node := h.Node
		if node == "" {
			node = "whichever node the pod will be on"
		}
		fmt.Fprintf(&b, "%s, on %s\n", o.Packet(h), node)
		for _, s := range h.Result.Steps {
			fmt.Fprintf(&b, "  %-13s %s\n", s.Stage, o.Step(h, s))
			if where := originLine(s.Origin); where != "" {
				fmt.Fprintf(&b, "  %-13s   %s\n", "", where)
			}
		}
	}
	fmt.Fprintf(&b, "%v", o.Verdict)
	if o.Verdict == eval.DNAT {
		fmt.Fprintf(&b, " to %s", joinAddrs(o.Addresses()))
	}
	if o.Masquerade {
		b.WriteString(", masqueraded")
	}
	if len(o.Denied) > 0 && o.Verdict == eval.DNAT {
		fmt.Fprintf(&b, "; but a policy keeps it from %s", joinAddrs(eval.Result{Endpoints: o.Denied}.Addresses()))
	}
	b.WriteString("\n")
	lines := strings.Split(b.String(), "\n")
	for i, l := range lines {
		lines[i] = diag.Printable(l)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n"))
	return err
}

// answer is the sentence, with the word that a reader looks for first.
func answer(o netpath.Outcome) string {
	switch {
	case o.Reaches():
		return "Yes: " + o.Sentence()
	case o.Verdict == eval.DNAT:
		return "Not always: " + o.Sentence()
	}
	return "No: " + o.Sentence()
}

func originLine(o ir.Origin) string {
	parts := []string{}
	if name := o.Object(); name != "" {
		parts = append(parts, name)
	}
	if o.Path != "" {
		parts = append(parts, o.Path)
	}
	if pos := o.Position(); pos != "" {
		parts = append(parts, "("+pos+")")
	}
	return strings.Join(parts, " ")
}

// joinAddrs formats the first few addresses for people.
func joinAddrs(addrs []netip.AddrPort) string {
	const most = 20
	var b strings.Builder
	for i, a := range addrs {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(addrs)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(a.String())
	}
	return b.String()
}

// defaultPins is live.DefaultDir, which other systems than Linux lack.
const defaultPins = "/sys/fs/bpf/planec"
