package live

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// DropTable removes somebody else's table, which is only right when its owner is to
// be replaced, and reports whether there was one.
func DropTable(ctx context.Context, f Family, name string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	c, err := dial()
	if err != nil {
		return false, err
	}
	defer c.close()
	var w writer
	w.end(w.message(msgBatchBegin, 0, 0, subsysNFTables))
	at := w.nft(msgDelTable, flagAck, f)
	w.str(tableName, name)
	w.end(at)
	binary.NativeEndian.PutUint32(w.b[at+8:], 1)
	w.end(w.message(msgBatchEnd, 0, 0, subsysNFTables))
	if err := c.send(w.b); err != nil {
		return false, fmt.Errorf("removing table %s: %w", name, explain(err))
	}
	o := outcome{batch: w.b, answered: 1}
	for !o.done && o.first == nil {
		b, err := c.receive(0)
		if err == nil {
			err = replies(b, o.reply)
		}
		if err != nil {
			return false, fmt.Errorf("removing table %s: %w", name, err)
		}
	}
	if errors.Is(o.first, unix.ENOENT) || errors.Is(o.first, unix.EAFNOSUPPORT) {
		return false, nil
	}
	return o.first == nil, o.first
}
