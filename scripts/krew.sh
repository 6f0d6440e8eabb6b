#!/bin/sh
# Prints the krew manifest of what make dist built: krew.sh VERSION WHERE, where
# the archives will be found below the address WHERE.
set -eu
version="${1:?usage: krew.sh VERSION WHERE}"
where="${2:?usage: krew.sh VERSION WHERE}"
platforms=$(mktemp)
trap 'rm -f "$platforms"' EXIT
for archive in dist/planec_"${version}"_*.tar.gz; do
	name=$(basename "$archive" .tar.gz)
	arch=${name##*_}
	rest=${name%_*}
	os=${rest##*_}
	bin=planec
	[ "$os" = windows ] && bin=planec.exe
	cat >>"$platforms" <<END
  - selector: {matchLabels: {os: $os, arch: $arch}}
    uri: $where/$name.tar.gz
    sha256: $(sha256sum "$archive" | cut -d' ' -f1)
    bin: $bin
    files:
    - {from: $name/$bin, to: .}
    - {from: $name/LICENSE, to: .}
END
done
sed -e "s|@VERSION@|$version|" -e "/@PLATFORMS@/{
r $platforms
d
}" deploy/krew.yaml.tmpl
