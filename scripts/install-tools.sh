#!/bin/sh
# Installs the Debian packages that the kernel and browser tests need ("bpf": those that
# build the eBPF objects), where that is possible: as root, with apt. Elsewhere it says
# what is missing, and what needs it says so too.
set -eu

missing=""
need() { # command package
	PATH="$PATH:/usr/sbin:/sbin:/usr/lib/frr" command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

if [ "$(uname -s)" != Linux ]; then
	echo "kernel tests need Linux; the others run here"
	exit 0
fi
if [ "${1:-}" = bpf ]; then
	need clang-14 clang-14
	need llvm-strip-14 llvm-14
else
	need nft nftables
	need ip iproute2
	need iptables-legacy-restore iptables
	need ipset ipset
	need ipvsadm ipvsadm
	need sysctl procps
	need linux.uml user-mode-linux
	need cc gcc
	need chromium chromium
	need node nodejs
	need npm npm
	need bgpd frr
	[ -e /usr/lib/frr/frr-reload.py ] || missing="$missing frr-pythontools"
	[ -e /usr/include/stdio.h ] || missing="$missing libc6-dev"
fi
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	export RUNLEVEL=1 # no service starts: the tests run FRR's daemons in namespaces
	# shellcheck disable=SC2086
	apt-get install -y -qq $missing >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq $missing >/dev/null; }
else
	echo "missing packages:$missing (not root, or no apt): what needs them is skipped, or fails"
fi
