package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestColour wants lint's findings to be coloured where their own stream is a terminal, not
// where the other one is: they are written to files, and the summary is not.
func TestColour(t *testing.T) {
	at := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(at, []byte("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {prots: []}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{false, true} {
		var out, err strings.Builder
		Run([]string{"lint", "-f", at}, Streams{In: strings.NewReader(""), Out: &out, Err: &err, OutColor: want, ErrColor: !want})
		if !strings.Contains(out.String(), "PLC0014") || strings.Contains(out.String(), "\x1b[") != want {
			t.Errorf("%v: %q", want, out.String())
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if IsTerminal(null) {
		t.Error("the null device takes no colours")
	}
}
