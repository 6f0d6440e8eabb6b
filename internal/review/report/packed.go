package report

import (
	"slices"
	"strings"
)

// packedText is lines as JSON has them: neighbours often belong to the same objects, and a page
// has a hundred thousand of them. A list names the lines, from 0, where what it is
// about begins.
type packedText struct {
	// Text is the lines with a line break between them, nil if there are none.
	Text *string `json:"t"`
	// Objects are [line, object...]: from there on lines belong to these objects.
	Objects [][]int `json:"o"`
	// New and Old are [line, count] of lines that were added or removed.
	New [][2]int `json:"new,omitempty"`
	Old [][2]int `json:"old,omitempty"`
	// Headings are the lines that begin a part.
	Headings []int `json:"h,omitempty"`
}

// pack packs lines. A method of JSON would do it too, and have its result read again.
func pack(t []line) packedText {
	p := packedText{Objects: [][]int{}}
	all := make([]string, len(t))
	var last []int
	run := func(runs [][2]int, i int) [][2]int {
		if n := len(runs); n > 0 && runs[n-1][0]+runs[n-1][1] == i {
			runs[n-1][1]++
			return runs
		}
		return append(runs, [2]int{i, 1})
	}
	for i := range t {
		l := &t[i]
		all[i] = strings.ReplaceAll(l.Text, "\n", "\uFFFD")
		if !slices.Equal(l.Objects, last) {
			p.Objects = append(p.Objects, append([]int{i}, l.Objects...))
			last = l.Objects
		}
		switch l.Class {
		case "new":
			p.New = run(p.New, i)
		case "old":
			p.Old = run(p.Old, i)
		}
		if l.Heading {
			p.Headings = append(p.Headings, i)
		}
	}
	if joined := strings.Join(all, "\n"); len(t) > 0 {
		p.Text = &joined
	}
	return p
}
