package proof

import (
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Change is packets that one program treats in one way and another in another way.
type Change struct {
	Boxes []space.Box // disjoint
	// Packet is one of the packets, and Before and After are what happens to it.
	Packet        eval.Packet
	Before, After eval.Result
	// Reason says what differs.
	Reason string
}

// Changes returns all packets that two programs of one node treat differently: by what
// changes, in the order of their lowest packets. It ends when more boxes differ than most.
func Changes(before, after *ir.Program, most int) (list []Change, complete bool, err error) {
	old, now := eval.New(before), eval.New(after)
	o := outcomes{shares: true}
	c := Comparison{Want: Meaning(old), Got: Meaning(now), Same: o.same, Most: most}
	report, err := c.Run(spaceOfBoth(old, now))
	if err != nil {
		return nil, false, err
	}
	index := make(map[string]int)
	for _, d := range report.Differences {
		key := outcomeText(&d.Want) + " -> " + outcomeText(&d.Got)
		at, known := index[key]
		if !known {
			at = len(list)
			index[key] = at
			list = append(list, Change{Packet: d.Packet, Before: d.Want, After: d.Got, Reason: d.Reason})
		}
		list[at].Boxes = append(list[at].Boxes, d.Box)
	}
	for i := range list {
		c := &list[i]
		c.Boxes = join(c.Boxes)
		c.Packet = eval.Representative(&c.Boxes[0])
		c.Before, c.After = old.Eval(c.Packet), now.Eval(c.Packet)
	}
	return list, !report.More, nil
}

// spaceOfBoth is every packet of a node whose own addresses are those of both programs.
func spaceOfBoth(a, b *eval.Evaluator) []space.Box {
	out := Space(a, eval.States()...)
	for i, other := range Space(b, eval.States()...) {
		for f := range out[i].Sets {
			x, _ := out[i].Sets[f].Intervals()
			y, _ := other.Sets[f].Intervals()
			out[i].Sets[f] = space.Of(slices.Concat(x, y)...)
		}
	}
	return out
}

// join puts boxes together that differ in one field only, as often as there are some.
func join(boxes []space.Box) []space.Box {
	for before := 0; before != len(boxes); {
		before = len(boxes)
		for f := range space.Fields {
			boxes = joinField(boxes, f)
		}
	}
	slices.SortStableFunc(boxes, func(a, b space.Box) int { return compareBoxes(&a, &b) })
	return boxes
}

func joinField(boxes []space.Box, f space.Field) []space.Box {
	index := make(map[string]int)
	var out []space.Box
	for _, b := range boxes {
		if _, selected := b.Sets[f].Intervals(); selected {
			out = append(out, b)
			continue
		}
		key := boxKey(&b, f)
		at, known := index[key]
		if !known {
			index[key] = len(out)
			out = append(out, b)
			continue
		}
		x, _ := out[at].Sets[f].Intervals()
		y, _ := b.Sets[f].Intervals()
		out[at].Sets[f] = space.Of(slices.Concat(x, y)...)
	}
	return out
}

func compareBoxes(a, b *space.Box) int {
	if a.IPv6 != b.IPv6 {
		if b.IPv6 {
			return -1
		}
		return 1
	}
	for f := range a.Sets {
		if c := a.Sets[f].Least().Compare(b.Sets[f].Least()); c != 0 {
			return c
		}
	}
	return 0
}
