package live

import (
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
)

// TestUnread wants elements that are none, or there twice, to be an error whenever they are read, also
// the second time and for a change, and a text that was read not to be kept.
func TestUnread(t *testing.T) {
	p := irtest.ManyServices(20)
	text := string(emitWith(t, p, backends.DefaultOptions()))
	before, after := emitWith(t, some(p, 0, 1), backends.DefaultOptions()), emitWith(t, grown(p, 0, 1), backends.DefaultOptions())
	lines := strings.SplitAfter(text, "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "\t\t\t10.") })
	for name, line := range map[string]string{"none": "\t\t\tnone,\n", "twice": lines[at+1]} {
		other := slices.Clone(lines)
		other[at] = line
		broken := []byte(strings.Join(other, ""))
		w, err := Read(broken)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		l := Hold(w)
		if _, err := l.Change(before, after); err == nil {
			t.Errorf("%s: a change", name)
		}
		if _, err := l.Replace([]byte(text)); err == nil {
			t.Errorf("%s: another text", name)
		}
		first := w.Complete()
		if again := w.Complete(); first == nil || again == nil || first.Error() != again.Error() {
			t.Errorf("%s: %v, and again %v", name, first, again)
		}
		if _, err := (&State{Model: &Model{}}).Plan(w); err == nil {
			t.Errorf("%s: a plan", name)
		}
		if _, err := Parse(broken); err == nil || err.Error() != first.Error() {
			t.Errorf("%s: %v, want %v", name, err, first)
		}
	}
	w, err := Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if l := Hold(w); l.unread != w {
		t.Error("what is held was read")
	}
	if err := w.Complete(); err != nil {
		t.Fatal(err)
	}
	if l := Hold(w); l.unread != nil || l.model != w.model {
		t.Error("the text is held, although it was read")
	}
	if diff := diffModels(w.model, parse(t, text)); !diff.Empty() {
		t.Errorf("read in two steps it is another model: %v", diff.Steps())
	}
}
