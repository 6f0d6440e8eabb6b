package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/internal/testing/clustergen"
)

func main() {
	runs := flag.Int("runs", 5, "runs of each figure")
	step := flag.String("step", "", "internal: run one step in this process")
	services := flag.Int("services", 10000, "internal: Services of the step")
	dir := flag.String("dir", "", "internal: where the step finds its files")
	flag.Parse()
	var err error
	if *step != "" {
		err = runStep(*step, *dir, *services)
	} else {
		err = table(*runs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// table prints a row for each size.
func table(runs int) error {
	tmp, err := os.MkdirTemp("", "planec-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) // only temporary files
	binary := filepath.Join(tmp, "planec")
	if out, err := exec.Command("go", "build", "-o", binary, "./cmd/planec").CombinedOutput(); err != nil {
		return fmt.Errorf("building planec: %w\n%s", err, out)
	}
	fmt.Printf("%s/%s, %d CPUs, %s, median of %d runs, CPU seconds of whole processes\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), runs)
	b := bench{runs: runs, tmp: tmp, binary: binary}
	fmt.Println("| figure | 1,000 × 5 | 10,000 × 5 | 30,000 × 5 | exponent |")
	fmt.Println("|---|---|---|---|---|")
	sizes := []int{1000, 10000, 30000}
	// Use separate processes: a child's peak memory starts at its parent's size, so
	// this process must stay small.
	for _, n := range sizes {
		if _, err := b.self("prepare", n); err != nil {
			return err
		}
	}
	for _, f := range figures() {
		fmt.Printf("| %s |", f.name)
		var values []float64
		for _, n := range sizes {
			v, err := f.measure(&b, n)
			if err != nil {
				return fmt.Errorf("%s, %d Services: %w", f.name, n, err)
			}
			fmt.Printf(" %s |", v)
			if number, err := strconv.ParseFloat(strings.Fields(v + " -")[0], 64); err == nil {
				values = append(values, number)
			}
		}
		fmt.Printf(" %s |\n", exponent(sizes, values))
	}
	if err := b.policies(); err != nil {
		return err
	}
	return b.grow()
}

// policies prints the figures of the cluster with policies.
func (b *bench) policies() error {
	l := clustergen.LargePolicies
	fmt.Printf("\n| %d pods, %d of them on the node, %d policies, %d namespaces | |\n|---|---|\n", l.Pods, l.Pods/l.Nodes, l.Policies, l.Namespaces)
	for _, f := range []struct{ name, step string }{
		{"objects in memory → nftables text, CPU s", "policies"},
		{"the same with policies of all dialects, CPU s", "dialects"},
		{"a JSON dump → nftables text, CPU s", "policies-json"},
	} {
		v, err := cpuOf(f.step)(b, 0)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %s |\n", f.name, v)
	}
	return nil
}

// exponent fits values = c · size^k by least squares of their logarithms and returns k, or
// "-" if there are not values above 0 for all sizes.
func exponent(sizes []int, values []float64) string {
	if len(values) != len(sizes) || slices.Min(values) <= 0 {
		return "-"
	}
	var x, y, xx, xy float64
	for i, v := range values {
		a, b := math.Log(float64(sizes[i])), math.Log(v)
		x, y, xx, xy = x+a, y+b, xx+a*a, xy+a*b
	}
	n := float64(len(values))
	return fmt.Sprintf("%.2f", (n*xy-x*y)/(n*xx-x*x))
}
