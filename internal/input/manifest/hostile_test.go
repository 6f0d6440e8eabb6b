package manifest_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/planec/planec/internal/input/manifest"
)

// mostMiB is how much memory one hostile input may make the process ask for; the
// largest document here alone has 200.
const mostMiB = 128

// TestHostile feeds what no cluster prints, and asks for an answer within
// bounded memory.
func TestHostile(t *testing.T) {
	head := "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
	jsonHead := `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"x":`
	tests := []struct {
		name string
		text io.Reader
		want string
	}{
		{"alias bomb", strings.NewReader(head + bomb(12)), "with its aliases written out it is too large"},
		{"alias to itself", strings.NewReader(head + "x: &a [*a]\n"), "deeper than 200"},
		{"a list of aliases", strings.NewReader(bombList()), "too large"},
		{"merge bomb", strings.NewReader(head + mergeBomb(30)), "too large"},
		{"merge of itself", strings.NewReader(head + "x: &a\n  <<: *a\n"), "leads back"},
		{"deep flow", strings.NewReader(head + "x: " + strings.Repeat("[", 100_000)), "PLC0001"},
		{"deep block", strings.NewReader(head + "x:\n" + strings.Repeat("- ", 100_000)), "PLC0001"},
		{"deep indentation", strings.NewReader(head + indented(3000)), "deeper than 200"},
		{"deep JSON", strings.NewReader(jsonHead + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}"), "deeper than 200"},
		{"deep JSON without an end", strings.NewReader(jsonHead + strings.Repeat("[", 1_000_000)), "ends in the middle"},
		{"a large document", io.MultiReader(strings.NewReader(head+"x: |\n"), &endless{line: "  " + strings.Repeat("y", 100) + "\n", left: 200 << 20}), "larger than 8 MiB"},
		{"a large line", io.MultiReader(strings.NewReader(head+"x: "), &endless{line: "y", left: 50 << 20}), "larger than 8 MiB"},
		{"a large JSON string", io.MultiReader(strings.NewReader(jsonHead+`"`), &endless{line: "y", left: 100 << 20}), "ends in the middle"},
		{"a large item", io.MultiReader(strings.NewReader(`{"kind":"List","items":["`), &endless{line: "y", left: 50 << 20}, strings.NewReader(`"]}`)), "larger than 8 MiB"},
		{"many bad items", io.MultiReader(strings.NewReader(`{"kind":"List","items":[1`), &endless{line: ",\n1", left: 5 << 20}, strings.NewReader("]}")), "more findings in this file"},
		{"many kinds", manyKinds(20_000), "more"},
		{"NUL", strings.NewReader("a: \x00\n"), "control characters"},
		{"NUL in JSON", strings.NewReader(jsonHead + "\"\x00\"}"), "broken JSON"},
		{"tabs", strings.NewReader("a:\n\tb: c\n"), "PLC0001"},
		{"a huge number", strings.NewReader(head + "spec: {healthCheckNodePort: 1" + strings.Repeat("0", 400) + "}\n"), "PLC0002"},
		{"a huge number in JSON", strings.NewReader(`{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"healthCheckNodePort":1e999}}`), "PLC0002"},
		{"not a number", strings.NewReader(head + "x: .nan\n"), "number that JSON does not have"},
		{"a template", strings.NewReader("{{- if .Values.x }}\napiVersion: v1\n{{ end }}\n"), "PLC0001"},
		{"a policy of too many rules", hugeList(2_700_000, "NetworkPolicy", `"egress":[`, "]"), "no API server stores so many"},
		{"a policy of many rules", hugeList(500_000, "NetworkPolicy", `"egress":[`, "]"), "nothing to report"},
		{"a policy of many peers", hugeList(500_000, "NetworkPolicy", `"ingress":[{"from":[`, "]}]"), "nothing to report"},
		{"an admin policy of many peers", hugeList(500_000, "ClusterNetworkPolicy", `"egress":[{"to":[`, "]}]"), "nothing to report"},
		{"a selector of many requirements", hugeList(500_000, "ClusterNetworkPolicy", `"subject":{"namespaces":{"matchExpressions":[`, "]}}"), "nothing to report"},
		{"a selector that is deep", strings.NewReader("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: " + strings.Repeat("{podSelector: ", 300) + strings.Repeat("}", 300) + "}\n"), "deeper than 200"},
		{"lists in lists", strings.NewReader(strings.Repeat(`{"kind":"List","items":[`, 10) + strings.Repeat("]}", 10)), "lists in lists"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, diags, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{"-"}, Stdin: tt.text})
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(messages(diags), "\n")
			if len(diags) == 0 {
				all = "nothing to report"
			}
			if !strings.Contains(all, tt.want) {
				t.Errorf("no %q in %.2000s", tt.want, all)
			}
			grown := (int64(after.Sys) - int64(before.Sys)) >> 20
			t.Logf("needed %d MiB more than the cases before", grown)
			if grown > mostMiB {
				t.Errorf("needed %d MiB, want at most %d", grown, mostMiB)
			}
		})
	}
}

// endless repeats a line until it has given the number of bytes.
type endless struct {
	line string
	left int
	at   int
}

func (e *endless) Read(b []byte) (int, error) {
	if e.left <= 0 && e.at == 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(b) && (e.left > 0 || e.at > 0) {
		copied := copy(b[n:], e.line[e.at:])
		n, e.left, e.at = n+copied, e.left-copied, (e.at+copied)%len(e.line)
	}
	return n, nil
}

// bomb returns levels of ten aliases to the level before.
func bomb(levels int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	return b.String()
}

// bombList returns a list whose items are all the same, large object.
func bombList() string {
	var b strings.Builder
	b.WriteString("kind: List\napiVersion: v1\nx: &a\n  apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n  y: [" + strings.Repeat("1,", 10_000) + "1]\nitems:\n")
	b.WriteString(strings.Repeat("- *a\n", 100_000))
	return b.String()
}

func mergeBomb(levels int) string {
	var b strings.Builder
	b.WriteString("m0: &m0 {x: 1}\n")
	for i := 1; i < levels; i++ {
		fmt.Fprintf(&b, "m%d: &m%d {<<: [*m%d, *m%d, *m%d]}\n", i, i, i-1, i-1, i-1)
	}
	return b.String()
}

// hugeList returns a policy in one of whose lists {} stands n times.
func hugeList(n int, kind, start, end string) io.Reader {
	version, priority := "policy.networking.k8s.io/v1alpha2", `"priority":1,`
	if kind == "NetworkPolicy" {
		version, priority = "networking.k8s.io/v1", ""
	}
	head := `{"apiVersion":"` + version + `","kind":"` + kind + `","metadata":{"name":"a"},"spec":{` + priority
	return strings.NewReader(head + start + strings.Repeat("{},", n-1) + "{}" + end + "}}")
}

func indented(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "x:\n")
	}
	return b.String()
}

func manyKinds(n int) io.Reader {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"apiVersion":"v1","kind":"K%d"}`, i)
	}
	return strings.NewReader(b.String())
}
