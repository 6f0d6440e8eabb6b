#!/bin/sh
# Unpacks the kernels that Debian has for this machine below a directory, one
# directory for each, without installing them: for make kernels.
#   sh scripts/debian-kernels.sh DIR [PACKAGE...]
# Packages are those that name the newest of a line; without any, the release's
# own line and all others that it offers, such as linux-image-6.12-amd64.
set -eu

dir=$1
shift
need() {
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
missing=""
need qemu-system-x86_64 qemu-system-x86
need depmod kmod
if [ -n "$missing" ]; then
	apt-get update -qq
	# shellcheck disable=SC2086 # a list of names
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
fi
[ $# -gt 0 ] || set -- linux-image-amd64 $(apt-cache pkgnames linux-image- | grep -E '^linux-image-[0-9]+\.[0-9]+-amd64$' | sort)

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
for meta; do
	package=$(apt-cache depends "$meta" | sed -n 's/^  Depends: \(linux-image-.*\)$/\1/p' | head -n 1)
	if [ -z "$package" ]; then
		echo "debian-kernels: $meta names no kernel" >&2
		exit 1
	fi
	version=${package#linux-image-}
	if [ -f "$dir/$version/lib/modules/$version/modules.dep" ]; then
		continue
	fi
	work=$(mktemp -d "$dir/.new.XXXXXX")
	trap 'rm -rf "$work"' EXIT INT TERM
	(cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$package")
	dpkg -x "$work"/*.deb "$work/$version"
	depmod -b "$work/$version" "$version"
	rm -rf "${dir:?}/$version"
	mv "$work/$version" "$dir/$version"
	rm -rf "$work"
	trap - EXIT INT TERM
	echo "debian-kernels: $version"
done
