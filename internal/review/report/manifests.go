package report

import (
	"cmp"
	"slices"
	"strings"
)

// mostText is how many bytes of manifests a page has: browsers open a page of
// this size in a second or two.
const mostText = 16 << 20

// files returns the manifests' lines. A file that only one state has is new or
// old as a whole.
func (x *index) files(in *Input) []file {
	out := make([]file, 0, len(in.Files))
	now := x.state(in)
	if in.Before == nil {
		return inOrder(now, out)
	}
	was := x.state(in.Before)
	both := make(map[string][]line, len(now))
	for name := range was {
		both[name] = changed(was[name], now[name])
	}
	for name := range now {
		both[name] = changed(was[name], now[name])
	}
	return inOrder(both, out)
}

func inOrder(texts map[string][]line, out []file) []file {
	for name, lines := range texts {
		out = append(out, file{Name: name, Lines: pack(lines)})
	}
	slices.SortFunc(out, func(a, b file) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// state returns the lines of one state's files, by name.
func (x *index) state(in *Input) map[string][]line {
	starts := make(map[string][]start)
	for _, p := range x.placed(in) {
		starts[p.file] = append(starts[p.file], start{p.line, p.id})
	}
	out := make(map[string][]line, len(in.Files))
	size := 0
	for _, f := range in.Files {
		name := strings.TrimPrefix(f.Name, in.Root)
		if size += len(f.Text); size > mostText {
			out[name] = []line{{Text: "# this file is left out: a page has 16 MiB of manifests at most"}}
			continue
		}
		text := split(WithoutSecrets(f.Text))
		lines := make([]line, len(text))
		for i, t := range text {
			lines[i].Text = printable(strings.TrimSuffix(t, "\r"))
		}
		spread(lines, starts[name])
		out[name] = lines
	}
	return out
}

// start is the first line of an object in a file, from 1.
type start struct{ line, id int }

type placedObject struct {
	file     string
	line, id int
}

// placed lists where the objects of a state begin.
func (x *index) placed(in *Input) []placedObject {
	var out []placedObject
	for _, o := range listed(in) {
		if id, known := x.byName[o.identity()]; known && o.File != "" && o.Line > 0 {
			out = append(out, placedObject{o.File, o.Line, id})
		}
	}
	return out
}

// spread gives lines the objects that begin at or above them, up to the next object
// or the end of the document. Several objects may begin in one line: what was made
// of a workload is where the workload is.
func spread(lines []line, starts []start) {
	slices.SortFunc(starts, func(a, b start) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.id, b.id)) })
	for i := 0; i < len(starts); {
		var ids []int
		at := starts[i].line
		for ; i < len(starts) && starts[i].line == at; i++ {
			ids = append(ids, starts[i].id)
		}
		end := len(lines) + 1
		if i < len(starts) {
			end = starts[i].line
		}
		for n := at; n < end && n <= len(lines); n++ {
			if n > at && strings.HasPrefix(lines[n-1].Text, "---") {
				break
			}
			lines[n-1].Objects = unique(slices.Clone(ids))
		}
	}
}
