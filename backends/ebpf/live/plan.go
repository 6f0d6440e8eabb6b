package live

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// State is the state of planec's maps in the kernel.
type State struct {
	// Image is the active image, read back and verified, without symbols (but see
	// [Pins.ObserveFor]); nil if there is none.
	Image *image.Image
	// broken is the reason why the active maps are not a valid image.
	broken error
	// missing are the maps that are not pinned.
	missing []string
}

// Served is what programs use, without names.
func (s *State) Served() backends.Served {
	if s.Image == nil {
		return backends.Served{}
	}
	return s.Image.Served()
}

// Plan activates an image, or changes some of the Services of the active one.
type Plan struct {
	want  *image.Image
	steps []string
	// fromNothing is whether no image was active.
	fromNothing bool
	// held says that the plan is of [Held]. Such a plan without an image has changes.
	held    bool
	changes []change
	// rest is an image with what the maps are to have beside Services, for a plan with changes;
	// nil if they keep what they have.
	rest *image.Image
}

// change is what a key means and will mean; nil is nothing.
type change struct {
	key           layout.ServiceKey
	before, after *layout.Content
}

// NewPlan compares the kernel with an image.
func NewPlan(have *State, want *image.Image) *Plan {
	p := &Plan{want: want, fromNothing: have.Image == nil && have.broken == nil}
	if have.Image != nil && have.Image.Digest() == want.Digest() && len(have.missing) == 0 {
		return p
	}
	for _, name := range have.missing {
		p.steps = append(p.steps, "add map "+name)
	}
	if have.broken != nil {
		reason := strings.ReplaceAll(have.broken.Error(), "\n", "; ")
		p.steps = append(p.steps, "replace what is active, which is no image: "+reason)
	}
	for i, l := range layout.Maps() {
		if i == layout.Meta {
			continue // meta changes with the image; the last step shows that
		}
		var old *image.Map
		if have.Image != nil {
			old = have.Image.Map(i)
		}
		if c := compareMaps(old, want.Map(i)); c != (changes{}) {
			p.steps = append(p.steps, fmt.Sprintf("map %s: %v", l.Name, c))
		}
	}
	p.steps = append(p.steps, activation(have.Image, want))
	return p
}

// FromNothing reports whether the plan was made for a kernel without an image.
func (p *Plan) FromNothing() bool { return p.fromNothing }

// Empty reports whether there is nothing to change.
func (p *Plan) Empty() bool { return len(p.steps) == 0 }

// Steps describes the changes, one line each.
func (p *Plan) Steps() []string { return p.steps }

func activation(have, want *image.Image) string {
	text := "activate image " + short(want)
	if have != nil {
		text += " in the place of " + short(have)
	}
	return text
}

// short returns the start of an image's digest, for messages.
func short(img *image.Image) string {
	d := img.Digest()
	return hex.EncodeToString(d[:6])
}

// changes counts the changed entries of one map.
type changes struct{ come, gone, change int }

// String lists the counts that are not zero.
func (c changes) String() string {
	var parts []string
	for _, p := range []struct {
		n              int
		single, plural string
	}{{c.come, "comes", "come"}, {c.gone, "goes", "go"}, {c.change, "changes", "change"}} {
		verb := p.plural
		if p.n == 1 {
			verb = p.single
		}
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", counted(p.n), verb))
		}
	}
	return strings.Join(parts, ", ")
}

func counted(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// compareMaps walks two maps in key order; old may be nil.
func compareMaps(old, want *image.Map) (c changes) {
	if old == nil {
		return changes{come: want.Len()}
	}
	if old.Digest() == want.Digest() {
		return c
	}
	i, j := 0, 0
	for i < old.Len() && j < want.Len() {
		switch order := compareKeys(old, want, i, j); {
		case order < 0:
			c.gone++
			i++
		case order > 0:
			c.come++
			j++
		default:
			if !bytes.Equal(old.Value(i), want.Value(j)) {
				c.change++
			}
			i++
			j++
		}
	}
	c.gone += old.Len() - i
	c.come += want.Len() - j
	return c
}

// compareKeys compares the keys of entry i of one map and entry j of another. The
// key of an array entry is its index, which is not stored.
func compareKeys(a, b *image.Map, i, j int) int {
	if a.Layout().Type == layout.Array {
		return i - j
	}
	return bytes.Compare(a.Key(i), b.Key(j))
}
