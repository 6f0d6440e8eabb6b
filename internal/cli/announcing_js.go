package cli

import (
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// announces does nothing: the program of a page, whose size is bounded, has no announcements.
func (l *loaded) announces() {}

func (l *loaded) announced() diag.List { return nil }

func announcingObjects(*objects.Set) []any { return nil }
