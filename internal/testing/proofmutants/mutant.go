package proofmutants

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/ir"
)

// Mutant is an artifact with one fault.
type Mutant struct {
	// Kind is the kind of fault: "port", "rule lost".
	Kind string
	// Before and After are the changed lines or entries, "" for what is not there.
	Before, After string
	Artifact      backends.Artifact
	// Wrong is the program that the artifact is of, if the fault is an emitter's.
	Wrong *ir.Program
}

// String returns the fault in a few lines.
func (m *Mutant) String() string {
	return fmt.Sprintf("%s:\n\t- %s\n\t+ %s", m.Kind, strings.TrimSpace(m.Before), strings.TrimSpace(m.After))
}

// Of returns a mutant of a backend's files. It reports false if it found nothing to change.
func Of(rng *rand.Rand, backend string, a backends.Artifact) (Mutant, bool) {
	if backend == image.Name {
		return ofImage(rng, a)
	}
	var names []string
	for _, f := range a.Files {
		if isRules(f.Name) && len(f.Data) > 0 {
			names = append(names, f.Name)
		}
	}
	for range tries {
		name := names[rng.IntN(len(names))]
		m := newText(rng, string(a.File(name)))
		if made, ok := m.mutate(); ok {
			made.Artifact = with(a, name, []byte(strings.Join(m.lines, "\n")))
			return made, true
		}
	}
	return Mutant{}, false
}

// tries is how often a change is tried that may have no place.
const tries = 200

// isRules reports whether a file has rules in text.
func isRules(name string) bool {
	return strings.HasSuffix(name, ".nft") || strings.HasSuffix(name, ".rules") || strings.HasSuffix(name, ".batch")
}

// with returns the artifact with another content of a file.
func with(a backends.Artifact, name string, data []byte) backends.Artifact {
	out := backends.Artifact{Files: slices.Clone(a.Files)}
	for i := range out.Files {
		if out.Files[i].Name == name {
			out.Files[i].Data = bytes.Clone(data)
		}
	}
	return out
}

// pick returns one of a list, which must not be empty.
func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }
