package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

func main() {
	workers := flag.Int("workers", 2, "how many tests run at a time")
	least := flag.Float64("at-least", 90, "percentage of a package's mutants that has to be killed")
	longest := flag.Duration("longest", 10*time.Second, "leave tests out that take longer, unchanged; what they alone notice then counts as not noticed")
	only := flag.String("file", "", "only the mutants of this file")
	flag.Parse()
	good := true
	for _, pattern := range flag.Args() {
		share, err := report(pattern, *only, *workers, *longest)
		if err != nil {
			fmt.Fprintln(os.Stderr, "mutants:", err)
			os.Exit(1)
		}
		good = good && share >= *least
	}
	if !good {
		os.Exit(1)
	}
}

// report tries the mutants of a package, prints those that survive, and returns
// the percentage that was killed.
func report(pattern, only string, workers int, longest time.Duration) (float64, error) {
	p, err := list(pattern)
	if err != nil {
		return 0, err
	}
	below, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(below)
	s, err := build(p, below)
	if err != nil {
		return 0, err
	}
	if only != "" {
		s.mutants = slices.DeleteFunc(s.mutants, func(m mutant) bool { return m.file != only })
	}
	tests, err := s.tests(below, longest)
	if err != nil {
		return 0, err
	}
	killed := 0
	for _, v := range s.all(tests, workers) {
		if v.killed {
			killed++
			continue
		}
		why := "every test passes"
		if !v.met {
			why = "no test comes by"
		}
		fmt.Printf("%s/%s:%d: %s: %s\n", p.ImportPath, v.file, v.line, why, v.what)
	}
	share := 100 * float64(killed) / float64(max(1, len(s.mutants)))
	fmt.Printf("%s: %d of %d mutants killed, %.1f %%\n", p.ImportPath, killed, len(s.mutants), share)
	return share, nil
}
