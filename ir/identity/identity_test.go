package identity

import (
	"crypto/sha256"
	"math/big"
	"strconv"
	"strings"
	"testing"
)

// weak has two values only.
func weak(b []byte) (sum [sha256.Size]byte) {
	sum[16], sum[0] = byte(len(b)%2), byte(len(b)%2)
	return sum
}

// TestCollisions gives contents whose hashes are equal names of their own, of the
// same length, and each the same name again.
func TestCollisions(t *testing.T) {
	for _, encode := range []Encoding{Lower, Short} {
		n := Names{Hash: weak}
		seen := make(map[string]string)
		for round := range 2 {
			for i := range 300 {
				content := "content " + strconv.Itoa(i)
				name := n.Of("p-", content, encode)
				if other, taken := seen[name]; taken != (round > 0) || taken && other != content {
					t.Fatalf("round %d: %s is the name of %q and of %q", round, name, other, content)
				}
				if want := len(n.Of("q-", "content", encode)); len(name) != want {
					t.Errorf("%s has %d characters, not %d", name, len(name), want)
				}
				seen[name] = content
			}
		}
	}
}

func TestCodes(t *testing.T) {
	c := Codes{Hash: weak}
	seen := make(map[uint64]bool)
	for i := range 300 {
		code := c.Of(strconv.Itoa(i), func(n uint64) bool { return n != 0 })
		if code == 0 || seen[code] || c.Of(strconv.Itoa(i), nil) != code {
			t.Errorf("%d has the code %d", i, code)
		}
		seen[code] = true
	}
}

// TestLengths keeps names as long as kernels take and as strong as promised.
func TestLengths(t *testing.T) {
	sum := sha256.Sum256([]byte("x"))
	if got := Lower(sum); len(got) != 26 || strings.ToLower(got) != got {
		t.Errorf("Lower: %q", got)
	}
	if got := Short(sum); len(got) != 22 {
		t.Errorf("Short: %q", got)
	}
	// One bit of the first 16 bytes changes the name.
	for bit := range 128 {
		other := sum
		other[bit/8] ^= 1 << (bit % 8)
		if Lower(other) == Lower(sum) || Short(other) == Short(sum) {
			t.Errorf("bit %d does not count", bit)
		}
	}
}

// TestNumbers gives each number out once, first those that were asked for, also
// where all ask for the same.
func TestNumbers(t *testing.T) {
	var n Numbers
	seen := make(map[uint32]bool)
	for i := range uint32(20000) {
		got := n.Free(19990, 10, 20009)
		if want := 10 + (19980+i)%20000; got != want || seen[got] {
			t.Fatalf("%d: %d, want %d", i, got, want)
		}
		seen[got] = true
	}
	var m Numbers
	if a, b, c := m.Free(5, 5, 9), m.Free(7, 5, 9), m.Free(5, 5, 9); a != 5 || b != 7 || c != 6 {
		t.Errorf("%d, %d, %d", a, b, c)
	}
	if a, b := m.Free(2, 5, 9), m.Free(99, 5, 9); a != 8 || b != 9 {
		t.Errorf("%d, %d", a, b)
	}
}

// TestShortIsDivision holds the words of Short against one large number: names of objects
// that are in kernels must not change.
func TestShortIsDivision(t *testing.T) {
	sums := [][sha256.Size]byte{{}, {0: 0xff}, {16: 1}}
	for i := range len(sums[0]) {
		sums[1][i] = 0xff
	}
	for i := range 200 {
		sums = append(sums, sha256.Sum256([]byte(strconv.Itoa(i))))
	}
	for _, sum := range sums {
		n, base, want := new(big.Int).SetBytes(sum[:17]), big.NewInt(62), ""
		for range 22 {
			digit := new(big.Int)
			n.DivMod(n, base, digit)
			want += string(digits[digit.Int64()])
		}
		if got := Short(sum); got != want {
			t.Errorf("Short(%x) = %s, want %s", sum, got, want)
		}
	}
}
