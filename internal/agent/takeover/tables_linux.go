package takeover

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// proxyTable is the nftables table of kube-proxy, in both families.
const proxyTable = "kube-proxy"

// tables removes kube-proxy's nftables tables with their content.
func tables(ctx context.Context, _ string) (removed, _ []string, err error) {
	for _, f := range []struct {
		family nftables.TableFamily
		name   string
	}{{nftables.TableFamilyIPv4, "ip"}, {nftables.TableFamilyIPv6, "ip6"}} {
		had, err := dropTable(ctx, f.family)
		if err != nil {
			return removed, nil, fmt.Errorf("nftables: removing table %s %s: %w", f.name, proxyTable, err)
		}
		if had {
			removed = append(removed, "nftables: table "+f.name+" "+proxyTable)
		}
	}
	return removed, nil, nil
}

// dropTable removes kube-proxy's table of one family and reports whether it
// existed. The kernel finds the table by name, so nothing is read first: no
// transaction can interfere, and no expression has to be decoded.
func dropTable(ctx context.Context, family nftables.TableFamily) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	// Flush opens the socket, so it is in this thread's network namespace.
	conn, err := nftables.New()
	if err != nil {
		return false, err
	}
	conn.DelTable(&nftables.Table{Name: proxyTable, Family: family})
	switch err := conn.Flush(); {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EAFNOSUPPORT):
		return false, nil
	case errors.Is(err, unix.EPERM):
		return false, fmt.Errorf("%w (CAP_NET_ADMIN is needed)", err)
	case errors.Is(err, unix.EPROTONOSUPPORT), errors.Is(err, unix.EOPNOTSUPP):
		return false, fmt.Errorf("%w (the kernel has no nf_tables: CONFIG_NETFILTER_NETLINK, CONFIG_NF_TABLES)", err)
	default:
		return err == nil, err
	}
}
