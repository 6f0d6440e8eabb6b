package engines

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/planec/planec/engines/cilium"
	"github.com/planec/planec/ir"
)

var tables = flag.String("tables", "../../shared/conformance", "directory of the tables of verdicts")

// notAsked are tags of cases that need options of the agent, or ends that are not
// objects of Kubernetes.
var notAsked = []string{"config", "identity", "mesh"}

// TestTable holds the oracle against the table of Cilium's own verdicts.
func TestTable(t *testing.T) {
	dir := filepath.Join(*tables, "ciliumnetworkpolicy")
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the table is not part of the project, and not at %s; name its directory with -tables", dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	var cases []tableCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	configure(t)
	right, left, rows := 0, 0, 0
	for _, c := range cases {
		if slices.ContainsFunc(c.Tags, func(tag string) bool { return slices.Contains(notAsked, tag) }) {
			left++
			continue
		}
		n, wrong, err := checkCase(filepath.Join(dir, fmt.Sprintf("case-%03d", c.Case)), c.void())
		if rows += n; err != nil || len(wrong) > 0 {
			t.Errorf("case %d, %s: %v %d rows, as %s", c.Case, c.Description, err, len(wrong), strings.Join(wrong[:min(3, len(wrong))], "; "))
			continue
		}
		right++
	}
	t.Logf("%d of %d cases right, %d verdicts; %d need what the oracle does not have", right, len(cases)-left, rows, left)
}

// tableCase is what an index has about a case.
type tableCase struct {
	Case        int      `json:"case"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	Notes       []struct {
		Policy string `json:"policy"`
		By     string `json:"by"`
	} `json:"notes"`
}

// void returns the policies that the definitions of their kinds refuse.
func (c *tableCase) void() []string {
	var out []string
	for _, n := range c.Notes {
		if n.By == "schema" {
			out = append(out, n.Policy)
		}
	}
	return out
}

// row is a line of a table.
type row struct {
	connection
	ingress, egress string
}

func checkCase(dir string, void []string) (rows int, wrong []string, err error) {
	text, err := os.ReadFile(filepath.Join(dir, "input.yaml"))
	if err != nil {
		return 0, nil, err
	}
	cluster, err := cilium.Read(text, void...)
	if err != nil {
		return 0, nil, err
	}
	table, err := readRows(filepath.Join(dir, "expected.tsv"))
	if err != nil {
		return 0, nil, err
	}
	for _, n := range cluster.Nodes {
		engine, err := cilium.NewEngine(cluster, n.Name)
		if err != nil {
			return 0, nil, err
		}
		asked, found, err := checkRows(cluster, engine, n.Name, table)
		engine.Close()
		if rows, wrong = rows+asked, append(wrong, found...); err != nil {
			return rows, wrong, err
		}
	}
	return rows, wrong, nil
}

// checkRows asks for the verdicts of a node's pods.
func checkRows(c *cilium.Cluster, e *cilium.Engine, node string, table []row) (rows int, wrong []string, err error) {
	for _, r := range table {
		asked, err := questions(c, r.connection)
		if err != nil {
			return rows, wrong, err
		}
		for _, q := range asked {
			if q.node != node {
				continue
			}
			rows++
			want := r.egress
			if q.ingress {
				want = r.ingress
			}
			got, err := e.Judge(q.pod, q.ingress, q.peer, uint8(q.protocol), q.port)
			if err != nil {
				return rows, wrong, err
			}
			if string(got) != want {
				wrong = append(wrong, fmt.Sprintf("%v, ingress %v: %s, want %s", r.connection, q.ingress, got, want))
			}
		}
	}
	return rows, wrong, nil
}

func readRows(file string) ([]row, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var out []row
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		w := strings.Split(line, "\t")
		if len(w) != 7 {
			return nil, fmt.Errorf("%s:%d: %d fields, want 7", file, i+1, len(w))
		}
		port, err := strconv.ParseUint(w[3], 10, 16)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		out = append(out, row{connection{w[0], w[1], protocols[w[2]], uint16(port)}, w[4], w[5]})
	}
	return out, nil
}

// protocols are the names of the tables.
var protocols = map[string]ir.Protocol{"TCP": ir.TCP, "UDP": ir.UDP, "SCTP": ir.SCTP, "ICMP": ir.ICMP, "ICMPv6": ir.ICMPv6}

func configure(t *testing.T) {
	t.Helper()
	if err := cilium.Configure(); err != nil {
		t.Fatal(err)
	}
}
