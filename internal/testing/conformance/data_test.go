package conformance

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir"
)

// Step is one state of a cluster with its expected verdicts.
type Step struct {
	// Name is the path of the directory, relative to the data's directory.
	Name string
	Dir  string // the directory of its files
	Rows []Row  // in the table's order
}

// Row is one expected verdict.
type Row struct {
	From, To string // pods as namespace/name
	// Address is the destination address, if the table has one.
	Address  netip.Addr
	Protocol ir.Protocol // TCP, UDP or SCTP
	Port     uint16      // the destination port
	// Ingress and Egress are the verdicts of each side, if the table has them.
	Ingress, Egress *bool
	Combined        bool // whether both sides accept the connection
	// Test is the name of the assertion, if the table has one.
	Test string
}

// Load reads a directory of data: the steps of both kinds, sorted by name.
func Load(dir string) (network, cluster []Step, err error) {
	if network, err = loadNetwork(filepath.Join(dir, "networkpolicy")); err != nil {
		return nil, nil, err
	}
	cluster, err = loadCluster(filepath.Join(dir, "clusternetworkpolicy"))
	return network, cluster, err
}

func loadNetwork(dir string) ([]Step, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "expected.tsv"))
	if err != nil {
		return nil, err
	}
	var out []Step
	for _, f := range files {
		s := Step{Dir: filepath.Dir(f)}
		if s.Name, err = filepath.Rel(filepath.Dir(dir), s.Dir); err != nil {
			return nil, err
		}
		err := eachLine(f, 7, func(w []string) (err error) {
			r := Row{From: w[0], To: w[1]}
			if err := r.where(w[2], w[3]); err != nil {
				return err
			}
			ingress, egress := w[4] == "allowed", w[5] == "allowed"
			r.Ingress, r.Egress, r.Combined = &ingress, &egress, w[6] == "allowed"
			s.Rows = append(s.Rows, r)
			return nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Step) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func loadCluster(dir string) ([]Step, error) {
	table := filepath.Join(dir, "expected.tsv")
	if _, err := os.Stat(table); os.IsNotExist(err) {
		return nil, nil
	}
	steps := make(map[string]*Step)
	err := eachLine(table, 8, func(w []string) error {
		s := steps[w[0]]
		if s == nil {
			s = &Step{Name: filepath.Join(filepath.Base(dir), w[0]), Dir: filepath.Join(dir, w[0])}
			steps[w[0]] = s
		}
		r := Row{From: w[1], To: w[2], Combined: w[6] == "allowed", Test: w[7]}
		if err := r.where(w[4], w[5]); err != nil {
			return err
		}
		var err error
		r.Address, err = netip.ParseAddr(w[3])
		s.Rows = append(s.Rows, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []Step
	for _, s := range steps {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Step) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (r *Row) where(proto, port string) (err error) {
	if r.Protocol, err = ir.ParseProtocol(proto); err != nil {
		return err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	r.Port = uint16(n)
	return err
}

// eachLine calls do with the fields of every line that is not a comment.
func eachLine(name string, fields int, do func([]string) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() // f is only read
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		w := strings.Split(line, "\t")
		if len(w) != fields {
			return fmt.Errorf("%s:%d: %d fields, want %d", name, n, len(w), fields)
		}
		if err := do(w); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return lines.Err()
}

// Objects loads the manifests of the step.
func (s *Step) Objects() (objects.Set, error) {
	set, _, err := manifest.Load(context.Background(), manifest.Options{Paths: []string{filepath.Join(s.Dir, "objects.yaml")}})
	return set, err
}
