package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// test is one test of a package with its duration.
type test struct {
	name string
	took time.Duration
	// meets are the mutants that the test executes.
	meets map[int]bool
}

// run runs one test with additional environment variables. It returns an error if
// the test fails or takes longer than limit.
func (s *subject) run(name string, limit time.Duration, environment ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binary, "-test.run", "^"+regexp.QuoteMeta(name)+"$", "-test.failfast", "-test.timeout", limit.String())
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), environment...)
	// Child processes of a test end with it.
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", name, errTooLong)
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// errTooLong means that a test exceeded its time limit.
var errTooLong = errors.New("it takes too long")

// tests returns the tests, the fastest first, with the mutants that each executes.
// It names the tests that take too long and leaves them out.
func (s *subject) tests(below string, longest time.Duration) ([]*test, error) {
	cmd := exec.Command(s.binary, "-test.list", ".")
	cmd.Dir = s.Dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the tests of %s: %w", s.ImportPath, err)
	}
	var all []*test
	for name := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(name, "Benchmark") {
			continue
		}
		t := &test{name: name, meets: make(map[int]bool)}
		met := filepath.Join(below, "met-"+name)
		start := time.Now()
		err := s.run(name, longest, "PLANEC_MUTANTS_MET="+met)
		if errors.Is(err, errTooLong) {
			fmt.Printf("%s: left out: %s takes more than %v\n", s.ImportPath, name, longest)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the tests have to pass unchanged: %w", err)
		}
		t.took = time.Since(start)
		text, _ := os.ReadFile(met) // the file is missing if the test executes no mutant
		for id := range strings.FieldsSeq(string(text)) {
			if n, err := strconv.Atoi(id); err == nil {
				t.meets[n] = true
			}
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *test) int { return cmp.Compare(a.took, b.took) })
	return all, nil
}

// verdict is the result for a mutant.
type verdict struct {
	mutant
	killed bool
	// met is whether any test executes the mutant.
	met bool
}

// patience is the time limit of a test with a mutant.
func patience(took time.Duration) time.Duration { return 4*took + 5*time.Second }

// try runs the tests that execute a mutant until one fails.
func (s *subject) try(m mutant, tests []*test) verdict {
	v := verdict{mutant: m}
	for _, t := range tests {
		if !t.meets[m.id] {
			continue
		}
		v.met = true
		if s.run(t.name, patience(t.took), "PLANEC_MUTANT="+strconv.Itoa(m.id)) != nil {
			v.killed = true
			return v
		}
	}
	return v
}

// all tries every mutant, several in parallel.
func (s *subject) all(tests []*test, workers int) []verdict {
	out := make([]verdict, len(s.mutants))
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				out[i] = s.try(s.mutants[i], tests)
			}
		})
	}
	for i := range s.mutants {
		next <- i
	}
	close(next)
	wg.Wait()
	return out
}
