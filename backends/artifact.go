package backends

import (
	"crypto/sha256"
	"sync"
	"unsafe"
)

// Artifact is the output of a backend, sorted by file name.
type Artifact struct {
	Files []File // each name once
	// Private says that the files have secrets: only their owner may read them.
	Private bool
	// Made is what a backend made one of the files of, so that an applier in the same process
	// need not read that file; nil if there is nothing, or if the files come from elsewhere. It
	// says what the files say, and it is not to be changed. Of eBPF it is the image.
	Made any
}

// File returns the content of the named file, or nil.
func (a Artifact) File(name string) []byte { return a.Named(name).Data }

// Named returns the named file, or an empty one.
func (a Artifact) Named(name string) File {
	for _, f := range a.Files {
		if f.Name == name {
			return f
		}
	}
	return File{Name: name}
}

// File is one file of an artifact. Its content does not change.
type File struct {
	// Name is a fixed name of the backend ("rules.nft"), never taken from an
	// object.
	Name string
	Data []byte // the whole content
	sum  *sum   // nil if no digest is kept
}

// NewFile returns a file whose digest is computed once, for all copies of it, when it is needed.
func NewFile(name string, data []byte) File { return File{name, data, &sum{of: data}} }

// FileWithSum is [NewFile] of data whose SHA-256 is known.
func FileWithSum(name string, data []byte, digest [sha256.Size]byte) File {
	f := NewFile(name, data)
	f.sum.once.Do(func() { f.sum.digest = digest })
	return f
}

// SHA256 returns the digest of the content. Several need it: the file of digests, the record of what
// was applied, and the seal of nftables' rules.
func (f File) SHA256() [sha256.Size]byte {
	if !f.sum.is(f.Data) {
		return sha256.Sum256(f.Data)
	}
	f.sum.once.Do(func() { f.sum.digest = sha256.Sum256(f.Data) })
	return f.sum.digest
}

// sum is the digest of a content, computed once.
type sum struct {
	of     []byte
	once   sync.Once
	digest [sha256.Size]byte
}

// is reports whether the digest is of this memory: a copy of a file may have been given another
// content.
func (s *sum) is(data []byte) bool {
	return s != nil && len(s.of) == len(data) && unsafe.SliceData(s.of) == unsafe.SliceData(data)
}
