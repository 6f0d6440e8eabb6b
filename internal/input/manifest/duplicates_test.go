package manifest

import (
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/ir/diag"
)

// TestHiddenKinds writes a Service that kubectl makes so that another reader may
// take it for something else: each is an error, at its line, and nothing is skipped
// without a word.
func TestHiddenKinds(t *testing.T) {
	const rest = "metadata: {name: a}\nspec: {clusterIP: 10.96.0.1}\n"
	for _, c := range []struct {
		name, text string
		line       int
	}{
		{"a kind twice", "apiVersion: v1\nkind: ConfigMap\nkind: Service\n" + rest, 3},
		{"a quoted kind", "apiVersion: v1\nkind: ConfigMap\n\"kind\": Service\n" + rest, 3},
		{"an escaped kind", "apiVersion: v1\nkind: ConfigMap\n\"\\x6bind\": Service\n" + rest, 3},
		{"a binary key", "apiVersion: v1\nkind: ConfigMap\n!!binary a2luZA==: Service\n" + rest, 3},
		{"an explicit key", "apiVersion: v1\nkind: ConfigMap\n? kind\n: Service\n" + rest, 3},
		{"an alias for a key", "apiVersion: v1\nx: &k kind\nkind: ConfigMap\n*k : Service\n" + rest, 4},
		{"a merge key after it", "x: &x {kind: Service}\napiVersion: v1\nkind: ConfigMap\n<<: *x\n" + rest, 4},
		{"merge keys", "x: &x {kind: ConfigMap}\ny: &y {kind: Service}\napiVersion: v1\n<<: *x\n<<: *y\n" + rest, 5},
		{"another case", "apiVersion: v1\nkind: ConfigMap\nKind: Service\n" + rest, 3},
		{"the Kelvin sign", "apiVersion: v1\nkind: ConfigMap\n\u212aind: Service\n" + rest, 3},
		{"an apiVersion twice", "apiVersion: v1\nkind: Service\napiVersion: serving.knative.dev/v1\n" + rest, 3},
		{"CRLF", "apiVersion: v1\r\nkind: ConfigMap\r\nkind: Service\r\n", 3},
		{"a byte order mark", "\ufeffkind: ConfigMap\nkind: Service\napiVersion: v1\n" + rest, 2},
		{"after a separator with a comment", "kind: ConfigMap\napiVersion: v1\n--- # x\nkind: ConfigMap\nkind: Service\n", 5},
		{"deep inside", "kind: Foo\napiVersion: x/v1\nspec:\n  a:\n  - {b: 1,\n     b: 2}\n", 6},
		{"in a flow mapping", "{kind: ConfigMap, apiVersion: v1,\n kind: Service}\n", 2},
		{"JSON", "{\"kind\":\"ConfigMap\",\n\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"}}", 2},
		{"JSON, escaped", "{\"kind\":\"ConfigMap\",\n\"\\u006bind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"}}", 2},
		{"JSON, another case", "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\n\"KIND\":\"Service\"}", 2},
		{"JSON, deep inside", "{\"kind\":\"Foo\",\"apiVersion\":\"v1\",\"a\":[{\"b\":1,\n\"b\":2}]}", 2},
		{"JSON, the second of a stream", "{\"kind\":\"Foo\",\"apiVersion\":\"v1\"}\n{\"kind\":\"Foo\",\"kind\":\"Service\"}", 2},
		{"JSON, an item", "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[\n{\"kind\":\"Foo\",\"kind\":\"Service\"}]}", 2},
		{"JSON, a list's kind", "{\"kind\":\"FooList\",\"apiVersion\":\"v1\",\"items\":[{\"metadata\":{\"name\":\"a\"}}],\n\"kind\":\"ServiceList\"}", 2},
		{"JSON, Items", "{\"kind\":\"List\",\"apiVersion\":\"v1\",\n\"Items\":[{\"kind\":\"Service\"}]}", 2},
		{"JSON, items that are null first", "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":null,\n\"items\":[{\"kind\":\"Service\"}]}", 2},
		{"items of a ConfigMap", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: a}}\n", 1},
		{"items of a ConfigMap in JSON", "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"items\":[{\"kind\":\"Service\"}]}", 1},
		{"an item that is null", "kind: ServiceList\napiVersion: v1\nitems:\n-\n", 4},
		{"an item of a list", "apiVersion: v1\nkind: List\nitems:\n- kind: Foo\n  apiVersion: v1\n  kind: Service\n", 6},
		{"a list's kind", "apiVersion: v1\nkind: FooList\nitems:\n- metadata: {name: a}\nkind: ServiceList\n", 5},
		{"a document after the end of one", "apiVersion: v1\nkind: ConfigMap\n...\napiVersion: v1\nkind: Service\n" + rest, 3},
		{"a document after the end of one, with CR", "kind: ConfigMap\r---\rkind: Service\rapiVersion: v1\n", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := loadText(t, c.text)
			all := out.diagnostics()
			if all.Count(diag.Error) == 0 || len(out.set.Services) > 0 {
				t.Fatalf("%d Services, and said is %v", len(out.set.Services), all)
			}
			for _, d := range all {
				if d.Severity() == diag.Error && c.line > 0 && d.Origin.Line != c.line {
					t.Errorf("want line %d: %v", c.line, d)
				}
			}
		})
	}
}

// TestOtherSpellings writes kinds in ways that all readers understand alike.
func TestOtherSpellings(t *testing.T) {
	for _, text := range []string{
		"x: &x {kind: Service}\napiVersion: v1\n<<: *x\nmetadata: {name: a}\n",
		"x: &x {kind: ConfigMap}\napiVersion: v1\n<<: *x\nkind: Service\nmetadata: {name: a}\n",
		"apiVersion: v1\nkind: !!binary U2VydmljZQ==\nmetadata: {name: a}\n",
		"apiVersion: v1\n\"\\x6bind\": Service\nmetadata: {name: a}\n",
		"{\"apiVersion\":\"v1\",\"\\u006bind\":\"Service\",\"metadata\":{\"name\":\"a\"}}",
		"apiVersion: v1\n? kind\n: Service\nmetadata: {name: a}\n",
		"apiVersion: &v v1\nkind: Service\nmetadata: {name: a, labels: {x: *v}}\n",
	} {
		out := loadText(t, text)
		all := slices.DeleteFunc(out.diagnostics(), func(d diag.Diagnostic) bool { return d.Code == diag.UnknownField })
		if len(out.set.Services) != 1 || len(all) > 0 {
			t.Errorf("%s: %d Services, %v", strings.TrimSpace(text), len(out.set.Services), all)
		}
	}
}
