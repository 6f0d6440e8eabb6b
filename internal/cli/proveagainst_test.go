package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/cli"
)

const migration = "../../examples/kube-proxy-migration"

// against compares a listing with the example's program.
func against(t *testing.T, listing string, args ...string) (code int, out, problems string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "listing")
	if err := os.WriteFile(path, []byte(listing), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	args = append([]string{"prove", "-q", "-f", migration + "/cluster.yaml", "--config", migration + "/kube-proxy.yaml", "--node", "control-plane", "--against", path}, args...)
	code = cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	return code, stdout.String(), stderr.String()
}

func listing(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(migration, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// idle is what rules have whose loss changes nothing on the example's node: it has no
// nodePorts, no source ranges and no Service without an endpoint, and its FORWARD accepts.
var idle = []string{
	"firewall", "nodeport", "@no-endpoint-services", "service-endpoints-check", "\t\treject\n",
	"-j KUBE-FIREWALL", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS", "OUTPUT -m conntrack --ctstate NEW -m comment --comment \"kubernetes service portals\"",
	"FORWARD -m conntrack --ctstate NEW -m comment --comment \"kubernetes service portals\"", "-j KUBE-FORWARD", "KUBE-FORWARD -m comment",
	"--set-xmark 0x4000/0x0", "-s 192.0.2.21/32", "comment \"helper",
}

// idleIPVS is the same of IPVS mode: there are no load balancers, external addresses or
// ports of health checks either, and that a loopback address is not masqueraded is documented.
var idleIPVS = []string{
	"INPUT -m comment --comment \"kubernetes health check rules\"", "-j KUBE-IPVS-OUT-FILTER", "KUBE-LOAD-BALANCER dst", "KUBE-EXTERNAL-IP", "KUBE-HEALTH-CHECK-NODE-PORT dst",
	"KUBE-SOURCE-RANGES-FIREWALL -j DROP", "-A KUBE-LOAD-BALANCER -j", "-s 127.0.0.0/8 -j RETURN", "--dst-type LOCAL -j KUBE-NODE-PORT",
	"--match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT",
}

// meansSomething finds rules of iptables, virtual services and destinations of IPVS, elements
// of sets, and addresses.
var meansSomething = regexp.MustCompile(`^(-A|-a|add|[0-9]+:) `)

// TestAgainstWithoutALine leaves out each rule of kube-proxy in turn: the comparison must
// notice it, unless the rule does nothing on this node.
func TestAgainstWithoutALine(t *testing.T) {
	for name, least := range map[string]int{"kube-proxy.nft": 13, "kube-proxy.iptables": 26, "kube-proxy.ipvs": 26} {
		text, noticed := listing(t, name), 0
		for line := range strings.Lines(text[max(strings.Index(text, "\tchain "), 0):]) {
			if !strings.HasPrefix(line, "\t\t") && !meansSomething.MatchString(line) || strings.Contains(line, " hook ") {
				continue
			}
			code, out, problems := against(t, strings.Replace(text, line, "", 1))
			isIdle := slices.ContainsFunc(slices.Concat(idle, idleIPVS), func(s string) bool { return strings.Contains(line, s) })
			switch {
			case code == 1 && strings.HasPrefix(out, "refuted: "), code == 2 && strings.HasPrefix(line, "-A -"):
				noticed++ // destinations of a virtual service that there is not are no listing
			case code != 0 || !isIdle:
				t.Errorf("%s without %q: exit %d: %s", name, line, code, problems)
			}
		}
		if noticed < least {
			t.Errorf("%s: the loss of %d rules is noticed, want %d", name, noticed, least)
		}
	}
}

// TestAgainstChanged changes the listings of kube-proxy.
func TestAgainstChanged(t *testing.T) {
	const masquerade, services = "\t\tmeta mark & 0x00004000", "\tchain services {\n"
	for _, c := range []struct {
		file, old, changed string
		code               int
		says               string
	}{
		{"kube-proxy.nft", "", "", 0, "documented difference \"invalid\""},
		{"kube-proxy.nft", "mod 2 map { 0 : 10.244.0.2 . 53, 1 : 10.244.0.3 . 53 }", "mod 2 map { 0 : 10.244.0.2 . 53, 1 : 10.244.0.9 . 53 }", 1, "10.244.0.9:53"},
		{"kube-proxy.nft", "mod 2 map { 0 : 10.244.0.2 . 53, 1 : 10.244.0.3 . 53 }", "mod 3 map { 0 : 10.244.0.2 . 53, 1 : 10.244.0.3 . 53, 2 : 10.244.0.3 . 53 }", 1, "of the connections instead of 0.5"},
		{"kube-proxy.nft", "mod 2 map { 0 :", "mod 3 map { 0 :", 2, "3 numbers are drawn, 2 are listed"},
		{"kube-proxy.nft", "10.96.0.10 . udp . 53 :", "10.96.0.10 . udp . 54 :", 1, "port 53"},
		{"kube-proxy.nft", "10.96.0.1, 10.96.0.10 }", "10.96.0.1 }", 1, "10.96.0.10"},
		{"kube-proxy.nft", "saddr != 10.244.0.0/16", "saddr != 10.0.0.0/8", 1, "masquerade"},
		{"kube-proxy.nft", masquerade, "\t\tcounter packets 1 bytes 2 meta mark & 0x00004000", 0, "proved"},
		{"kube-proxy.nft", services, services + "\t\tip ttl 1 drop\n", 2, "packets come to a rule that is not understood"},
		{"kube-proxy.nft", services, "\tchain unused {\n\t\tip ttl 1 drop\n\t}\n\n" + services, 0, "and no packet comes to it: ip ttl 1 drop"},
		{"kube-proxy.nft", services, services + "\t\tgoto services\n", 2, "leads to itself"},
		{"kube-proxy.nft", "type nat hook prerouting", "type nat hook ingress", 2, "hook \"ingress\" is not known"},
		{"kube-proxy.nft", "table ip kube-proxy {", "table inet fw {\n\tchain in {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\ntable ip kube-proxy {", 2, "nft list table ip kube-proxy"},
		{"kube-proxy.nft", "table ip kube-proxy {", "table inet quiet {\n\tchain in {\n\t\tip ttl 1 drop\n\t}\n}\ntable ip kube-proxy {", 0, "table inet quiet is another program's"},
		{"kube-proxy.iptables", "", "", 0, "documented difference \"port\""},
		{"kube-proxy.iptables", "--probability 0.50000000000", "--probability 0.40000000000", 1, "of the connections instead of 0.5"},
		{"kube-proxy.iptables", "--to-destination 10.244.0.3:53", "--to-destination 10.244.0.4:53", 1, "10.244.0.4:53"},
		{"kube-proxy.iptables", "\n-A PREROUTING", "\n-A PREROUTING -m ttl --ttl-eq 1 -j ACCEPT\n-A PREROUTING", 2, "packets come to a rule that is not understood"},
		{"kube-proxy.iptables", "\n-A PREROUTING", "\n-A PREROUTING -d 10.96.0.10/32 -j RETURN\n-A PREROUTING", 1, "dnat"},
		{"kube-proxy.iptables", ":FORWARD ACCEPT", ":FORWARD DROP", 1, "drop"},
		{"kube-proxy.iptables", "*nat", "*broken", 2, "table \"broken\" is not known"},
		{"kube-proxy.ipvs", "", "", 0, "only the first packets of connections are compared"},
		{"kube-proxy.ipvs", "add KUBE-CLUSTER-IP 10.96.0.10,udp:53", "add KUBE-CLUSTER-IP 10.96.0.10,udp:54", 1, "reject"},
		{"kube-proxy.ipvs", "add KUBE-LOOP-BACK 10.244.0.3,tcp:53,10.244.0.3\n", "", 1, "masquerade"},
		{"kube-proxy.ipvs", "-A -u 10.96.0.10:53 ", "-A -u 10.96.0.10:53 -s rr -p 60 ", 2, "is not known here"},
		{"kube-proxy.ipvs", "-u 10.96.0.10:53 -s rr", "-u 10.96.0.10:53 -s rr -p 60", 1, "an affinity of 60 s instead of 0 s"},
		{"kube-proxy.ipvs", "-u 10.96.0.10:53 -s rr", "-u 10.96.0.10:53 -s sed", 2, "scheduler \"sed\" is not known"},
		{"kube-proxy.ipvs", "-u 10.96.0.10:53 -r 10.244.0.3:53 -m -w 1", "-u 10.96.0.10:53 -r 10.244.0.9:53 -m -w 1", 1, "10.244.0.9:53"},
		{"kube-proxy.ipvs", "-u 10.96.0.10:53 -r 10.244.0.3:53 -m -w 1", "-u 10.96.0.10:53 -r 10.244.0.3:54 -m -w 1", 1, "10.244.0.3:54"},
		{"kube-proxy.ipvs", "-u 10.96.0.10:53 -r 10.244.0.3:53 -m -w 1", "-u 10.96.0.10:53 -r 10.244.0.3:53 -m -w 0", 1, "10.244.0.2:53"},
		{"kube-proxy.ipvs", "-t 10.96.0.1:443 -s rr", "-t 10.96.0.1:444 -s rr", 2, "there is no such virtual service"},
		{"kube-proxy.ipvs", ": kube-ipvs0    inet 10.96.0.10/", ": kube-ipvs0    inet 10.96.0.11/", 1, "10.96.0.10"},
		{"kube-proxy.ipvs", ": kube-ipvs0    inet 10.96.0.10/", ": eth0    inet 10.96.0.10/", 2, "is an address of eth0"},
		{"kube-proxy.ipvs", "create KUBE-LOOP-BACK hash:ip,port,ip", "create KUBE-LOOP-BACK hash:ip,port,mac", 2, "set KUBE-LOOP-BACK"},
		{"kube-proxy.ipvs", "create KUBE-LOOP-BACK", "create KUBE-LOOP", 2, "KUBE-LOOP-BACK"},
		{"kube-proxy.ipvs", "-A KUBE-SERVICES", "-A KUBE-SERVICES -d 10.96.0.10/32 -j RETURN\n-A KUBE-SERVICES", 1, "masquerade"},
		{"kube-proxy.ipvs", "\n*filter", "\n*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m ipvs --ipvs -j DROP\nCOMMIT\n*filter", 1, "drop"},
	} {
		text := listing(t, c.file)
		if !strings.Contains(text, c.old) {
			t.Fatalf("%s has no %q", c.file, c.old)
		}
		code, out, problems := against(t, strings.Replace(text, c.old, c.changed, 1))
		if code != c.code || !strings.Contains(out+problems, c.says) {
			t.Errorf("%s with %q: exit %d, want %d and %q: %s%s", c.file, c.changed, code, c.code, c.says, out, problems)
		}
	}
}
