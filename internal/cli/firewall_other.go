//go:build !linux && !js

package cli

import "context"

func (*compiled) warnOfFirewall(context.Context, *Streams) {}
