package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/interp"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

// traceCommand is `planec trace`.
type traceCommand struct {
	streams        *Streams
	input          input
	from, to, port string
	format         string
	// backend is whose rules answer; "" is the evaluator.
	backend string
}

func newTrace(s *Streams) *cobra.Command {
	t := &traceCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "trace -f PATH... --from SRC --to DST --port N[/PROTOCOL]",
		Short: "Say what happens to a connection on a node, and why",
		Long: `trace follows the first packet of a connection through the rules of one node.

SRC is namespace/pod, node/NAME or an IP address; DST may be svc/namespace/name
too. The node is the one that SRC is on, unless --node names another.`,
		Example: `  # A pod to a Service
  planec trace -f manifests/ --from shop/web-0 --to svc/shop/cart --port 80

  # A client outside to a nodePort
  planec trace -f manifests/ --from 203.0.113.7 --to node/node-a --port 30080

  # What the emitted nftables rules do, rule by rule
  planec trace -f manifests/ --from shop/web-0 --to svc/shop/cart --port 80 --backend nftables

  # For machines
  planec trace -f manifests/ --from 203.0.113.7 --to 198.51.100.10 --port 443 --node node-a -o json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return t.run() },
	}
	flags := cmd.Flags()
	t.input.register(flags)
	flags.StringVar(&t.from, "from", "", "where the connection comes from: namespace/pod, node/NAME or an address")
	flags.StringVar(&t.to, "to", "", "where it goes: namespace/pod, node/NAME, svc/namespace/name or an address")
	flags.StringVar(&t.port, "port", "", "destination port, as 80, 53/udp or the name of a Service port")
	flags.StringVar(&t.backend, "backend", "", "ask the rules that this backend emits, by interpreting them, instead of the evaluator")
	flags.StringVarP(&t.format, "output", "o", "text", "form: text or json")
	return cmd
}

func (t *traceCommand) run() error {
	if t.from == "" || t.to == "" || t.port == "" {
		return inputError(fmt.Errorf("--from, --to and --port are all needed"))
	}
	if t.format != "text" && t.format != "json" {
		return inputError(fmt.Errorf("-o %q: want text or json", t.format))
	}
	l, err := t.input.load(t.streams)
	if err != nil {
		return err
	}
	q, err := l.resolve(t.from, t.to, t.port)
	if err != nil {
		return inputError(err)
	}
	program, diags := l.cluster.Program(q.node)
	if err := l.report(append(l.diagnostics(), diags...)); err != nil {
		return err
	}
	packet := q.packet(program)
	result, err := t.evaluate(l, program, packet)
	if err != nil {
		return err
	}
	if t.format == "json" {
		err = writeTraceJSON(t.streams.Out, q.node, result)
	} else {
		err = writeTraceText(t.streams.Out, q.node, packet, result)
	}
	if err != nil {
		return systemError(fmt.Errorf("writing to stdout: %w", err))
	}
	return nil
}

// evaluate asks the evaluator, or what a backend emitted.
func (t *traceCommand) evaluate(l *loaded, p *ir.Program, packet eval.Packet) (eval.Result, error) {
	if t.backend == "" {
		return eval.New(p).Eval(packet), nil
	}
	selected, err := registry.Select(l.options(), t.backend)
	if err != nil || len(selected) != 1 {
		return eval.Result{}, inputError(fmt.Errorf("--backend %q: want one of %v", t.backend, registry.Names()))
	}
	artifact, err := selected[0].Emit(p)
	if err != nil {
		return eval.Result{}, systemError(fmt.Errorf("backend %s, node %s: %w", t.backend, p.Node.Name, err))
	}
	i, err := interp.New(t.backend, artifact, p.Node.Addresses, true)
	if err != nil {
		return eval.Result{}, systemError(err)
	}
	r, err := i.Eval(packet)
	if err != nil {
		return r, systemError(fmt.Errorf("interpreting the rules of %s: %w", t.backend, err))
	}
	return r, nil
}

// traceJSON is the contract of `trace -o json`.
type traceJSON struct {
	Verdict string `json:"verdict"`
	// Endpoints are all that the packet may get, sorted; empty unless the
	// verdict is dnat.
	Endpoints []string `json:"endpoints"`
	// Masquerade is whether the source becomes the node's address, whichever
	// endpoint it is.
	Masquerade bool `json:"masquerade"`
	// Hairpin are the endpoints that would talk to themselves, whose packets
	// get the node's address in any case.
	Hairpin []string `json:"hairpin,omitempty"`
	// Affinity is for how many seconds the client keeps its endpoint.
	Affinity uint32      `json:"affinitySeconds,omitempty"`
	Node     string      `json:"node"`
	Steps    []traceStep `json:"steps"`
}

type traceStep struct {
	Stage  string    `json:"stage"`
	Text   string    `json:"text"`
	Origin ir.Origin `json:"origin"`
}

func newTraceJSON(node string, r eval.Result) traceJSON {
	out := traceJSON{
		Verdict: r.Verdict.String(), Endpoints: []string{}, Masquerade: r.Masquerade,
		Affinity: r.Affinity, Node: node, Steps: []traceStep{},
	}
	for _, a := range r.Addresses() {
		out.Endpoints = append(out.Endpoints, a.String())
	}
	for _, c := range r.Endpoints {
		if c.Hairpin {
			out.Hairpin = append(out.Hairpin, c.Address.String())
		}
	}
	slices.Sort(out.Endpoints)
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, traceStep(s))
	}
	return out
}

func writeTraceJSON(w io.Writer, node string, r eval.Result) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(newTraceJSON(node, r))
}

func writeTraceText(w io.Writer, node string, p eval.Packet, r eval.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%v, on %s\n", p, node)
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "  %-13s %s\n", s.Stage, s.Text)
		if where := originLine(s.Origin); where != "" {
			fmt.Fprintf(&b, "  %-13s   %s\n", "", where)
		}
	}
	fmt.Fprintf(&b, "%v", r.Verdict)
	if r.Verdict == eval.DNAT {
		fmt.Fprintf(&b, " to %s", joinAddrs(r.Addresses()))
	}
	if r.Masquerade {
		b.WriteString(", masqueraded")
	}
	b.WriteString("\n")
	lines := strings.Split(b.String(), "\n")
	for i, l := range lines {
		lines[i] = diag.Printable(l)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n"))
	return err
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

// joinAddrs writes addresses for people; the first few of very many.
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
