package proof

import (
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Judge says what happens to every packet of a box; it narrows the box to packets that it
// treats alike.
type Judge func(*space.Packets) (eval.Result, error)

// Difference is a box of packets that two judges treat differently.
type Difference struct {
	Box    space.Box
	Packet eval.Packet // the lowest packet of the box
	// Want and Got are the results of the first judge and of the second.
	Want, Got eval.Result
	// Reason says what differs.
	Reason string
}

// Report is what a comparison found.
type Report struct {
	// Boxes is how many boxes of packets were compared, and Excluded how many were
	// not, because the backend says that it cannot do what the program asks for them.
	Boxes, Excluded int
	// Differences are the first that were found, at most the asked number. Without
	// any, the judges treat all packets alike.
	Differences []Difference
	// More says that the comparison ended at that number.
	More bool
	// Limits are the diagnostics because of which packets are excluded.
	Limits []string
}

// Comparison compares two judges.
type Comparison struct {
	Want, Got Judge
	// Excluded reports whether packets are not to be compared, and may be nil.
	Excluded func(*space.Packets, *eval.Result) bool
	// Same returns what differs in two results, or "".
	Same func(want, got *eval.Result, p *space.Packets) string
	// Bindings, unless it is nil, is what binds clients to endpoints, see [Bindings].
	Bindings *Bindings
	// Most is the number of differences after which the comparison ends; 0 is 1.
	Most int
}

// Run compares the judges for every packet of the boxes. An error says that one of them
// cannot judge, so nothing is shown.
func (c *Comparison) Run(boxes []space.Box) (Report, error) {
	var r Report
	var err error
	space.Walk(boxes, func(p *space.Packets) bool {
		var want eval.Result
		if want, err = c.judge(c.Want, p); err != nil {
			return false
		}
		if c.Excluded != nil && c.Excluded(p, &want) {
			r.Excluded++
			return true
		}
		space.Walk([]space.Box{p.Box()}, func(q *space.Packets) bool {
			err = c.compare(&r, want, q)
			return err == nil && !r.More
		})
		return err == nil && !r.More
	})
	return r, err
}

func (c *Comparison) judge(j Judge, p *space.Packets) (eval.Result, error) {
	result, err := j(p)
	if err == nil {
		err = p.Err()
	}
	return result, err
}

// compare compares the second judge with the result of the first.
func (c *Comparison) compare(r *Report, want eval.Result, p *space.Packets) error {
	got, err := c.Got(p)
	if undecided := p.Err(); undecided != nil {
		return undecided
	}
	r.Boxes++
	reason := ""
	if err != nil {
		reason = err.Error() // what rules do is a matter of chance, or has no end
	} else {
		reason = c.Same(&want, &got, p)
	}
	if reason == "" && c.Bindings != nil {
		reason = c.Bindings.differ(&want, &got, p.IPv6())
	}
	if reason == "" {
		return nil
	}
	box := p.Box()
	r.Differences = append(r.Differences, Difference{Box: box, Packet: eval.Representative(&box), Want: want, Got: got, Reason: reason})
	r.More = len(r.Differences) >= max(c.Most, 1)
	return nil
}
