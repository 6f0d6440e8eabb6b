package live

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/base/nlattr"
	"github.com/planec/planec/internal/text/nft"
)

// AddressSet is what a dynamic set of addresses has, in the tables of both families.
type AddressSet struct {
	Addrs []netip.Addr
	has   map[nft.Family]bool
}

// Takes reports whether the table of an address's family has such a set.
func (s *AddressSet) Takes(a netip.Addr) bool {
	return a.Is4() && s.has[nft.IPv4] || a.Is6() && s.has[nft.IPv6]
}

// Addresses reads a dynamic set of addresses in planec's tables; without tables there are
// none.
func Addresses(set string) (*AddressSet, error) {
	c, err := dial()
	if err != nil {
		return nil, err
	}
	defer c.close()
	s := &AddressSet{has: make(map[nft.Family]bool)}
	for _, f := range []nft.Family{nft.IPv4, nft.IPv6} {
		err := c.dump(msgGetElems, flagDump, f, func(w *writer) {
			w.str(listTable, tableNamed)
			w.str(listSet, set)
		}, func(body []byte) error {
			for _, e := range nlattr.All(nlattr.Get(body, listElems)) {
				if a, ok := netip.AddrFromSlice(nlattr.Get(nlattr.Get(e, elemKey), dataValue)); ok {
					s.Addrs = append(s.Addrs, a)
				}
			}
			return nil
		})
		if errors.Is(err, unix.ENOENT) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("reading the nftables set %s: %w", set, explain(err))
		}
		s.has[f] = true
	}
	return s, nil
}

// ChangeAddresses adds elements to a dynamic set of addresses, and removes others, in one
// transaction for each family: those that are there and those that are gone already are
// no error. A family whose table has no such set is left out. Elements stay for as long as
// timeout says; 0 is until they are removed.
func ChangeAddresses(ctx context.Context, set string, add, remove []netip.Addr, timeout time.Duration) error {
	for i := range attempts {
		if err := pause(ctx, i); err != nil {
			return err
		}
		now, err := Addresses(set)
		if err != nil {
			return err
		}
		err = changeAddresses(set, now, add, remove, timeout)
		if err == nil || !errors.Is(err, ErrDrift) {
			return err
		}
	}
	return fmt.Errorf("changing the nftables set %s: %w", set, ErrBusy)
}

func changeAddresses(set string, now *AddressSet, add, remove []netip.Addr, timeout time.Duration) error {
	there := make(map[netip.Addr]bool, len(now.Addrs))
	for _, a := range now.Addrs {
		there[a] = true
	}
	for _, f := range []nft.Family{nft.IPv4, nft.IPv6} {
		if !now.has[f] {
			continue
		}
		e := &encoder{}
		e.end(e.message(msgBatchBegin, 0, 0, subsysNFTables))
		e.addresses(f, msgDelElems, set, pick(f, remove, func(a netip.Addr) bool { return there[a] }), 0)
		e.addresses(f, msgNewElems, set, pick(f, add, func(a netip.Addr) bool { return !there[a] }), timeout)
		if e.sequence == 0 {
			continue
		}
		flags := e.b[e.last+6:]
		binary.NativeEndian.PutUint16(flags, binary.NativeEndian.Uint16(flags)|flagAck)
		e.end(e.message(msgBatchEnd, 0, 0, subsysNFTables))
		if err := (&Plan{}).transact(e.b, e.sequence); err != nil {
			return fmt.Errorf("changing the nftables set %s: %w", set, err)
		}
	}
	return nil
}

// pick returns the addresses of a family that are wanted.
func pick(f nft.Family, list []netip.Addr, wanted func(netip.Addr) bool) (out []netip.Addr) {
	seen := make(map[netip.Addr]bool, len(list))
	for _, a := range list {
		if a.Is4() == (f == nft.IPv4) && wanted(a) && !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}

// addresses writes messages that add or remove elements.
func (e *encoder) addresses(f nft.Family, kind uint16, set string, list []netip.Addr, timeout time.Duration) {
	if len(list) == 0 {
		return
	}
	l := e.list(&tableChange{family: f}, kind, set, 0)
	for _, a := range list {
		if len(l.b)-l.elements > maxListLen {
			l.close()
			l.open()
		}
		at := l.nest(listElem)
		l.value(elemKey, a.AsSlice())
		if timeout > 0 {
			l.bytes(elemTimeout, binary.BigEndian.AppendUint64(nil, uint64(timeout.Milliseconds())))
		}
		l.done(at)
	}
	l.close()
}
