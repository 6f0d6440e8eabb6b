package growth

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/planec/planec/internal/testing/clustergen"
)

// Sample is the cost of objects of one size.
type Sample struct {
	// Statements is the number of statements that planec executed.
	Statements float64
	// Bytes is the size of the objects and of the emitted files.
	Bytes float64
}

// Program is a planec binary with counters.
type Program struct {
	path, dir string
}

// Build builds the program in a directory, which also receives its measurements.
// It must run inside the module.
func Build(ctx context.Context, dir string) (*Program, error) {
	p := &Program{path: filepath.Join(dir, "planec"), dir: dir}
	cmd := exec.CommandContext(ctx, "go", "build", "-cover", "-covermode=count",
		"-coverpkg=github.com/planec/planec/...", "-o", p.path, "github.com/planec/planec/cmd/planec")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building planec: %w\n%s", err, out)
	}
	return p, nil
}

// Measure compiles the objects of a shape for every backend, and returns the cost.
func (p *Program) Measure(ctx context.Context, s clustergen.Shape, n int) (Sample, error) {
	return p.measure(ctx, s, n, func(input, rules string) []string {
		return []string{"compile", "-f", input, "--node", "n1", "--cluster-cidr", "10.244.0.0/16", "--backend", "all", "--out-dir", rules}
	})
}

// MeasureLint lints the objects of a shape, and returns the cost.
func (p *Program) MeasureLint(ctx context.Context, s clustergen.Shape, n int) (Sample, error) {
	return p.measure(ctx, s, n, func(input, _ string) []string {
		return []string{"lint", "--synth", "-o", "json", "-f", input}
	})
}

// measure counts the cost of a command line; args returns it for a file of objects
// and a directory for rules.
func (p *Program) measure(ctx context.Context, s clustergen.Shape, n int, args func(input, rules string) []string) (Sample, error) {
	dir, err := os.MkdirTemp(p.dir, "measure")
	if err != nil {
		return Sample{}, fmt.Errorf("a directory for measurements: %w", err)
	}
	defer os.RemoveAll(dir)
	input, counters, rules := filepath.Join(dir, "input.yaml"), filepath.Join(dir, "counters"), filepath.Join(dir, "rules")
	text, err := documents(s.Objects(n))
	if err == nil {
		err = errors.Join(os.WriteFile(input, text, 0o600), os.Mkdir(counters, 0o700))
	}
	if err != nil {
		return Sample{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	cmd := exec.CommandContext(ctx, p.path, args(input, rules)...)
	cmd.Env = append(os.Environ(), "GOCOVERDIR="+counters)
	said, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		// Some shapes are partly refused, or cause findings: exit code 1.
		return Sample{}, fmt.Errorf("%s: planec: %w\n%.2000s", s.Name, err, said)
	}
	out := Sample{Bytes: float64(len(text) + len(said))}
	if out.Statements, err = statements(ctx, counters); err != nil {
		return Sample{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	err = filepath.WalkDir(rules, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			out.Bytes += float64(info.Size())
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Sample{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	return out, nil
}

// documents writes each object as a YAML document.
func documents(objects []any) ([]byte, error) {
	var out []byte
	for _, o := range objects {
		b, err := json.Marshal(o)
		if err != nil {
			return nil, fmt.Errorf("an object: %w", err)
		}
		out = append(append(out, b...), "\n---\n"...)
	}
	return out, nil
}

// statements adds up the counters of one run.
func statements(ctx context.Context, dir string) (float64, error) {
	text := filepath.Join(dir, "text")
	if out, err := exec.CommandContext(ctx, "go", "tool", "covdata", "textfmt", "-i", dir, "-o", text).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("reading counters: %w\n%s", err, out)
	}
	profile, err := os.ReadFile(text)
	if err != nil {
		return 0, fmt.Errorf("reading counters: %w", err)
	}
	total := 0.0
	lines := bufio.NewScanner(bytes.NewReader(profile))
	for lines.Scan() {
		// file.go:1.2,3.4 statements count
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 {
			continue
		}
		in, err1 := strconv.ParseFloat(fields[1], 64)
		times, err2 := strconv.ParseFloat(fields[2], 64)
		if err := errors.Join(err1, err2, lines.Err()); err != nil {
			return 0, fmt.Errorf("a counter: %w", err)
		}
		total += in * times
	}
	return total, nil
}

// Exponent returns e such that the work grows as size to the power of e, from
// samples of one, two and four times a size; constant costs cancel out. The size
// is that of objects and rules, because some rules are necessarily larger than
// their objects: n classes of addresses with n ports each. Rules smaller than
// their objects do not reduce the size.
func Exponent(one, two, four Sample) float64 {
	work := (four.Statements - two.Statements) / (two.Statements - one.Statements)
	size := (four.Bytes - two.Bytes) / (two.Bytes - one.Bytes)
	return math.Log(work) / math.Log(max(2, size))
}
