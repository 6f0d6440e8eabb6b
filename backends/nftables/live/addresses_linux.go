package live

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
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
func (s *AddressSet) Takes(a netip.Addr) bool { return s.has[familyOf(a)] }

func familyOf(a netip.Addr) nft.Family {
	if a.Is4() {
		return nft.IPv4
	}
	return nft.IPv6
}

// Addresses reads a dynamic set of addresses in planec's tables; without tables there are
// none.
func Addresses(set string) (*AddressSet, error) {
	all, err := dynamicKeys(set)
	if err != nil {
		return nil, err
	}
	s := &AddressSet{has: make(map[nft.Family]bool)}
	for _, f := range []nft.Family{nft.IPv4, nft.IPv6} {
		keys, has := all[f]
		s.has[f] = has
		for _, k := range keys {
			if a, ok := netip.AddrFromSlice([]byte(k)); ok {
				s.Addrs = append(s.Addrs, a)
			}
		}
	}
	return s, nil
}

// Numbers reads a dynamic set of numbers that every table of planec has the same of, and
// reports whether tables have it at all and agree.
func Numbers(set string) (numbers []uint32, same bool, err error) {
	all, err := dynamicKeys(set)
	if err != nil {
		return nil, false, err
	}
	same = len(all) > 0
	var first []string
	for _, keys := range all {
		slices.Sort(keys)
		if first == nil {
			first = keys
		}
		same = same && slices.Equal(first, keys)
	}
	for _, k := range first {
		if len(k) == 4 {
			numbers = append(numbers, binary.NativeEndian.Uint32([]byte(k)))
		}
	}
	slices.Sort(numbers)
	return numbers, same, nil
}

// dynamicKeys reads the keys of a dynamic set, in the tables that have it.
func dynamicKeys(set string) (map[nft.Family][]string, error) {
	c, err := dial()
	if err != nil {
		return nil, err
	}
	defer c.close()
	all := make(map[nft.Family][]string)
	for _, f := range []nft.Family{nft.IPv4, nft.IPv6} {
		keys := []string{}
		err := c.dump(msgGetElems, flagDump, f, func(w *writer) {
			w.str(listTable, tableNamed)
			w.str(listSet, set)
		}, func(body []byte) error {
			for _, e := range nlattr.All(nlattr.Get(body, listElems)) {
				keys = append(keys, string(nlattr.Get(nlattr.Get(e, elemKey), dataValue)))
			}
			return nil
		})
		if errors.Is(err, unix.ENOENT) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("reading the nftables set %s: %w", set, explain(err))
		}
		all[f] = keys
	}
	return all, nil
}

// ChangeAddresses adds elements to a dynamic set of addresses, and removes others, in one
// transaction for each family: those that are there and those that are gone already are
// no error. A family whose table has no such set is left out. Elements stay for as long as
// timeout says; 0 is until they are removed.
func ChangeAddresses(ctx context.Context, set string, add, remove []netip.Addr, timeout time.Duration) error {
	return changeKeys(ctx, set, timeout, func(f nft.Family, there func(string) bool) (added, removed []string) {
		return pick(f, add, func(k string) bool { return !there(k) }), pick(f, remove, there)
	})
}

// SetNumbers makes the elements of a dynamic set of numbers these, in all tables that have
// it.
func SetNumbers(ctx context.Context, set string, want []uint32) error {
	now, same, err := Numbers(set)
	if err != nil || same && slices.Equal(now, want) {
		return err
	}
	wanted := make(map[string]bool, len(want))
	var keys []string
	for _, n := range want {
		k := string(hostU32(n))
		wanted[k], keys = true, append(keys, k)
	}
	all, err := dynamicKeys(set)
	if err != nil {
		return err
	}
	return changeKeys(ctx, set, 0, func(f nft.Family, there func(string) bool) (added, removed []string) {
		for _, k := range keys {
			if !there(k) {
				added = append(added, k)
			}
		}
		for _, k := range all[f] {
			if there(k) && !wanted[k] {
				removed = append(removed, k)
			}
		}
		return added, removed
	})
}

// changeKeys changes what choose says in each table, and looks again if another process
// changes it.
func changeKeys(ctx context.Context, set string, timeout time.Duration, choose func(f nft.Family, there func(string) bool) (added, removed []string)) error {
	for i := range attempts {
		if err := pause(ctx, i); err != nil {
			return err
		}
		all, err := dynamicKeys(set)
		if err != nil {
			return err
		}
		for f, keys := range all {
			there := make(map[string]bool, len(keys))
			for _, k := range keys {
				there[k] = true
			}
			added, removed := choose(f, func(k string) bool { return there[k] })
			err = errors.Join(err, sendKeys(f, set, added, removed, timeout))
		}
		if err == nil || !errors.Is(err, ErrDrift) {
			return err
		}
	}
	return fmt.Errorf("changing the nftables set %s: %w", set, ErrBusy)
}

func sendKeys(f nft.Family, set string, added, removed []string, timeout time.Duration) error {
	e := &encoder{}
	e.end(e.message(msgBatchBegin, 0, 0, subsysNFTables))
	e.keys(f, msgDelElems, set, removed, 0)
	e.keys(f, msgNewElems, set, added, timeout)
	if e.sequence == 0 {
		return nil
	}
	flags := e.b[e.last+6:]
	binary.NativeEndian.PutUint16(flags, binary.NativeEndian.Uint16(flags)|flagAck)
	e.end(e.message(msgBatchEnd, 0, 0, subsysNFTables))
	if err := (&Plan{}).transact(e.b, e.sequence); err != nil {
		return fmt.Errorf("changing the nftables set %s: %w", set, err)
	}
	return nil
}

// pick returns the keys of a family's addresses that are wanted.
func pick(f nft.Family, list []netip.Addr, wanted func(string) bool) (out []string) {
	seen := make(map[netip.Addr]bool, len(list))
	for _, a := range list {
		if k := string(a.AsSlice()); familyOf(a) == f && wanted(k) && !seen[a] {
			seen[a] = true
			out = append(out, k)
		}
	}
	return out
}

// keys writes messages that add or remove elements.
func (e *encoder) keys(f nft.Family, kind uint16, set string, list []string, timeout time.Duration) {
	if len(list) == 0 {
		return
	}
	l := e.list(&tableChange{family: f}, kind, set, 0)
	for _, k := range list {
		if len(l.b)-l.elements > maxListLen {
			l.close()
			l.open()
		}
		at := l.nest(listElem)
		l.value(elemKey, []byte(k))
		if timeout > 0 {
			l.bytes(elemTimeout, binary.BigEndian.AppendUint64(nil, uint64(timeout.Milliseconds())))
		}
		l.done(at)
	}
	l.close()
}
