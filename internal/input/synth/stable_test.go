package synth_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/synth"
)

// rules are the lines that a backend emits, by backend and file.
type rules map[string][]string

// emitted compiles a completed set for a node, with all backends.
func emitted(t *testing.T, r *synth.Result, node string) rules {
	t.Helper()
	p, _ := compiler.Prepare(&r.Set, objects.Config{ClusterCIDRs: r.PodCIDRs}).Program(node)
	all, err := registry.Select(backends.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	out := make(rules)
	for _, b := range all {
		a, err := b.Emit(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if !strings.HasSuffix(f.Name, ".bin") {
				// The last element of an nftables set has no comma: that is where it
				// stands, not what it is.
				text := strings.ReplaceAll(string(f.Data), ",\n", "\n")
				out[b.Name()+"/"+f.Name] = strings.Split(text, "\n")
			}
		}
	}
	return out
}

// differing are the lines that two lists do not have in common, as often as they
// have them.
func differing(a, b []string) []string {
	count := make(map[string]int)
	for _, l := range a {
		count[l]--
	}
	for _, l := range b {
		count[l]++
	}
	var out []string
	for _, l := range slices.Sorted(maps.Keys(count)) {
		for range max(count[l], -count[l]) {
			out = append(out, l)
		}
	}
	return out
}

// TestOneMoreChangesItsOwnLinesOnly adds a Deployment and its Service to a
// repository of 500, for each kind of Service, and counts the lines that change in
// every backend's rules on every node: each names the new Service, its pods or
// what it was given, or is about chains that lead to nothing else.
func TestOneMoreChangesItsOwnLinesOnly(t *testing.T) {
	before := synth.Complete(ptr(load(t, apps(500))), synth.Options{})
	was := make(map[string]rules)
	for _, n := range before.Set.Nodes {
		was[n.Object.Name] = emitted(t, &before, n.Object.Name)
	}
	// Of each kind; 1029 is a NodePort and 1064 a load balancer of both families.
	for i := 1029; i < 1069; i++ {
		oneMore(t, was, i)
	}
}

// oneMore adds an app to the 500.
func oneMore(t *testing.T, was map[string]rules, i int) {
	after := synth.Complete(ptr(load(t, apps(500)+app(i))), synth.Options{})
	name := fmt.Sprintf("app-%d", i)
	for node, old := range was {
		now := emitted(t, &after, node)
		own := ownWords(&after.Set, name, now)
		addOwnChains(own, old, now)
		for file, lines := range now {
			changed := differing(old[file], lines)
			foreign := foreignLines(changed, own)
			if n := len(changed) - len(foreign); n > 40 {
				t.Errorf("%s %s %s: %d lines about the new Service", name, node, file, n)
			}
			if len(foreign) > 0 {
				t.Errorf("%s %s %s: %d lines about others:\n%s", name, node, file, len(foreign), strings.Join(foreign, "\n"))
			}
		}
	}
}

var (
	chainName = regexp.MustCompile(`PLC-(SVC|EXT|GRP|SEP)-[A-Z2-7]{16}`)
	mark      = regexp.MustCompile(`skbmark 0x([0-9a-f]+)`)
)

// ownWords are the names, addresses and ports of a Service, and the chains and
// marks that were made for it.
func ownWords(set *objects.Set, name string, now rules) map[string]bool {
	own := map[string]bool{name: true}
	for _, s := range set.Services {
		if s.Object.Name == name {
			for _, ip := range s.Object.Spec.ClusterIPs {
				own[ip] = true
			}
			for _, in := range s.Object.Status.LoadBalancer.Ingress {
				own[in.IP] = true
			}
			if n := s.Object.Spec.Ports[0].NodePort; n != 0 {
				own[strconv.Itoa(int(n))] = true
			}
			if n := s.Object.Spec.HealthCheckNodePort; n != 0 {
				own[strconv.Itoa(int(n))] = true
			}
		}
	}
	for _, p := range set.Pods {
		if strings.HasPrefix(p.Object.Name, name+"-") {
			for _, ip := range podIPs(p.Object) {
				own[ip] = true
			}
		}
	}
	for _, lines := range now {
		for _, l := range lines {
			if !isAbout(l, own) {
				continue
			}
			if strings.Contains(l, name) && !strings.HasPrefix(l, "-A PLC-S-") {
				for _, c := range chainName.FindAllString(l, -1) {
					own[c] = true
				}
			}
			if m := mark.FindStringSubmatch(l); m != nil {
				n, _ := strconv.ParseUint(m[1], 16, 32)
				own[strconv.Itoa(int(n))] = true
			}
		}
	}
	return own
}

func podIPs(p *corev1.Pod) []string {
	var out []string
	for _, ip := range p.Status.PodIPs {
		out = append(out, ip.IP)
	}
	return out
}

// isAbout reports whether a line has one of the words.
func isAbout(line string, own map[string]bool) bool {
	for w := range own {
		for at := 0; ; {
			i := strings.Index(line[at:], w)
			if i < 0 {
				break
			}
			end := at + i + len(w)
			if (end == len(line) || !isWord(line[end])) && (at+i == 0 || !isWord(line[at+i-1])) {
				return true
			}
			at += i + 1
		}
	}
	return false
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// headers are lines that count or sum up the file: the eBPF image's digest and
// the numbers of entries.
var headers = regexp.MustCompile(`^(meta digest=|map [a-z_0-9]+ [a-z_]+ key=\d+ value=\d+ entries=)`)

func foreignLines(changed []string, own map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(changed), func(l string) bool { return headers.MatchString(l) || isAbout(l, own) })
}

// addOwnChains adds the chains of iptables that are new and whose rules are all
// about what is own: those that lead to the new Service and to no other.
func addOwnChains(own map[string]bool, old, now rules) {
	for _, file := range []string{"iptables/iptables.rules", "iptables/ip6tables.rules"} {
		there := make(map[string]bool)
		for _, l := range old[file] {
			there[l] = true
		}
		fresh := make(map[string][]string)
		for _, l := range now[file] {
			if w := strings.Fields(l); len(w) > 2 && w[0] == "-A" && !there[":"+w[1]+" - [0:0]"] {
				fresh[w[1]] = append(fresh[w[1]], strings.Join(w[2:], " "))
			}
		}
		for more := true; more; {
			more = false
			for chain, lines := range fresh {
				if !own[chain] && !slices.ContainsFunc(lines, func(l string) bool { return !isAbout(l, own) }) {
					own[chain], more = true, true
				}
			}
		}
	}
}
