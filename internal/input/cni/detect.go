package cni

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
)

// Host is the node that is looked at.
type Host struct {
	// Root is where the node's file system is; "" is "/".
	Root string
	// ConfDir is the directory of CNI configurations below Root; "" is [ConfDir].
	ConfDir string
}

// Found is what was found.
type Found struct {
	// System is the row; nil means that nothing tells which one it is.
	System *System
	// Preset are the settings that the row, the configuration of its plugin and the plugin
	// below it say.
	Preset Preset
	// File is the configuration that decided, with its directory; "" is none.
	File string
	// Why are the reasons, in the order in which they were found: sentences without a full
	// stop.
	Why []string
	// Candidates are the names of the systems between which nothing decides, sorted.
	Candidates []string
	// Unread are files that could not be read.
	Unread []Unread
}

// Same reports whether two looks had the same result, whatever the reasons were.
func (f *Found) Same(g *Found) bool {
	name := func(f *Found) string {
		if f.System == nil {
			return ""
		}
		return f.System.Name
	}
	return name(f) == name(g) && f.Preset.DetectLocal == g.Preset.DetectLocal && slices.Equal(f.Preset.NonMasquerade, g.Preset.NonMasquerade)
}

// because adds a reason.
func (f *Found) because(format string, args ...any) {
	f.Why = append(f.Why, fmt.Sprintf(format, args...))
}

// look is one look at a node.
type look struct {
	found Found
	// root is where the node's file system is, and dir the directory of configurations in it. With
	// the root "/" it may be relative to the process.
	root, dir  string
	interfaces []string
	confs      []conf
}

// Detect looks which system a node has. It reads files only, and changes nothing. What
// cannot be read is in Unread.
func Detect(h Host) Found {
	l := look{root: cmp.Or(h.Root, "/"), dir: cmp.Or(h.ConfDir, ConfDir)}
	l.readInterfaces("/sys/class/net")
	l.readConfs()
	if len(l.confs) > 0 {
		l.found.File = l.outside(filepath.Join(l.dir, l.confs[0].file))
		l.follow(l.confs[0], 0)
	}
	if len(l.confs) == 0 {
		l.byInterfaces()
	}
	return l.found
}

// maxInterfaces bounds the interfaces that are looked at.
const maxInterfaces = 4096

// outside returns the path that this process has for one of the node.
func (l *look) outside(path string) string {
	if l.root == "/" {
		return path
	}
	return filepath.Join(l.root, path)
}

// unread notes that a file or directory of the node cannot be read.
func (l *look) unread(path string, err error) {
	l.found.Unread = append(l.found.Unread, Unread{l.outside(path), err.Error()})
}

func (l *look) readInterfaces(dir string) {
	names, err := entries(l.root, dir, maxInterfaces)
	if err != nil {
		l.unread(dir, err)
		return
	}
	l.interfaces = names
}

func (l *look) readConfs() {
	names, err := confFiles(l.root, l.dir)
	if err != nil {
		l.unread(l.dir, err)
	}
	for _, name := range names {
		path := filepath.Join(l.dir, name)
		c, err := readFile(l.root, path)
		if err != nil {
			l.unread(path, err)
			continue
		}
		l.confs = append(l.confs, c)
	}
	switch dir := l.outside(l.dir); {
	case err != nil:
		l.found.because("%s cannot be read", dir)
	case len(l.confs) == 0 && len(names) > 0:
		l.found.because("no CNI configuration in %s can be read", dir)
	case len(l.confs) == 0:
		l.found.because("%s has no CNI configuration", dir)
	case len(names) > 1:
		l.found.because("%s is the first of %d configurations in %s, which the runtime takes", l.confs[0].file, len(names), dir)
	}
}

// maxDelegates bounds how often a plugin that calls another one is followed.
const maxDelegates = 4

// follow finds the system of a network, and behind a plugin that calls others that of the
// network it calls.
func (l *look) follow(c conf, steps int) {
	l.match(&c)
	s, first := l.found.System, &c.plugins[0]
	if s == nil || !s.Meta() || steps == maxDelegates {
		return
	}
	switch next, ok := l.next(first, c.file); {
	case ok:
		l.follow(next, steps+1)
	case first.standard != "":
		if called, err := Lookup(first.standard); err == nil {
			l.found.because("default_plugin of %s is %s", s.Title, first.standard)
			l.found.System, l.found.Preset = called, called.Preset()
		}
	default:
		l.found.because("what %s calls is in no file of the node", s.Title)
	}
}

// next returns the network that Multus calls: clusterNetwork, which is the path of a file
// or the name of a network, the first delegate, or else the next file.
func (l *look) next(p *plugin, file string) (conf, bool) {
	if p.next != "" {
		at := slices.IndexFunc(l.confs, func(c conf) bool { return c.file != file && (c.file == filepath.Base(p.next) || c.network == p.next) })
		if at < 0 {
			l.found.because("clusterNetwork %q is not in %s", p.next, l.outside(l.dir))
			return conf{}, false
		}
		l.found.because("clusterNetwork is %q", p.next)
		return l.confs[at], true
	}
	if p.delegate != nil && p.delegate.kind != "" {
		l.found.because("the first delegate is %s", p.delegate.kind)
		return conf{file: file, plugins: []plugin{*p.delegate}}, true
	}
	if p.kind == "genie" || p.kind == "danm" {
		return conf{}, false
	}
	at := slices.IndexFunc(l.confs, func(c conf) bool { return c.file > file })
	if at < 0 {
		return conf{}, false
	}
	l.found.because("%s names no network: the next file, %s, is taken", p.kind, l.confs[at].file)
	return l.confs[at], true
}
