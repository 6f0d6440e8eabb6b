package drift

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/base/nlattr"
)

// attr is an attribute of netlink; a number is written in network order.
func attr(kind uint16, value any) []byte {
	var data []byte
	switch v := value.(type) {
	case string:
		data = append([]byte(v), 0)
	case uint32:
		data = binary.BigEndian.AppendUint32(nil, v)
	case []byte:
		data = v
	}
	return nlattr.Append(nil, kind, data)
}

// message is what follows the header of a notice.
func message(attributes ...[]byte) []byte {
	b := make([]byte, nfgenmsgLen)
	for _, a := range attributes {
		b = append(b, a...)
	}
	return b
}

const (
	subsystem = unix.NFNL_SUBSYS_NFTABLES << 8
	newGen    = subsystem | unix.NFT_MSG_NEWGEN
	newRule   = subsystem | unix.NFT_MSG_NEWRULE
	newChain  = subsystem | unix.NFT_MSG_NEWCHAIN
	delTable  = subsystem | unix.NFT_MSG_DELTABLE
	newElem   = subsystem | unix.NFT_MSG_NEWSETELEM
)

// TestTransactions reads transactions of nftables: only the table and the sender count,
// and no transaction affects the next one.
func TestTransactions(t *testing.T) {
	w := &nftablesWatch{table: "planec", own: func(port uint32) bool { return port == 7 }}
	ours, others := message(attr(1, "planec"), attr(2, "x")), message(attr(1, "other"), attr(2, "planec"))
	for i, c := range []struct {
		kind uint16
		port uint32
		data []byte
		want bool
	}{
		{newRule, 9, ours, false},
		{newGen, 9, message(attr(1, uint32(5))), true},
		{newGen, 9, message(attr(1, uint32(6))), false}, // of an empty one
		{newRule, 9, others, false},
		{newGen, 9, message(), false},
		{newRule, 9, ours, false},
		{newRule, 9, others, false}, // the first of it is remembered
		{newGen, 9, message(), true},
		{newRule, 7, ours, false},
		{newGen, 7, message(), false}, // planec's own
		{newGen, 9, message(), false},
		{unix.NFNL_SUBSYS_CTNETLINK<<8 | unix.NFT_MSG_NEWRULE, 9, ours, false},
		{newGen, 9, message(), false},
		{newRule, 9, ours[:nfgenmsgLen-1], false},
		{newRule, 9, ours[:nfgenmsgLen], false},
		{newGen, 9, message(), false},
	} {
		if got := w.take(c.kind, c.port, c.data); got != c.want {
			t.Errorf("message %d: %v", i, got)
		}
	}
}

// TestTouches wants chains of planec, and those that may lead to them, to be told from
// others, in the tables that have them.
func TestTouches(t *testing.T) {
	for _, c := range []struct {
		kind       uint16
		attributes []byte
		want       bool
	}{
		{newRule, message(attr(1, "nat"), attr(2, "PLC-X")), true},
		{newRule, message(attr(1, "filter"), attr(2, "FORWARD")), true},
		{newRule, message(attr(1, "nat"), attr(2, "KUBE-X")), false},
		{newRule, message(attr(1, "mangle"), attr(2, "PLC-X")), true},
		{newRule, message(attr(1, "raw"), attr(2, "PLC-X")), false},
		{newRule, message(attr(1, "nat"), attr(3, "PLC-X")), false},
		{newChain, message(attr(1, "nat"), attr(3, "PLC-X")), true},
		{newChain, message(attr(1, "nat"), attr(2, "PLC-X")), false},
		{newChain, message(attr(1, "nat"), attr(3, "xPLC-X")), false},
		{subsystem | unix.NFT_MSG_DELCHAIN, message(attr(1, "nat"), attr(3, "OUTPUT")), true},
		{subsystem | unix.NFT_MSG_DELRULE, message(attr(1, "nat"), attr(2, "PLC-X")), true},
		{delTable, message(attr(1, "nat")), true},
		{delTable, message(attr(1, "planec")), false},
		{newElem, message(attr(1, "nat"), attr(2, "PLC-X")), false},
	} {
		x := &transaction{}
		if _, ours := x.take(c.kind, c.attributes); ours {
			t.Errorf("%x %q: ours before the transaction ends", c.kind, c.attributes)
		}
		if generation, ours := x.take(newGen, message(attr(1, uint32(7)))); ours != c.want || generation != 7 {
			t.Errorf("%x %q: ours is %v, generation %d", c.kind, c.attributes, ours, generation)
		}
		if _, ours := x.take(newGen, message(attr(1, uint32(8)))); ours {
			t.Error("the next transaction is ours too")
		}
	}
	x := &transaction{}
	x.take(newRule, message(attr(1, "nat"), attr(2, "PLC-X")))
	x.take(newRule, message(attr(1, "nat"), attr(2, "KUBE-X")))
	x.take(unix.NFNL_SUBSYS_CTNETLINK<<8, message())
	x.take(newGen, nil)
	if _, ours := x.take(newGen, message()); !ours {
		t.Error("what came in between makes planec's transaction another process's")
	}
}

// TestGenerations wants a change after the settled generation to be reported once,
// even if the counter wraps.
func TestGenerations(t *testing.T) {
	for _, c := range []struct {
		touched, settled uint32
		known, want      bool
	}{
		{5, 4, true, true},
		{4, 4, true, false},
		{3, 4, true, false},
		{5, 4, false, false},
		{0, 4, true, false},
		{2, 1<<32 - 2, true, true},
		{1<<32 - 2, 2, true, false},
	} {
		w := &IPTablesNFT{touched: c.touched, settled: c.settled, known: c.known}
		if got := w.differs(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
		if w.differs() {
			t.Errorf("%+v is told twice", c)
		}
	}
}

// TestNoTable reads the sizes of missing tables, and of tables that cannot be
// read: both count as empty, and only the second case is logged.
func TestNoTable(t *testing.T) {
	closed, err := newSizes()
	if err != nil {
		t.Fatal(err)
	}
	closed.close()
	for _, c := range []struct {
		name  string
		sizes *sizes
		said  int
	}{
		{"no such protocol", &sizes{families: [2]family{noProtocol{}, noProtocol{}}}, 0},
		{"no descriptor", closed, 4},
	} {
		var log bytes.Buffer
		got := c.sizes.read(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		if n := bytes.Count(log.Bytes(), []byte("\n")); n != c.said || len(got) != 4 || got[0] != got[2] || got[1] != got[3] {
			t.Errorf("%s: %d tables, %d messages:\n%s", c.name, len(got), n, &log)
		}
	}
}

// noProtocol is a kernel without iptables.
type noProtocol struct{}

func (noProtocol) Info(string) (live.LegacyInfo, error) {
	return live.LegacyInfo{}, fmt.Errorf("asking: %w", unix.ENOPROTOOPT)
}
func (noProtocol) Close() {}

// TestNoGeneration wants an unknown generation to disable the comparison.
func TestNoGeneration(t *testing.T) {
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	none := was
	none.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	w := &IPTablesNFT{touched: 5, known: true}
	w.Settled()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	if w.known || w.differs() {
		t.Error("it compares with a generation that it does not know")
	}
}
