package backends_test

import (
	"crypto/sha256"
	"testing"

	"github.com/planec/planec/backends"
)

// TestFileSum wants the digest of a file to be that of its content, also of a copy that was given
// another one.
func TestFileSum(t *testing.T) {
	data := []byte("add table ip planec\n")
	for name, f := range map[string]backends.File{
		"a literal": {Name: "rules.nft", Data: data},
		"new":       backends.NewFile("rules.nft", data),
		"known":     backends.FileWithSum("rules.nft", data, sha256.Sum256(data)),
		"empty":     backends.NewFile("rules.nft", nil),
	} {
		for range 2 {
			if f.SHA256() != sha256.Sum256(f.Data) {
				t.Errorf("%s: another digest", name)
			}
		}
		other := f
		for _, content := range [][]byte{data[:7], data[1:], []byte("add table ip planec\t"), {}} {
			if other.Data = content; other.SHA256() != sha256.Sum256(content) {
				t.Errorf("%s: the digest of a copy with the content %q is another one's", name, content)
			}
		}
	}
}
