package cli

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/internal/text/kustomization"
	"github.com/planec/planec/ir/diag"
)

// Unread input may have changed, which a comparison of objects cannot find. So the
// texts are compared: of documents with unread parts, and of the files behind
// charts and kustomizations.

// unreadInPart are the codes of partly unread input.
var unreadInPart = []diag.Code{
	diag.BadDocument, diag.BadObject, diag.BadUTF8, diag.UnnamedObject, diag.DuplicateObject, diag.UnsupportedKind,
	diag.UnknownField, diag.UnknownPolicyField, diag.UnreadPolicy, diag.MisnamedKind, diag.RefusedPolicy, diag.PatchFile,
	diag.UnrenderedChart, diag.UnbuiltKustomization,
}

// usedInPart are the codes of objects that are compared except for unread parts.
var usedInPart = []diag.Code{diag.DuplicateObject, diag.UnknownField}

// unreadPart is one unread part.
type unreadPart struct {
	diag.Diagnostic
	// same is equal for the same part in two states, whatever its text.
	same string
	// text is a digest of the unread text.
	text string
}

// noteUnread reports unread input that was not compared, and counts what may be a
// change.
func noteUnread(r *diffreport.Report, before, after *diffSide) int {
	added, gone := newlyUnread(before, after, r)
	if len(added) > 0 {
		r.AddUnknown(fmt.Sprintf("Objects, documents or fields of NEW that cannot be read are not compared, and may do anything (%s)", whereUnread(after, added, false)))
	}
	if same := unreadOnBoth(after, added); len(same) > 0 && len(r.Objects) > 0 {
		r.AddUnknown(fmt.Sprintf("What cannot be read on either side may do something else about the objects that change (%s)", whereUnread(after, same, false)))
	}
	if n := max(beyond(before), beyond(after)); n > 0 {
		r.AddUnknown(fmt.Sprintf("What kustomizations take from outside of OLD and NEW is not compared (%s)", count(n, "kustomization")))
	}
	if len(gone) > 0 {
		r.AddUnknown(fmt.Sprintf("Objects or documents of OLD that cannot be read and are gone are not compared, and may have done anything (%s)", whereUnread(before, gone, true)))
	}
	return len(added) + len(gone)
}

// unreadParts lists the unread parts of a side.
func (s *diffSide) unreadParts() (list []unreadPart) {
	texts := texts{side: s, files: make(map[string]documents)}
	for _, d := range s.loaded.diagnostics() {
		if !slices.Contains(unreadInPart, d.Code) {
			continue
		}
		p := unreadPart{Diagnostic: d, same: diagnosticKey(d)}
		switch d.Code {
		case diag.UnrenderedChart:
			p.same += "\x00" + strings.TrimPrefix(d.Origin.File, s.root)
			p.text = texts.chart(d.Origin.File)
		case diag.UnbuiltKustomization:
			p.same += "\x00" + strings.TrimPrefix(d.Origin.File, s.root)
			p.text = texts.kustomization(d.Origin.File)
		default:
			p.text = texts.document(d.Origin.File, d.Origin.Line)
		}
		list = append(list, p)
	}
	return list
}

// newlyUnread lists unread parts of the new state that the old state had not as
// unread parts, and those of the old state that are gone.
func newlyUnread(before, after *diffSide, r *diffreport.Report) (added, gone []unreadPart) {
	old, now := before.unreadParts(), after.unreadParts()
	had := make(map[[2]string]int)
	for i := range old {
		had[[2]string{old[i].same, old[i].text}]++
	}
	there := make(map[string]bool)
	for i := range now {
		there[now[i].same], there[objectName(&now[i])] = true, true
		key := [2]string{now[i].same, now[i].text}
		if had[key]--; had[key] < 0 {
			added = append(added, now[i])
		}
	}
	// A corrected object is compared.
	for i := range r.Objects {
		if o := &r.Objects[i]; o.Change == diffreport.ObjectAdded {
			there[o.Origin.Namespace+"/"+o.Origin.Name] = true
		}
	}
	for i := range old {
		p := &old[i]
		if !slices.Contains(usedInPart, p.Code) && had[[2]string{p.same, p.text}] > 0 && !there[p.same] && !there[objectName(p)] {
			gone = append(gone, *p)
		}
	}
	return added, gone
}

// unreadOnBoth lists completely unread parts of both states: they may affect what
// changed.
func unreadOnBoth(after *diffSide, added []unreadPart) (list []unreadPart) {
	fresh := make(map[[2]string]bool)
	for i := range added {
		fresh[[2]string{added[i].same, added[i].text}] = true
	}
	for _, p := range after.unreadParts() {
		if !slices.Contains(usedInPart, p.Code) && !fresh[[2]string{p.same, p.text}] {
			list = append(list, p)
		}
	}
	return list
}

// whereUnread counts parts, and names the place of the first.
func whereUnread(s *diffSide, list []unreadPart, old bool) string {
	at := list[0].Origin
	at.File = s.display(at.File, old)
	said := count(len(list), "finding")
	switch {
	case at.Position() == "":
		return said
	case len(list) == 1:
		return said + ": " + at.Position()
	}
	return said + ", the first at " + at.Position()
}

// beyond counts the kustomizations that use files outside of the compared ones: changes
// there do not change their own files.
func beyond(s *diffSide) (n int) {
	root := filepath.Join(s.copied, filepath.FromSlash(s.root))
	for _, d := range s.loaded.diagnostics() {
		if d.Code != diag.UnbuiltKustomization {
			continue
		}
		file := filepath.Join(s.copied, filepath.FromSlash(d.Origin.File))
		if content, err := kustomization.Read(file); err == nil && content.Outside(filepath.Dir(file), root) {
			n++
		}
	}
	return n
}

// objectName identifies the object of a part, whatever its kind was taken for. For a
// part without a name it is a word that is no other key.
func objectName(p *unreadPart) string {
	if p.Origin.Name == "" {
		return p.same
	}
	return p.Origin.Namespace + "/" + p.Origin.Name
}

// texts computes digests of a side's files.
type texts struct {
	side  *diffSide
	files map[string]documents
}

// documents is a file's text with the starts of its documents.
type documents struct {
	lines  []string
	starts []int
	// sums maps the starts of documents to digests.
	sums map[int]string
}

// path returns the place of the file with this name.
func (t *texts) path(name string) string {
	return filepath.Join(t.side.copied, filepath.FromSlash(name))
}

// document digests the document of a file that contains a line, without comments
// and empty lines. Line 0 is the whole file.
func (t *texts) document(name string, line int) string {
	d, known := t.files[name]
	if !known {
		text, _ := os.ReadFile(t.path(name)) // it was read before; if it is gone now, it is empty
		d.lines, d.sums = strings.Split(string(text), "\n"), make(map[int]string)
		for i, l := range d.lines {
			if strings.HasPrefix(l, "---") {
				d.starts = append(d.starts, i)
			}
		}
		t.files[name] = d
	}
	from, to := 0, len(d.lines)
	if line > 0 {
		at, _ := slices.BinarySearch(d.starts, line)
		if at > 0 {
			from = d.starts[at-1]
		}
		if at < len(d.starts) {
			to = d.starts[at]
		}
	}
	if sum, known := d.sums[from]; known && line > 0 {
		return sum
	}
	h := sha256.New()
	for _, l := range d.lines[min(from, len(d.lines)):to] {
		if content := strings.TrimSpace(l); content != "" && content[0] != '#' && content != "---" {
			fmt.Fprintln(h, strings.TrimRight(l, " \r"))
		}
	}
	sum := string(h.Sum(nil))
	if line > 0 {
		d.sums[from] = sum
	}
	return sum
}

// chart digests all files of a chart.
func (t *texts) chart(name string) string {
	tree := treeDigest{seen: make(map[string]bool)}
	tree.add(filepath.Dir(t.path(name)))
	return tree.String()
}

// kustomization digests the files of a kustomization, as far as the side has them.
func (t *texts) kustomization(name string) string {
	tree := treeDigest{root: filepath.Join(t.side.copied, filepath.FromSlash(t.side.root)), seen: make(map[string]bool)}
	tree.addKustomization(filepath.Dir(t.path(name)))
	return tree.String()
}

// treeDigest is a digest of files and directories, in the order of the calls.
type treeDigest struct {
	root string // the prefix of names to digest; "" is all
	seen map[string]bool
	sums []string
}

func (d *treeDigest) String() string { return strings.Join(d.sums, "") }

// addKustomization adds a directory's kustomization, and only the files and directories
// that it names.
func (d *treeDigest) addKustomization(dir string) {
	file := kustomization.Find(dir)
	if file == "" {
		d.add(dir)
		return
	}
	if d.seen[file] {
		return
	}
	d.add(file)
	content, _ := kustomization.Read(file) // an unreadable one names nothing
	for _, name := range content.Named() {
		at := filepath.Join(dir, name)
		inside, err := filepath.Rel(d.root, at)
		if err != nil || !filepath.IsLocal(inside) {
			continue
		}
		if info, err := os.Stat(at); err == nil && info.IsDir() {
			d.addKustomization(at)
		} else if err == nil {
			d.add(at)
		}
	}
}

// maxDigested bounds the number of files in one digest.
const maxDigested = 100_000

// add digests the regular files at and below a path, with their names.
func (d *treeDigest) add(path string) {
	if d.seen[path] || len(d.seen) > maxDigested {
		return
	}
	d.seen[path] = true
	h := sha256.New()
	// Unreadable files count as equal on both sides.
	_ = filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case entry.IsDir() && at != path && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir // it belongs to the repository or to editors, and is in no revision
		}
		if info, err := os.Stat(at); err == nil && info.Mode().IsRegular() {
			text, _ := os.ReadFile(at)
			name, _ := filepath.Rel(path, at)
			fmt.Fprintf(h, "%s %d %x\n", name, len(text), sha256.Sum256(text))
		}
		return nil
	})
	d.sums = append(d.sums, string(h.Sum(nil)))
}
