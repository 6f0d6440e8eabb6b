package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/review/netpath"
)

// matrixCommand is `planec matrix`.
type matrixCommand struct {
	streams *Streams
	input   input
	ports   []string
	backend string
	format  string
	list    listing
}

func newMatrix(s *Streams) *cobra.Command {
	m := &matrixCommand{streams: s}
	cmd := &cobra.Command{
		Use:     "matrix -f PATH... [--port N[/PROTOCOL]...]",
		Aliases: []string{"list"},
		Short:   "Say who can reach whom",
		Long: `matrix lists who can reach whom: for each workload or network outside everything that
policies let through to it, on all protocols and ports. Replicas that policies treat
alike are one workload. What an Ingress, a route of a Gateway or an OpenShift Route of
the input leads to a Service is named as an entry point.

With --port it asks for every pair of pods and each of the ports whether a connection
from one to the other's address arrives, and draws a table. A pod to itself is left
out, since its packets do not leave it. Of pods with two families the source's primary
one is asked about.`,
		Example: `  # Who can reach whom, and which rule lets them
  planec matrix -f manifests/ --explain

  # Everything around one workload, as a picture
  planec matrix -f manifests/ --focus shop/web -o svg > web.svg

  # Why can web not reach the database?
  planec matrix -f manifests/ --explain --from shop/web --to shop/db

  # What is open that need not be
  planec matrix -f manifests/ --exposure

  # A table of one port
  planec matrix -f manifests/ --port 80

  # For other programs, several ports, what nftables rules would do
  planec matrix -f manifests/ --port 80/tcp --port 53/udp --backend nftables -o tsv`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return m.run() },
	}
	flags := cmd.Flags()
	m.input.register(flags)
	m.input.registerClusters(flags, "PATH")
	flags.StringSliceVar(&m.ports, "port", nil, "ask about this destination port only, pod by pod: as 80 or 53/udp; may be repeated")
	backendFlag(flags, &m.backend, "with --port: ask the rules that this backend emits, by interpreting them, instead of the evaluator")
	m.list.register(flags)
	formatFlag(flags, &m.format, "text", "tsv", "csv", "json", "md", "dot", "svg", "html")
	return cmd
}

func (m *matrixCommand) run() error {
	if len(m.ports) == 0 {
		return m.runList()
	}
	if word := m.list.given(); word != "" {
		return inputError(fmt.Errorf("%s is for the list of all ports: leave out --port", word))
	}
	writer := matrixWriters[m.format]
	if writer == nil {
		return inputError(fmt.Errorf("-o %s is for the list of all ports: leave out --port", m.format))
	}
	ports, err := parseMatrixPorts(m.ports)
	if err != nil {
		return inputError(err)
	}
	l, err := m.input.load(m.streams)
	if err != nil {
		return err
	}
	judge, err := l.judgeOf(m.backend, false)
	if err != nil {
		return err
	}
	if err := l.report(l.diagnostics()); err != nil {
		return err
	}
	pods, ask := netpath.Pods(&l.objects), netpath.New(&l.objects, l.cluster, judge).Matrix
	if len(l.set) > 0 {
		if l.set[0].Name == "" {
			return inputError(errors.New("--cluster needs --cluster-name: the name of the own cluster is a part of the names of its pods"))
		}
		networks, all := l.networks(judge)
		pods, ask = all, func(pods []netpath.Pod, ports []netpath.Port, yield func(from, to *netpath.Pod, port netpath.Port, allowed bool)) error {
			return netpath.MatrixOfClusters(networks, pods, ports, yield)
		}
	}
	return m.streams.forPeople(m.format, func(to io.Writer) error { return m.table(to, writer, ask, pods, ports, l) })
}

// asked calls a function for each pair of pods and each port.
type asked = func(pods []netpath.Pod, ports []netpath.Port, yield func(from, to *netpath.Pod, port netpath.Port, allowed bool)) error

// table writes who reaches whom on each of the ports.
func (m *matrixCommand) table(to io.Writer, writer newMatrixWriter, ask asked, pods []netpath.Pod, ports []netpath.Port, l *loaded) error {
	out := bufio.NewWriter(to)
	w := writer(out, pods, ports)
	switch g := w.(type) {
	case *gridMatrix:
		g.note, g.width = idleNote(l.cluster), m.streams.Width
	case *htmlMatrix:
		g.note = idleNote(l.cluster)
	}
	if err := ask(pods, ports, m.counted(w, len(pods), len(ports))); err != nil {
		return systemError(err)
	}
	m.streams.progress.end()
	return written(errors.Join(w.end(), out.Flush()))
}

// counted is add of a writer that says for how many sources it was called.
func (m *matrixCommand) counted(w matrixWriter, pods, ports int) func(from, to *netpath.Pod, port netpath.Port, allowed bool) {
	calls, done := 0, m.streams.progress.count("asking about pod %s of %s", pods)
	return func(from, to *netpath.Pod, port netpath.Port, allowed bool) {
		if calls%(max(pods-1, 1)*ports) == 0 {
			done()
		}
		calls++
		w.add(from, to, port, allowed)
	}
}

// runList is `planec matrix` without --port.
func (m *matrixCommand) runList() error {
	switch {
	case m.backend != "":
		return inputError(errors.New("--backend needs --port"))
	case len(m.input.clusters) > 0:
		return inputError(errors.New("--cluster needs --port: the list of all ports is of one cluster"))
	case listWriters[m.format] == nil:
		return inputError(errors.New("-o " + m.format + " needs --port; the list of all ports has csv"))
	}
	m.input.entries = true
	l, err := m.input.load(m.streams)
	if err != nil {
		return err
	}
	if err := l.report(l.diagnostics()); err != nil {
		return err
	}
	return m.streams.forPeople(m.format, func(to io.Writer) error { return m.list.write(to, m.streams.Err, l, m.format) })
}
