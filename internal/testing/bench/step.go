package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/ir"
)

// sample is the result that a step prints.
type sample struct {
	// CPU and Wall are in seconds, without the preparation.
	CPU, Wall float64
}

// inform prints a line of the step before its sample.
func inform(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// runStep runs a step in this process. It measures inside the process, so that the
// preparation of the input does not count.
func runStep(name, dir string, services int) error {
	steps := map[string]func(string, int) (func() error, error){
		"prepare":       func(dir string, n int) (func() error, error) { return func() error { return prepare(dir, n) }, nil },
		"changed":       func(_ string, n int) (func() error, error) { return func() error { return changedLines(n) }, nil },
		"compile-emit":  stepCompileEmit,
		"emit-iptables": emitter("iptables"),
		"emit-ipvs":     emitter("ipvs"),
		"emit-ebpf":     emitter("ebpf"),
		"load-json":     func(dir string, n int) (func() error, error) { return stepLoad(dir, n, "json") },
		"load-yaml":     func(dir string, n int) (func() error, error) { return stepLoad(dir, n, "yaml") },
		"bare-json":     stepBareJSON,
		"policies":      stepPolicies,
		"policies-json": stepPoliciesJSON,
		"dialects":      stepDialects,
	}
	maps.Copy(steps, applySteps())
	prepare, ok := steps[name]
	if !ok {
		return fmt.Errorf("no step %q", name)
	}
	run, err := prepare(dir, services)
	if err != nil {
		return err
	}
	cpu, wall := processCPU(), time.Now()
	if err := run(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(sample{CPU: processCPU() - cpu, Wall: time.Since(wall).Seconds()})
}

func size(n int) clustergen.Size { return clustergen.Size{Services: n, Endpoints: 5} }

// stepCompileEmit measures from objects in memory to nftables text.
func stepCompileEmit(_ string, n int) (func() error, error) {
	set := clustergen.Objects(size(n))
	return func() error { return emitNFTables(&set) }, nil
}

func emitNFTables(set *objects.Set) error {
	_, err := nftables.New(backends.DefaultOptions()).Emit(programOf(set))
	return err
}

// programOf compiles a generated cluster for its first node.
func programOf(set *objects.Set) *ir.Program {
	program, _ := compiler.Compile(compiler.Input{Objects: set, Node: set.Nodes[0].Object.Name})
	return program
}

// stepPolicies measures from a large cluster with policies in memory to nftables
// text; it ignores the number of Services.
func stepPolicies(string, int) (func() error, error) {
	set := clustergen.PolicyObjects(clustergen.LargePolicies)
	return func() error { return emitNFTables(&set) }, nil
}

// stepDialects is stepPolicies with policies of all dialects.
func stepDialects(string, int) (func() error, error) {
	set := clustergen.DialectObjects(clustergen.LargePolicies)
	return func() error { return emitNFTables(&set) }, nil
}

// stepPoliciesJSON is stepPolicies from a JSON dump.
func stepPoliciesJSON(dir string, _ int) (func() error, error) {
	path := filepath.Join(dir, "policies.json")
	if err := writeTo(path, func(w io.Writer) error { return clustergen.PolicyJSON(w, clustergen.LargePolicies) }); err != nil {
		return nil, err
	}
	return func() error {
		set, _, err := manifest.Load(context.Background(), manifest.Options{Paths: []string{path}})
		if err != nil {
			return err
		}
		return emitNFTables(&set)
	}, nil
}

// emitter measures from a program in memory to a backend's files.
func emitter(name string) func(string, int) (func() error, error) {
	return func(_ string, n int) (func() error, error) {
		set := clustergen.Objects(size(n))
		program := programOf(&set)
		selected, err := registry.Select(backends.DefaultOptions(), name)
		return func() error {
			_, err := selected[0].Emit(program)
			return err
		}, err
	}
}

func dump(dir string, n int, format string) string {
	return filepath.Join(dir, fmt.Sprintf("dump-%d.%s", n, format))
}

func stepLoad(dir string, n int, format string) (func() error, error) {
	return func() error {
		set, _, err := manifest.Load(context.Background(), manifest.Options{Paths: []string{dump(dir, n, format)}})
		if err == nil && len(set.Services) != n {
			err = fmt.Errorf("loaded %d Services of %d", len(set.Services), n)
		}
		return err
	}, nil
}

// stepBareJSON measures the minimum cost of reading the dump with encoding/json: a
// Decoder walks the list and decodes every item into its type, which is given in
// advance.
func stepBareJSON(dir string, n int) (func() error, error) {
	return func() error {
		f, err := os.Open(dump(dir, n, "json"))
		if err != nil {
			return err
		}
		defer f.Close() // f is only read
		return bareDecode(f)
	}, nil
}

func bareDecode(r io.Reader) error {
	dec := json.NewDecoder(r)
	for {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		if t == "items" {
			break
		}
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		var item struct {
			metav1.TypeMeta `json:",inline"`
			Metadata        metav1.ObjectMeta          `json:"metadata"`
			Spec            corev1.ServiceSpec         `json:"spec"`
			Status          corev1.ServiceStatus       `json:"status"`
			AddressType     string                     `json:"addressType"`
			Endpoints       []discoveryv1.Endpoint     `json:"endpoints"`
			Ports           []discoveryv1.EndpointPort `json:"ports"`
		}
		if err := dec.Decode(&item); err != nil {
			return err
		}
	}
	return nil
}
