#!/bin/sh
# Builds what a release has into dist/: static binaries for every system, man
# pages and completions, each system's in one archive, the Helm chart, and their digests. The
# same commit gives the same bytes.
set -eu
version="${1:-$(git describe --tags --always --dirty 2>/dev/null || echo devel)}"
dist=dist
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH
rm -rf "$dist"
mkdir -p "$dist"
build() { # os arch directory command
	suffix=""
	[ "$1" = windows ] && suffix=.exe
	CGO_ENABLED=0 GOOS=$1 GOARCH=$2 go build -trimpath -ldflags="-s -w" -o "$3/$4$suffix" "./cmd/$4"
}
pack() { # directory archive
	tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$dist" -cf - "$1" | gzip -n >"$dist/$1.tar.gz"
	rm -rf "${dist:?}/$1"
}
sh scripts/wasm.sh # before planec: it has the result inside
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
go run ./internal/cli/mangen "$pages"
for os in linux darwin windows; do
	for arch in amd64 arm64; do
		name="planec_${version}_${os}_$arch"
		echo "$name"
		mkdir -p "$dist/$name"
		build "$os" "$arch" "$dist/$name" planec
		[ "$os" = linux ] && build "$os" "$arch" "$dist/$name" planec-agent
		cp LICENSE README.md "$dist/$name/"
		cp -r "$pages/man" "$pages/completions" "$dist/$name/"
		pack "$name"
	done
done
sh scripts/chart.sh "$version" "$dist"
(cd "$dist" && sha256sum ./*.tar.gz ./*.tgz >SHA256SUMS)
