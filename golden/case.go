package golden

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Case is one directory of the corpus.
type Case struct {
	Name string // the base name of Dir
	Dir  string // the directory of input.yaml and flows.yaml
	// Node is the name of the node to compile for.
	Node  string
	Flows []Flow // the content of flows.yaml
}

// Flow is a connection and its expected result.
type Flow struct {
	Name   string      // the name of the subtest
	Packet eval.Packet // the first packet of the connection
	Want   Want        // the expected result
}

// Want is the expected verdict. For dnat, it also has all possible endpoints,
// those that only policies deny, and whether the source is masqueraded.
type Want struct {
	Verdict    eval.Verdict     // accept, dnat, drop or reject
	Endpoints  []netip.AddrPort // sorted
	Denied     []netip.AddrPort // sorted
	Masquerade bool             // whether the source becomes an address of the node
}

// flowsFile is flows.yaml.
type flowsFile struct {
	// About describes in one sentence the behaviour that the case tests.
	About string     `json:"about"`
	Node  string     `json:"node"`
	Flows []flowLine `json:"flows"`
}

type flowLine struct {
	Name string `json:"name"`
	// From is pod, node or outside.
	From string `json:"from"`
	Src  string `json:"src"`
	Dst  string `json:"dst"`
	// Port is "80" or "53/udp".
	Port string `json:"port"`
	// Interface is the input interface; only needed if the local detector uses it.
	Interface  string   `json:"interface"`
	Want       string   `json:"want"`
	Endpoints  []string `json:"endpoints"`
	Denied     []string `json:"denied"`
	Masquerade bool     `json:"masquerade"`
}

// Load reads every case below dir, sorted by name.
func Load(dir string) ([]Case, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the golden cases: %w", err)
	}
	var cases []Case
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		c, err := loadCase(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("golden case %s: %w", e.Name(), err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func loadCase(dir string) (Case, error) {
	c := Case{Name: filepath.Base(dir), Dir: dir}
	data, err := os.ReadFile(filepath.Join(dir, "flows.yaml"))
	if err != nil {
		return c, err
	}
	var file flowsFile
	if err := yaml.UnmarshalStrict(data, &file); err != nil {
		return c, fmt.Errorf("flows.yaml: %w", err)
	}
	if file.About == "" || file.Node == "" {
		return c, fmt.Errorf("flows.yaml: about and node are needed")
	}
	c.Node = file.Node
	for _, line := range file.Flows {
		f, err := line.flow()
		if err != nil {
			return c, fmt.Errorf("flows.yaml: flow %q: %w", line.Name, err)
		}
		c.Flows = append(c.Flows, f)
	}
	return c, nil
}

// Inputs returns the paths of the files with the case's objects, sorted.
func (c *Case) Inputs() ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(c.Dir, "input*"))
	slices.Sort(paths)
	return paths, err
}

// Config returns the path of the case's settings, or "".
func (c *Case) Config() string {
	path := filepath.Join(c.Dir, "config.yaml")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path
}

func (l flowLine) flow() (Flow, error) {
	f := Flow{Name: l.Name, Want: Want{Masquerade: l.Masquerade}}
	var errs [5]error
	f.Packet.Src, errs[0] = netip.ParseAddr(l.Src)
	f.Packet.Dst, errs[1] = netip.ParseAddr(l.Dst)
	f.Packet.From, errs[2] = eval.ParseEntry(l.From)
	f.Want.Verdict, errs[3] = eval.ParseVerdict(l.Want)
	f.Packet.Port, f.Packet.Protocol, errs[4] = parsePort(l.Port)
	f.Packet.Interface = l.Interface
	var err error
	if f.Want.Endpoints, err = parseEndpoints(l.Endpoints); err != nil {
		return f, err
	}
	if f.Want.Denied, err = parseEndpoints(l.Denied); err != nil {
		return f, err
	}
	return f, errors.Join(errs[:]...)
}

func parseEndpoints(list []string) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	for _, e := range list {
		a, err := netip.ParseAddrPort(e)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	slices.SortFunc(out, netip.AddrPort.Compare)
	return out, nil
}

func parsePort(s string) (uint16, ir.Protocol, error) {
	number, proto, ok := strings.Cut(s, "/")
	if !ok {
		proto = "tcp"
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return 0, 0, fmt.Errorf("port %q: %w", s, err)
	}
	p, err := ir.ParseProtocol(proto)
	return uint16(n), p, err
}
