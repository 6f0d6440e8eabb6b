package applier

import (
	"os"
	"path/filepath"
	"time"
)

// Applied returns when the record was last written; nil if there is none.
func (a *Applier) Applied() *time.Time {
	info, err := os.Stat(filepath.Join(a.record.dir, lastFile))
	if err != nil {
		return nil
	}
	t := info.ModTime().UTC()
	return &t
}
