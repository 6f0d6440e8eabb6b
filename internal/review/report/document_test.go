package report

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestSecrets wants no line of a Secret in a page, and all line numbers kept.
func TestSecrets(t *testing.T) {
	const service = "kind: Service\nmetadata: {name: a}\n"
	for name, text := range map[string]string{
		"first":     "apiVersion: v1\nkind: Secret\ndata:\n  key: aHVzaA==\n---\n" + service,
		"a peer":    "apiVersion: metallb.io/v1beta2\nkind: BGPPeer\nspec: {password: hush}\n---\n" + service,
		"last":      service + "---\nkind: \"Secret\"\nstringData:\n  key: hush\n",
		"middle":    service + "--- # a comment\n{\"kind\": \"Secret\", \"stringData\": {\"key\": \"hush\"}}\n---\n" + service,
		"listed":    "kind: List\nitems:\n- kind: Secret\n  stringData: {key: hush}\n- kind: Service\n",
		"escaped":   service + "---\n{\"kind\": \"\\u0053ecret\", \"stringData\": {\"key\": \"hush\"}}\n",
		"key":       service + "---\n{\"k\\u0069nd\": \"\\u0053ecret\", \"stringData\": {\"key\": \"hush\"}}\n",
		"anchor":    service + "---\nkind: &k Secret\nstringData: {key: hush}\n---\n" + service,
		"folded":    service + "---\nkind: >-\n  Secret\nstringData: {key: hush}\n",
		"literal":   service + "---\nkind: |-\n  Secret\nstringData: {key: hush}\n",
		"broken":    service + "---\nkind: *k\nstringData: {key: hush}\n---\n" + service,
		"alias":     service + "---\nwhat: &k Secret\nkind: *k\nstringData: {key: hush}\n",
		"question":  service + "---\n? kind\n: Secret\nstringData: {key: hush}\n",
		"tagged":    service + "---\nkind: !!str Secret\nstringData: {key: hush}\n",
		"binary":    service + "---\nkind: !!binary U2VjcmV0\nstringData: {key: hush}\n",
		"spelling":  service + "---\nKind: secret\nstringData: {key: hush}\n",
		"no kind":   service + "---\nstringData: {key: hush}\n",
		"no object": service + "---\n- kind: &k Secret\n  stringData: {key: hush}\n",
		"no end":    service + "---\n{\"kind\": \"\\u0053ecret\", \"stringData\": {\"key\": \"hush\"\n",
		"two":       service + "---\nkind: ConfigMap\n...\nkind: &k Secret\nstringData: {key: hush}\n",
		"twice":     service + "---\nkind: ConfigMap\nkind: &k Secret\nstringData: {key: hush}\n",
		"merged":    service + "---\nkind: ConfigMap\nx: &x {kind: &k Secret, stringData: {key: hush}}\n<<: *x\n",
		"stream":    service + "---\n{\"kind\": \"Service\"}\n{\"kind\": \"\\u0053ecret\", \"stringData\": {\"key\": \"hush\"}}\n",
		"item":      service + "---\nkind: List\nitems:\n- kind: &k Secret\n  stringData: {key: hush}\n",
		"many":      "kind: SecretList\nitems: [{stringData: {key: hush}}]",
	} {
		got := string(WithoutSecrets([]byte(text)))
		if strings.Contains(got, "hush") || strings.Contains(got, "aHVzaA") {
			t.Errorf("%s: it still has the secret:\n%s", name, got)
		}
		if want, have := strings.Count(text, "\n"), strings.Count(strings.TrimSuffix(got, "\n"), "\n"); have != want && have != want-1 && have != want+1 {
			t.Errorf("%s: %d lines became %d", name, want, have)
		}
		if name != "listed" && name != "many" && !strings.Contains(got, service) {
			t.Errorf("%s: the Service is gone:\n%s", name, got)
		}
	}
	if at := slices.Index(strings.Split(string(WithoutSecrets([]byte("kind: Secret\na: b\nc: d\n---\nkind: Service\n"))), "\n"), "kind: Service"); at != 4 {
		t.Errorf("the Service is in line %d, not 5", at+1)
	}
	for _, other := range []string{
		"kind: SealedSecret\nspec: {}\n", "# no Secret yet\n", "", "kind: Deployment\nspec: {volumes: [{secret: {secretName: a}}]}\n",
		"{\"kind\": \"List\", \"items\": [{\"kind\": \"Service\", \"x\": \"\\n\"}]}\n---\n\n--- # end\nkind: Pod\r\n",
		"kind: ConfigMap\ndata: [ # is not closed\n",
	} {
		if got := string(WithoutSecrets([]byte(other))); got != other {
			t.Errorf("%q became %q", other, got)
		}
	}
}

// TestPacked wants the packed form to say what the lines say.
func TestPacked(t *testing.T) {
	lines := []line{
		{Text: "a", Objects: []int{1}, Heading: true},
		{Text: "b", Objects: []int{1}},
		{Text: ""},
		{Text: "c\nd", Class: "new"},
		{Text: "e", Class: "new", Objects: []int{2, 3}},
		{Text: "f", Class: "old"},
		{Text: "g", Class: "new"},
	}
	got, err := json.Marshal(pack(lines))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"t":"a\nb\n\nc\ufffdd\ne\nf\ng","o":[[0,1],[2],[4,2,3],[5]],"new":[[3,2],[6,1]],"old":[[5,1]],"h":[0]}`
	if string(got) != want && strings.ReplaceAll(string(got), "\uFFFD", `\ufffd`) != want {
		t.Errorf("packed:\n%s\nwant\n%s", got, want)
	}
	if got, err := json.Marshal(pack(nil)); err != nil || string(got) != `{"t":null,"o":[]}` {
		t.Errorf("no lines: %s, %v", got, err)
	}
	if got, err := json.Marshal(pack([]line{{}})); err != nil || string(got) != `{"t":"","o":[]}` {
		t.Errorf("one empty line: %s, %v", got, err)
	}
}
