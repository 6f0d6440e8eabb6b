package synth

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
)

// maxAttempts is the number of places for one identity. In a range that is
// nine tenths full, one in 10^11 finds none.
const maxAttempts = 256

// hash is a number that depends only on the words.
func hash(words ...string) uint64 {
	h := sha256.New()
	for _, w := range words {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(w))))
		h.Write([]byte(w))
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// wish is one identity that needs a place, with the sequence of its places.
type wish struct {
	identity string
	// place returns the place of an attempt, and false if it cannot be used.
	place func(attempt int) (netip.AddrPort, bool)
}

// held is the owner of a place, with its attempt.
type held struct {
	wish    int
	attempt int
}

// allocate gives each wish its own place, by deferred acceptance: a wish asks
// for its places in order, and a place accepts the wish with the earliest
// attempt, then the one whose identity sorts first. The result does not depend
// on the order of the wishes, and lacks those that found no place.
func allocate(wishes []wish) map[string]netip.AddrPort {
	holder := make(map[netip.AddrPort]held, len(wishes))
	type ask struct{ wish, attempt int }
	asks := make([]ask, len(wishes))
	for i := range wishes {
		asks[i] = ask{i, 0}
	}
	for len(asks) > 0 {
		a := asks[len(asks)-1]
		asks = asks[:len(asks)-1]
		for a.attempt < maxAttempts {
			at, useful := wishes[a.wish].place(a.attempt)
			if !useful {
				a.attempt++
				continue
			}
			h, taken := holder[at]
			if !taken {
				holder[at] = held(a)
				break
			}
			if a.attempt < h.attempt || a.attempt == h.attempt && wishes[a.wish].identity < wishes[h.wish].identity {
				holder[at] = held(a)
				a = ask(h)
			}
			a.attempt++
		}
	}
	out := make(map[string]netip.AddrPort, len(holder))
	for at, h := range holder {
		out[wishes[h.wish].identity] = at
	}
	return out
}

// addressWish returns the wish for an address in a range.
func addressWish(identity string, in netip.Prefix, taken map[netip.Addr]bool) wish {
	return wish{identity, func(attempt int) (netip.AddrPort, bool) {
		a := addressIn(in, hash("address", in.String(), identity, strconv.Itoa(attempt)))
		return netip.AddrPortFrom(a, 0), !taken[a]
	}}
}

// addressIn returns an address of the range, but not the first ones, which clusters
// use for gateways, the API server and DNS, nor the last, a broadcast address.
func addressIn(in netip.Prefix, h uint64) netip.Addr {
	in = in.Masked()
	bits := min(in.Addr().BitLen()-in.Bits(), 32)
	first := uint64(0)
	switch {
	case bits >= 12:
		first = 256
	case bits >= 4:
		first = 2
	}
	size := uint64(1) << bits
	last := size
	if bits >= 2 {
		last--
	}
	return nth(in.Addr(), first+h%(last-first))
}

// nth returns the address n after a.
func nth(a netip.Addr, n uint64) netip.Addr {
	if a.Is4() {
		b := a.As4()
		binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+uint32(n))
		return netip.AddrFrom4(b)
	}
	b := a.As16()
	binary.BigEndian.PutUint64(b[8:], binary.BigEndian.Uint64(b[8:])+n)
	return netip.AddrFrom16(b)
}

// parseAll returns the valid addresses in the list.
func parseAll(list ...string) []netip.Addr {
	var out []netip.Addr
	for _, s := range list {
		if a, err := netip.ParseAddr(s); err == nil && !slices.Contains(out, a.Unmap()) {
			out = append(out, a.Unmap())
		}
	}
	return out
}
