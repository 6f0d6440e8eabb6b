package uml

import (
	"testing"

	"github.com/planec/planec/internal/testing/guest"
)

// Main is a TestMain for packages whose tests use [Run]: see [guest.Main].
func Main(m *testing.M) { guest.Main(m) }

// Init is the first call of a TestMain that does more than Main: see [guest.Init].
func Init() { guest.Init() }
