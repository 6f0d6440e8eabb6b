//go:build !linux

package golden

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(finish(m.Run())) }
