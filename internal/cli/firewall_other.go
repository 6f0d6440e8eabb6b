//go:build !linux

package cli

import "context"

func (*compiled) warnOfFirewall(context.Context, *Streams) {}
