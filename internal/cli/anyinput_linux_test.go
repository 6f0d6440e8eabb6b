package cli_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/cli"
)

var (
	inputs    = flag.Int("inputs", 150, "how many inputs are given to apply over a serving node, for each backend")
	inputSeed = flag.Uint64("input-seed", 1, "what the inputs are made from")
)

// TestAnyInput gives whatever bytes to apply over a node that serves. Either the exit
// code is 0 and the kernel has the new program, all of it, or the exit code is another
// one and the kernel has the old one.
func TestAnyInput(t *testing.T) {
	for _, name := range []string{"nftables", "iptables-nft"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat("/sys/fs/bpf/planec"); err == nil {
				t.Skip("an apply would remove the eBPF maps of this machine")
			}
			n := newAnyInput(t, kernels()[name](t))
			n.serve()
			for i := range *inputs {
				n.try(i)
			}
			if n.applied == 0 || n.refused == 0 {
				t.Errorf("%d inputs applied, %d refused", n.applied, n.refused)
			}
			t.Logf("%d inputs: %d applied, of which %d changed the rules; %d refused", *inputs, n.applied, n.changed, n.refused)
		})
	}
}

// anyInput is a node with a program, and what inputs are made of.
type anyInput struct {
	t     *testing.T
	k     *kernel
	rng   *rand.Rand
	work  string
	bases [][]byte
	// artifacts are directories of compiled files, of every backend.
	artifacts []string
	// old is the program that the kernel has.
	old                       applier.Entry
	applied, changed, refused int
}

func newAnyInput(t *testing.T, k *kernel) *anyInput {
	n := &anyInput{t: t, k: k, work: t.TempDir(), rng: rand.New(rand.NewPCG(*inputSeed, uint64(len(k.backend))))}
	for _, pattern := range []string{filepath.Join(*goldens, "*", "input.yaml"), "../../examples/*/*.yaml", "../../examples/*/manifests/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			n.bases = append(n.bases, data)
		}
	}
	dirs, err := filepath.Glob(filepath.Join(*goldens, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if info, err := os.Stat(d); err == nil && info.IsDir() {
			n.artifacts = append(n.artifacts, d)
		}
	}
	if len(n.bases) < 100 || len(n.artifacts) < 100 {
		t.Fatalf("%d manifests and %d artifacts", len(n.bases), len(n.artifacts))
	}
	return n
}

// run is a command of planec in the node's namespace.
func (n *anyInput) run(stdin []byte, args ...string) (code int, said string) {
	var out bytes.Buffer
	err := n.k.rig.Do(func() error {
		code = cli.Run(append(args, "--state-dir", n.k.state), cli.Streams{In: bytes.NewReader(stdin), Out: &out, Err: &out})
		return nil
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return code, out.String()
}

// serve applies the first program.
func (n *anyInput) serve() {
	if code, said := n.run(nil, "apply", "--artifact", n.k.artifact(before)); code != 0 {
		n.t.Fatalf("exit code %d: %s", code, said)
	}
	n.old = n.last()
}

// last is what the record says.
func (n *anyInput) last() applier.Entry {
	e, err := applier.NewRecord(n.k.state).Last()
	if err != nil {
		n.t.Fatal(err)
	}
	return e
}

// try gives one input, and looks at the kernel.
func (n *anyInput) try(i int) {
	n.t.Helper()
	var input []byte
	var args []string
	about := ""
	if n.rng.IntN(4) == 0 {
		about, args = n.anArtifact()
	} else {
		about, input = n.aManifest()
		args = []string{"-f", "-", "--node", "node-a", "--cluster-cidr", "10.244.0.0/16", "--backend", n.k.backend}
	}
	code, said := n.run(input, append([]string{"apply", "-q"}, args...)...)
	want := n.old
	if code == 0 {
		n.applied++
		if want = n.last(); !same(want, n.old) {
			n.changed++
		}
		n.compiled(i, about, input, args, want, said)
	} else {
		n.refused++
	}
	if err := n.verify(want); err != nil {
		n.t.Fatalf("input %d (%s), exit code %d: %v\n%s\n%s", i, about, code, err, said, input)
	}
	n.old = want
}

// compiled wants what was applied to be what the input is compiled to, but for what the
// kernel refuses.
func (n *anyInput) compiled(i int, about string, input []byte, args []string, got applier.Entry, said string) {
	if input == nil || strings.Contains(said, "PLC0503") {
		return
	}
	out := filepath.Join(n.work, "compiled")
	var all bytes.Buffer
	code := cli.Run(append([]string{"compile", "--out-dir", out}, args...), cli.Streams{In: bytes.NewReader(input), Out: &all, Err: &all})
	if code != 0 {
		n.t.Fatalf("input %d (%s) is applied, and compiling it is exit code %d: %s", i, about, code, all.String())
	}
	for _, f := range got.Artifact.Files {
		data, err := os.ReadFile(filepath.Join(out, "node-a", n.k.backend, f.Name))
		if err != nil || !bytes.Equal(data, f.Data) {
			n.t.Fatalf("input %d (%s): %s is not what the input is compiled to: %v", i, about, f.Name, err)
		}
	}
}

func (n *anyInput) verify(e applier.Entry) error {
	plane := n.k.plane
	check := applier.New(map[string]applier.Dataplane{n.k.backend: plane}, applier.NewRecord(n.work))
	if e.Backend != n.k.backend {
		return fmt.Errorf("the record has backend %s", e.Backend)
	}
	return n.k.rig.Do(func() error { return check.Verify(n.t.Context(), e) })
}

func same(a, b applier.Entry) bool {
	return slices.EqualFunc(a.Artifact.Files, b.Artifact.Files, func(a, b backends.File) bool {
		return a.Name == b.Name && bytes.Equal(a.Data, b.Data)
	})
}

// aManifest is one of the project's, mostly with something done to it.
func (n *anyInput) aManifest() (about string, text []byte) {
	text = slices.Clone(pick(n.rng, n.bases))
	if n.rng.IntN(5) == 0 {
		return "whole", text
	}
	for range 1 + n.rng.IntN(3) {
		var what string
		what, text = n.mutate(text)
		about += what + " "
	}
	return about, text
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// hostile are bytes that mean something to one of the readers on the way.
var hostile = []string{
	"\t", "{{ .Values.x }}", "\x00", "\xff", "kind: [", "---", "- ", ": ", "&a *a", "apiVersion: v1", "kind: Service", "\r\n", "\xef\xbb\xbf",
	"10.96.0.300", "99999", "-1", "null", "~", "yes", "\"", "'", "{}", "[]", "#", "|", ">", "%YAML 1.1\n---\n", "Error from server", "\u202e", "0x10",
}

// mutate does one thing to bytes that happens to files.
func (n *anyInput) mutate(b []byte) (string, []byte) {
	rng := n.rng
	at := rng.IntN(len(b) + 1)
	lines := bytes.SplitAfter(b, []byte("\n"))
	line := rng.IntN(len(lines))
	switch rng.IntN(9) {
	case 0:
		return "cut off", b[:at]
	case 1:
		return "beginning lost", b[at:]
	case 2:
		word := pick(rng, hostile)
		return fmt.Sprintf("%q put in", word), slices.Concat(b[:at], []byte(word), b[at:])
	case 3:
		out := slices.Clone(b)
		for range min(len(b), 1+rng.IntN(8)) {
			out[rng.IntN(len(out))] = byte(rng.IntN(256))
		}
		return "bytes changed", out
	case 4:
		return "a line lost", bytes.Join(slices.Delete(slices.Clone(lines), line, line+1), nil)
	case 5:
		return "a line twice", bytes.Join(slices.Insert(slices.Clone(lines), line, lines[line]), nil)
	case 6:
		other := slices.Clone(lines)
		j := rng.IntN(len(lines))
		other[line], other[j] = other[j], other[line]
		return "lines changed places", bytes.Join(other, nil)
	case 7:
		return "another one appended", slices.Concat(b, []byte("\n---\n"), pick(rng, n.bases))
	}
	out := slices.Clone(b)
	for i := range out {
		if c := out[i]; c >= '0' && c <= '9' && rng.IntN(20) == 0 {
			out[i] = byte('0' + rng.IntN(10))
		}
	}
	return "numbers changed", out
}

// anArtifact is a directory of compiled files with something done to it.
func (n *anyInput) anArtifact() (about string, args []string) {
	dir := filepath.Join(n.work, "artifact")
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		n.t.Fatal(err)
	}
	from := pick(n.rng, n.artifacts)
	if n.rng.IntN(3) > 0 {
		from = n.k.artifact(filepath.Base(filepath.Dir(from)))
	}
	files := n.read(from)
	for range n.rng.IntN(3) {
		files = n.spoil(files, &about)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			n.t.Fatal(err)
		}
	}
	args = []string{"--artifact", dir}
	if n.rng.IntN(2) == 0 {
		args = append(args, "--backend", n.k.backend)
	} else if len(files) > 0 && (filepath.Base(from) != n.k.backend || strings.Contains(about, fromAnother)) {
		// Another backend would take over: that is right, and not what is tried here.
		args = append(args, "--backend", n.k.backend)
	}
	return "artifact " + about + "of " + from, args
}

func (n *anyInput) read(dir string) map[string][]byte {
	entries, err := os.ReadDir(dir)
	if err != nil {
		n.t.Fatal(err)
	}
	out := make(map[string][]byte)
	for _, e := range entries {
		if out[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			n.t.Fatal(err)
		}
	}
	return out
}

// fromAnother says that an artifact has the files of another one too, which can be all
// that is left of it.
const fromAnother = "files of another one put in, "

// spoil does one thing to the files of an artifact.
func (n *anyInput) spoil(files map[string][]byte, about *string) map[string][]byte {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return files
	}
	a, b := pick(n.rng, names), pick(n.rng, names)
	switch n.rng.IntN(6) {
	case 0:
		files[a], files[b] = files[b], files[a]
		*about += a + " and " + b + " swapped, "
	case 1:
		delete(files, a)
		*about += a + " lost, "
	case 2:
		other := n.read(pick(n.rng, n.artifacts))
		for name, data := range other {
			files[name] = data
		}
		*about += fromAnother
	case 3:
		files["README"] = files[a]
		*about += "a foreign file put in, "
	default:
		var what string
		what, files[a] = n.mutate(files[a])
		*about += a + " " + what + ", "
	}
	return files
}

// TestTypeOfSetIsTakenBack applies files of which those of the sets are cut off within
// a type: the rules that come name a set of another type, which cannot change back
// while they are there.
func TestTypeOfSetIsTakenBack(t *testing.T) {
	n := newAnyInput(t, newKernel(t, "iptables", "nft"))
	n.serve()
	files := n.read(n.k.artifact("ipv6-only"))
	text := string(files["ipset.rules"])
	at := strings.Index(text, "create plc-hairpin-6 ")
	files["ipset.rules"] = []byte(text[:at+strings.Index(text[at:], " maxelem ")])
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, said := n.run(nil, "apply", "--artifact", dir)
	if err := n.verify(n.old); err != nil || code != 3 {
		t.Errorf("exit code %d, %v: %s", code, err, said)
	}
}
