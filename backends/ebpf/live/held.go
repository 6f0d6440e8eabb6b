package live

import (
	"errors"
	"fmt"
	"slices"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// Errors of held state.
var (
	// ErrWhole says that a change is about more than Services: it needs the whole image.
	ErrWhole = errors.New("the change needs the whole image")
	// ErrDrift says that the maps are not as they were left.
	ErrDrift = errors.New("another process has changed the eBPF maps")
)

// Held is the image that the maps have, without a look at them. It plans changes of a few
// Services, whose cost does not depend on how many others there are.
//
//	Change ─▶ Plan ─▶ Pins.Apply ─▶ Commit
type Held struct {
	image *image.Image
	// rest is an image with what the maps have beside Services: image, until a policy changes.
	rest *image.Image
	// since is what Services mean that have changed since; nil is nothing.
	since map[layout.ServiceKey]*layout.Content
}

// NewHeld holds an image that the maps have.
func NewHeld(img *image.Image) *Held {
	return &Held{image: img, rest: img, since: make(map[layout.ServiceKey]*layout.Content)}
}

// Change plans what differs between two images of a few Services each, which the change is
// about (fragments of programs: compiler.Delta). They have the meta of whole images.
func (h *Held) Change(before, after *image.Image) (*Plan, error) {
	if !image.SameRest(before, after) {
		return nil, ErrWhole
	}
	return planServices(before, after), nil
}

// ChangePolicy is Change with the whole policy, possibly none, in the second image and none
// in the first: it replaces the held policy. Services and policy are committed together.
func (h *Held) ChangePolicy(before, after *image.Image) (*Plan, error) {
	if !image.SameSettings(before, after) || !image.SameSettings(h.rest, after) {
		return nil, ErrWhole
	}
	p := planServices(before, after)
	if steps := compareRest(h.rest, after); len(steps) > 0 {
		p.rest, p.steps = after, append(p.steps, steps...)
	}
	return p, nil
}

// planServices plans what differs between the Services of two images.
func planServices(before, after *image.Image) *Plan {
	p := &Plan{held: true}
	var count changes
	merge(before.Entries(), after.Entries(), func(key layout.ServiceKey, was, is *layout.Content) {
		p.changes = append(p.changes, change{key, was, is})
		count.add(was, is)
	})
	if count != (changes{}) {
		p.steps = []string{fmt.Sprintf("map svc: %v", count)}
	}
	return p
}

// compareRest says what differs of the maps that do not belong to Services, a line each.
func compareRest(have, want *image.Image) (steps []string) {
	for i, l := range layout.Maps() {
		if i == layout.Meta || layout.InStoreMaps(i) {
			continue
		}
		if c := compareMaps(have.Map(i), want.Map(i)); c != (changes{}) {
			steps = append(steps, fmt.Sprintf("map %s: %v", l.Name, c))
		}
	}
	if len(steps) == 0 && have.Rest() != want.Rest() {
		steps = append(steps, "map meta: 1 entry changes")
	}
	return steps
}

// Replace plans the whole image.
func (h *Held) Replace(whole *image.Image) (*Plan, error) {
	p := &Plan{held: true, want: whole}
	var count changes
	merge(h.entries(), whole.Entries(), func(_ layout.ServiceKey, was, is *layout.Content) { count.add(was, is) })
	if count != (changes{}) {
		p.steps = append(p.steps, fmt.Sprintf("map svc: %v", count))
	}
	if p.steps = append(p.steps, compareRest(h.rest, whole)...); len(p.steps) > 0 {
		p.steps = append(p.steps, "activate image "+short(whole))
	}
	return p, nil
}

// Commit records that the maps have what was planned.
func (h *Held) Commit(p *Plan) {
	if p.want != nil {
		h.image, h.rest = p.want, p.want
		clear(h.since)
		return
	}
	if p.rest != nil {
		h.rest = p.rest
	}
	for _, c := range p.changes {
		h.since[c.key] = c.after
	}
}

// entries are those of the image with what has changed since, sorted by key.
func (h *Held) entries() []layout.Entry { return overlay(h.image.Entries(), h.since) }

// overlay returns entries with what has changed, sorted by key.
func overlay(list []layout.Entry, since map[layout.ServiceKey]*layout.Content) []layout.Entry {
	if len(since) == 0 {
		return list
	}
	list = slices.DeleteFunc(list, func(e layout.Entry) bool { _, changed := since[e.Key]; return changed })
	for key, c := range since {
		if c != nil {
			list = append(list, layout.Entry{Key: key, Content: *c})
		}
	}
	layout.SortEntries(list)
	return list
}

// merge walks two lists in the order of their keys, and tells what differs.
func merge(before, after []layout.Entry, differs func(key layout.ServiceKey, was, is *layout.Content)) {
	for len(before) > 0 || len(after) > 0 {
		order := 0
		switch {
		case len(before) == 0:
			order = 1
		case len(after) == 0:
			order = -1
		default:
			order = before[0].Key.Compare(after[0].Key)
		}
		switch {
		case order < 0:
			differs(before[0].Key, &before[0].Content, nil)
			before = before[1:]
		case order > 0:
			differs(after[0].Key, nil, &after[0].Content)
			after = after[1:]
		default:
			if !before[0].Equal(&after[0].Content) {
				differs(before[0].Key, &before[0].Content, &after[0].Content)
			}
			before, after = before[1:], after[1:]
		}
	}
}

// add counts one difference.
func (c *changes) add(was, is *layout.Content) {
	switch {
	case was == nil:
		c.come++
	case is == nil:
		c.gone++
	default:
		c.change++
	}
}
