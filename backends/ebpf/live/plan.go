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

// State is what of ours is in the kernel.
type State struct {
	// Image is the one that programs use, read back and verified, without
	// symbols; nil where there is none.
	Image *image.Image
	// broken is why what programs use is no image.
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

// Plan is what makes an image the active one.
type Plan struct {
	want  *image.Image
	steps []string
	// fromNothing is whether no image was active.
	fromNothing bool
}

// NewPlan says what has to change. However little it is, a new generation of all
// maps is made: a change is all of an image or nothing.
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
			continue // it says which image it is, as the last step does
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

// FromNothing reports whether the plan was made for a kernel that had no image.
func (p *Plan) FromNothing() bool { return p.fromNothing }

// Empty reports whether nothing has to change.
func (p *Plan) Empty() bool { return len(p.steps) == 0 }

// Steps are the changes, a line each.
func (p *Plan) Steps() []string { return p.steps }

func activation(have, want *image.Image) string {
	text := "activate image " + short(want)
	if have != nil {
		text += " in the place of " + short(have)
	}
	return text
}

// short is the start of an image's digest, for people.
func short(img *image.Image) string {
	d := img.Digest()
	return hex.EncodeToString(d[:6])
}

// changes counts entries of one map.
type changes struct{ come, gone, change int }

// String names what is not zero.
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

// compareMaps walks two maps in the order of their keys; old may be nil.
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

// compareKeys orders entry i of one map and entry j of another. The key of an
// array's entry is its index, which is not stored.
func compareKeys(a, b *image.Map, i, j int) int {
	if a.Layout().Type == layout.Array {
		return i - j
	}
	return bytes.Compare(a.Key(i), b.Key(j))
}
