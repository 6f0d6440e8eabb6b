package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/clustergen"
)

// bench is the context of all figures.
type bench struct {
	runs        int
	tmp, binary string
}

// figure is one row of the table.
type figure struct {
	name    string
	measure func(*bench, int) (string, error)
}

func figures() []figure {
	return append([]figure{
		{"objects in memory → nftables text, CPU s", cpuOf("compile-emit")},
		{"load a JSON dump, CPU s", cpuOf("load-json")},
		{"load a JSON dump, MB/s", speedOf("load-json", "json")},
		{"the bare encoding/json decoder on it, MB/s", speedOf("bare-json", "json")},
		{"load a YAML dump, MB/s", speedOf("load-yaml", "yaml")},
		{"`planec compile` of the JSON dump, CPU s", compileCPU},
		{"`planec compile` of the JSON dump, peak MB", compilePeak},
		{"rules.nft without comments, MB", rulesSize},
		{"`nft -f` of it, CPU s", nftCPU("rules")},
		{"`nft -f` of it, peak MB", nftPeak},
		{"`nft -f` with comments, CPU s", nftCPU("commented")},
		{"program in memory → iptables files, CPU s", cpuOf("emit-iptables")},
		{"program in memory → IPVS files, CPU s", cpuOf("emit-ipvs")},
		{"program in memory → eBPF image and its text, CPU s", cpuOf("emit-ebpf")},
		{"one endpoint replaced: lines that change", changed},
	}, applyFigures()...)
}

// prepare writes the input files of one size.
func prepare(dir string, n int) error {
	err := errors.Join(
		writeTo(dump(dir, n, "json"), func(w io.Writer) error { return clustergen.JSON(w, size(n)) }),
		writeTo(dump(dir, n, "yaml"), func(w io.Writer) error { return clustergen.YAML(w, size(n)) }),
	)
	if err != nil {
		return err
	}
	set := clustergen.Objects(size(n))
	program := programOf(&set)
	for name, plain := range map[string]bool{"rules": true, "commented": false} {
		a, err := nftables.New(backends.Options{MasqueradeBit: backends.DefaultMasqueradeBit, NoComments: plain}).Emit(program)
		if err != nil {
			return err
		}
		if err := os.WriteFile(rules(dir, name, n), a.Files[0].Data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func rules(dir, name string, n int) string {
	return filepath.Join(dir, fmt.Sprintf("%s-%d.nft", name, n))
}

func writeTo(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// self runs a step in a separate process and returns its output.
func (b *bench) self(step string, n int) ([]byte, error) {
	text, _, err := b.output(func(self string, args []string) *exec.Cmd { return exec.Command(self, args...) }, step, n)
	return text, err
}

// output runs a step with a command of this program.
func (b *bench) output(command func(self string, args []string) *exec.Cmd, step string, n int) ([]byte, *os.ProcessState, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	cmd := command(self, []string{"-step", step, "-services", fmt.Sprint(n), "-dir", b.tmp})
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	return text, cmd.ProcessState, err
}

// apart runs a step once, in a separate process and network namespace.
func (b *bench) apart(step string, n int) (usage, sample, error) {
	var s sample
	text, process, err := b.output(apart, step, n)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return usage{}, s, err
	}
	return processUsage(process), s, nil
}

// step runs a step several times.
func (b *bench) step(name string, n int) ([]sample, error) {
	var out []sample
	for range b.runs {
		text, err := b.self(name, n)
		if err != nil {
			return nil, err
		}
		var s sample
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func cpuOf(step string) func(*bench, int) (string, error) {
	return func(b *bench, n int) (string, error) {
		s, err := b.step(step, n)
		return fmt.Sprintf("%.3f", median(s, func(s sample) float64 { return s.CPU })), err
	}
}

func speedOf(step, format string) func(*bench, int) (string, error) {
	return func(b *bench, n int) (string, error) {
		info, err := os.Stat(dump(b.tmp, n, format))
		if err != nil {
			return "", err
		}
		s, err := b.step(step, n)
		return fmt.Sprintf("%.0f", float64(info.Size())/1e6/median(s, func(s sample) float64 { return s.Wall })), err
	}
}

func median[T any](list []T, value func(T) float64) float64 {
	if len(list) == 0 {
		return 0
	}
	values := make([]float64, len(list))
	for i, v := range list {
		values[i] = value(v)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// usage is the system's account of a finished process.
type usage struct{ cpu, peakMB float64 }

func (b *bench) compile(n int) ([]usage, error) {
	return b.processes(func() *exec.Cmd {
		return exec.Command(b.binary, "compile", "-f", dump(b.tmp, n, "json"), "--node", "node-000", "--backend", "nftables")
	})
}

// processes runs a command several times.
func (b *bench) processes(command func() *exec.Cmd) ([]usage, error) {
	var out []usage
	for range b.runs {
		cmd := command()
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%v: %w\n%s", cmd.Args, err, stderr.String())
		}
		out = append(out, processUsage(cmd.ProcessState))
	}
	return out, nil
}

func compileCPU(b *bench, n int) (string, error) {
	u, err := b.compile(n)
	return fmt.Sprintf("%.2f", median(u, func(u usage) float64 { return u.cpu })), err
}

func compilePeak(b *bench, n int) (string, error) {
	u, err := b.compile(n)
	return fmt.Sprintf("%.0f", median(u, func(u usage) float64 { return u.peakMB })), err
}

func rulesSize(b *bench, n int) (string, error) {
	info, err := os.Stat(rules(b.tmp, "rules", n))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.1f", float64(info.Size())/1e6), nil
}

func nftCPU(which string) func(*bench, int) (string, error) {
	return func(b *bench, n int) (string, error) {
		if !canLoad() {
			return "needs root and nft", nil
		}
		u, err := b.processes(func() *exec.Cmd { return loadCommand(rules(b.tmp, which, n)) })
		return fmt.Sprintf("%.2f", median(u, func(u usage) float64 { return u.cpu })), err
	}
}

func nftPeak(b *bench, n int) (string, error) {
	if !canLoad() {
		return "needs root and nft", nil
	}
	u, err := b.processes(func() *exec.Cmd { return loadCommand(rules(b.tmp, "rules", n)) })
	return fmt.Sprintf("%.0f", median(u, func(u usage) float64 { return u.peakMB })), err
}

func changed(b *bench, n int) (string, error) {
	text, err := b.self("changed", n)
	line, _, _ := strings.Cut(string(text), "\n")
	return line, err
}

// changedLines replaces one endpoint and counts the added and removed lines of
// rules.nft.
func changedLines(n int) error {
	before, err := ruleLines(n, func(*objects.Set) {})
	if err != nil {
		return err
	}
	after, err := ruleLines(n, func(s *objects.Set) { s.EndpointSlices[n/2].Object.Endpoints[2].Addresses = []string{"10.127.0.1"} })
	if err != nil {
		return err
	}
	count := 0
	for l, k := range before {
		count += max(0, k-after[l])
	}
	for l, k := range after {
		count += max(0, k-before[l])
	}
	inform("%d", count)
	return nil
}

// ruleLines counts each line of the rules of a cluster after a change.
func ruleLines(n int, change func(*objects.Set)) (map[string]int, error) {
	set := clustergen.Objects(size(n))
	change(&set)
	program := programOf(&set)
	a, err := nftables.New(backends.DefaultOptions()).Emit(program)
	if err != nil {
		return nil, err
	}
	out := make(map[string]int)
	for l := range strings.Lines(string(a.Files[0].Data)) {
		out[strings.TrimSuffix(strings.TrimSpace(l), ",")]++
	}
	return out, nil
}
