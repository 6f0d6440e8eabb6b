package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/internal/cli"
)

// firstFindings is what a reviewer of each change of testdata/diff must read
// first.
var firstFindings = map[string]string{
	"comment-only":              "",
	"dns-forgotten":             "Every pod in shop can no longer resolve names: kube-system/coredns is out of reach, because NetworkPolicy shop/stay-inside was added (new/policies.yaml:31)",
	"endpoint-leaves":           "Service shop/web lost 1 of 2 endpoints: shop/web-6c9d7bf5c4-9q7wz, because endpoints[1] of EndpointSlice shop/web-1 was removed (new/services.yaml:19)",
	"external-traffic-policy":   "Connections from outside the cluster to Service shop/web are dropped on node-b, where it has no endpoint, because its spec.externalTrafficPolicy changed from Cluster to Local (new/services.yaml:8)",
	"ip-block-widened":          "shop/web can now be reached from 203.0.112.0/24 and 203.0.114.0/23 on 8080/tcp, because spec.ingress[0].from[1].ipBlock.cidr of NetworkPolicy shop/web-from-shop changed from 203.0.113.0/24 to 203.0.112.0/22 (new/policies.yaml:23)",
	"namespace-label":           "shop/web can now be reached from every pod in lab on 8080/tcp, because metadata.labels.team of Namespace lab changed from lab to shop (new/cluster.yaml:24) and NetworkPolicy shop/web-from-shop allows it by spec.ingress[0] (new/policies.yaml:20)",
	"no-endpoints":              "Service shop/db has no endpoints any more: connections to it are rejected, because endpoints[0].conditions.ready of EndpointSlice shop/db-1 changed from true to false (new/services.yaml:39)",
	"node-port":                 "Service shop/web-direct can now be reached from 203.0.113.0/24 through node port 30081/tcp, with 2 endpoints, because Service shop/web-direct was added (new/services.yaml:41)",
	"node-port-of-nobody":       "Service shop/db now has node port 30432/tcp, because its spec.type changed from ClusterIP to NodePort (new/services.yaml:27). No client outside the cluster gets to an endpoint that way",
	"policy-added":              "Every pod in lab can no longer be reached from anywhere (pods, nodes or outside) on any port, because NetworkPolicy lab/closed was added (new/policies.yaml:31)",
	"policy-leaves-one":         "shop/db can now be reached only from shop/web on 5432/tcp, because NetworkPolicy shop/db was added (new/policies.yaml:4). Before, it could be reached from everywhere (pods, nodes and outside) on every port",
	"policy-removed":            "shop/db can now be reached from everywhere (pods, nodes and outside) on every port, because NetworkPolicy shop/db-only was removed (old/policies.yaml:5). Before, it could be reached only from shop/web on 5432/tcp",
	"port-renamed":              "shop/web can no longer be reached from any pod in shop or 203.0.113.0/24 on 8080/tcp, because spec.containers[0].ports[0].name of Pod shop/web-6c9d7bf5c4-2xk4m changed from http to web (new/cluster.yaml:39)",
	"service-deleted":           "Service shop/db no longer answers: 10.96.0.20:5432/tcp had 1 endpoint, because Service shop/db was removed (old/services.yaml:23)",
	"scaled-up-on-another-port": "Service shop/db can no longer be used from shop/web: policies refuse port 5433 of its endpoints, because EndpointSlice shop/db-1 was changed (new/services.yaml:33) and NetworkPolicy shop/db-only does not let it through (new/policies.yaml:5)",
	"service-port-moved":        "Service shop/db no longer answers on 10.96.0.20:5432/tcp, but on 10.96.0.20:5433/tcp, because its spec.ports[0].port changed from 5432 to 5433 (new/services.yaml:31)",
	"session-affinity":          "Clients of Service shop/web now stay with one endpoint, until 10800 s without a new connection, because its spec.sessionAffinity changed from None to ClientIP (new/services.yaml:8)",
	"source-ranges-removed":     "Load-balancer address 198.51.100.10:80/tcp of Service shop/web is open to more sources: from everywhere (before, from 203.0.113.0/24), because its spec.loadBalancerSourceRanges was removed (new/services.yaml:4). Policies still keep some of them from its endpoints",
	"pods-elsewhere":            "Pods of payments (the input has none) can now be reached from everywhere (pods, nodes and outside) on every port, because NetworkPolicy payments/default-deny was removed",
	"store-gets-policies":       "market/basket can now be reached only from market/checkout and market/storefront on 7070/tcp, because NetworkPolicy market/basket was added",
	"store-loses-a-policy":      "market/basket can no longer reach market/storefront, pods of any other namespace, other nodes or outside the cluster on any port, because NetworkPolicy market/basket was removed",
	"store-opens-elsewhere":     "market/checkout can now be reached from market/basket, market/catalog, market/redis and pods of every other namespace on 5050/tcp, because NetworkPolicy market/checkout was changed",
	"workload-added":            "shop/report (1 pod) is new; policies limit who reaches it, no policy limits whom it reaches. It can be reached from every pod in shop and 203.0.113.0/24 on 9000/tcp. It reaches what policies guard: shop/db on 5432/tcp and shop/web on 8080/tcp",
}

// screen is how many lines a report may have before anything is unfolded.
const screen = 40

// TestDiffReports compares the reports of realistic changes with the reviewed
// ones.
func TestDiffReports(t *testing.T) {
	dirs, err := filepath.Glob("testdata/diff/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) != len(firstFindings) {
		t.Errorf("%d changes, but %d first findings", len(dirs), len(firstFindings))
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Chdir(dir)
			text := report(t, "text")
			compareGolden(t, "want.txt", text)
			markdown := report(t, "md")
			compareGolden(t, "want.md", markdown)
			if n := strings.Count(text, "\n"); n > screen {
				t.Errorf("the text has %d lines", n)
			}
			if n := unfolded(markdown); n > screen {
				t.Errorf("the comment has %d lines before anything is unfolded", n)
			}
			if got := firstFinding(text); !strings.HasPrefix(got, firstFindings[filepath.Base(dir)]) || firstFindings[filepath.Base(dir)] == "" && got != "" {
				t.Errorf("the first finding is\n%s\nwant\n%s", got, firstFindings[filepath.Base(dir)])
			}
		})
	}
}

func report(t *testing.T, format string) string {
	t.Helper()
	var out, errors bytes.Buffer
	args := []string{"diff", "old", "new", "-o", format}
	if code := cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errors}); code > 1 {
		t.Fatalf("%v: exit %d: %s", args, code, &errors)
	}
	again := out.String()
	out.Reset()
	cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errors})
	if again != out.String() {
		t.Errorf("%s differs from one run to the next", format)
	}
	return again
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (-golden +now):\n%s\nif that is meant: go test ./internal/cli -run '%s' -update", name, cmp.Diff(string(want), got), t.Name())
	}
}

// firstFinding is the first line that is indented: those before it are the
// summary and the first kind.
func firstFinding(text string) string {
	before, _, _ := strings.Cut(text, "\nobjects (")
	for l := range strings.Lines(before) {
		if rest, ok := strings.CutPrefix(l, "  "); ok {
			return strings.TrimSuffix(rest, "\n")
		}
	}
	return ""
}

// unfolded counts the lines that are seen at once.
func unfolded(markdown string) int {
	n, inside := 0, false
	for l := range strings.Lines(markdown) {
		switch {
		case strings.HasPrefix(l, "<details>"):
			inside = true
			n++
		case strings.HasPrefix(l, "</details>"):
			inside = false
		case !inside:
			n++
		}
	}
	return n
}

// TestDiffFormats holds that every form can be written of every change.
func TestDiffFormats(t *testing.T) {
	dirs, err := filepath.Glob("testdata/diff/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		for _, format := range []string{"json", "github", "sarif", "html"} {
			t.Run(filepath.Base(dir)+"/"+format, func(t *testing.T) {
				t.Chdir(dir)
				if out := report(t, format); format != "github" && !slices.Contains([]string{"{", "<"}, out[:1]) {
					t.Errorf("%.100s", out)
				}
			})
		}
	}
}
