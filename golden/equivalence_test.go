package golden

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/interp"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var seed = flag.Uint64("seed", 1, "the seed of the first generated cluster")

var interpreted = flag.Int("interpreted", 1000, "how many generated clusters each interpreter gets, of 1,000 packets each")

// TestInterpreters compares the emitted files of each backend, as its interpreter
// evaluates them, with the evaluator: for every flow of every case, and for
// generated clusters.
func TestInterpreters(t *testing.T) {
	for _, b := range registry.All(backends.DefaultOptions()) {
		t.Run(b.Name(), func(t *testing.T) {
			t.Parallel()
			interpret := interpreter(b)
			var cases interptest.Count
			for _, c := range loadCases(t) {
				in, _, _ := load(t, c)
				program, _ := compiler.Compile(in)
				packets := make([]eval.Packet, 0, len(c.Flows))
				for _, f := range c.Flows {
					packets = append(packets, f.Packet)
				}
				cases.Add(interptest.Program(t, c.Name, program, b, interpret, packets, len(packets)))
			}
			record(b.Name(), "interpreter", "golden cases", cases)
			t.Logf("golden cases: %v", cases)
			generated := interptest.Run(t, b, interpret, *seed, *interpreted, 1000)
			record(b.Name(), "interpreter", "generated", generated)
			t.Logf("generated, from seed %d: %v", *seed, generated)
		})
	}
}

// interpreter makes interpreters of a backend's files.
func interpreter(b backends.Backend) interptest.Interpret {
	return func(p *ir.Program, a backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
		i, err := interp.New(b.Name(), a, p.Node.Addresses, false)
		if err != nil {
			return nil, err
		}
		return i.Eval, nil
	}
}

// table collects the numbers of comparisons for docs/equivalence.md.
var table struct {
	sync.Mutex
	rows []string
}

func record(backend, by, what string, c interptest.Count) {
	table.Lock()
	defer table.Unlock()
	table.rows = append(table.rows, fmt.Sprintf("| %s | %s | %s | %d | %d | %d | %d |", backend, by, what, c.Programs, c.Packets, c.Refused, c.Disagreements))
}

const equivalencePage = "../docs/equivalence.md"

const equivalenceHead = `# Same packet, same fate

Written by the tests (` + "`go test ./golden -update`" + ` as root): how much each backend was compared with the evaluator, by
interpreting what it emitted and in real kernels. *Refused* are packets of what the backend's ` + "`Check`" + ` names as not
expressible, or as different (PLC0501, PLC0502); they are not compared.

| backend | judged by | what | programs | packets | refused | disagreements |
|---|---|---|---|---|---|---|
`

// finish writes docs/equivalence.md after a complete run with -update, and fails where the page
// has other numbers than a run without it. It also writes
// the same text to the file that PLANEC_EQUIVALENCE names, which make prints, because
// go test prints nothing for tests that pass. It returns the exit code.
func finish(code int) int {
	slices.Sort(table.rows)
	text := equivalenceHead + strings.Join(table.rows, "\n") + "\n"
	switch {
	case code != 0:
	case *update && len(table.rows) > 3*len(registry.Names()):
		code = write(equivalencePage, text)
	case !*update && asUsual():
		code = behind()
	}
	if path := os.Getenv("PLANEC_EQUIVALENCE"); path != "" && len(table.rows) > 0 {
		code = max(code, write(path, fmt.Sprintf("%s\nGenerated clusters have the seeds from %d on.\n", text, *seed)))
	}
	return code
}

// asUsual reports whether no flag of this package makes it compare more or less than the page says.
func asUsual() bool {
	usual := true
	flag.Visit(func(f *flag.Flag) { usual = usual && strings.HasPrefix(f.Name, "test.") })
	return usual
}

// behind wants every row of this run to be a line of the page, and returns the exit code.
func behind() int {
	page, err := os.ReadFile(equivalencePage)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code, lines := 0, strings.Split(string(page), "\n")
	for _, row := range table.rows {
		if !slices.Contains(lines, row) {
			fmt.Fprintf(os.Stderr, "%s does not have this row; write it by go test ./golden -update as root:\n%s\n", equivalencePage, row)
			code = 1
		}
	}
	return code
}

func write(path, text string) int {
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
