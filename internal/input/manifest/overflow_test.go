package manifest

import (
	"strings"
	"testing"

	"github.com/planec/planec/ir/diag"
)

// TestOverflow wants findings that are too many to be shown to count as what they are.
func TestOverflow(t *testing.T) {
	unread := strings.Repeat("apiVersion: networking.k8s.aws/v1\nkind: ApplicationNetworkPolicy\nmetadata: {name: a, namespace: b}\n---\n", maxDiagnostics+7)
	for text, want := range map[string]diag.Code{unread: diag.UnreadPolicy, unread + "a: [\n": diag.BadDocument} {
		o := loadText(t, text)
		all := o.diagnostics()
		last := all[len(all)-1]
		for _, d := range all {
			if strings.Contains(d.Message, "more findings in this file") {
				last = d
			}
		}
		if last.Code != want || !strings.Contains(last.Message, "more findings in this file are not shown") {
			t.Errorf("%v, want %s", last, want)
		}
	}
}
