#!/bin/sh
# Packs the Helm chart as "helm package" does, with the version of a release: chart.sh
# VERSION DIRECTORY. Its images have the release's tag. The same sources give the same bytes.
set -eu
version="${1:?usage: chart.sh VERSION DIRECTORY}"
into="${2:?usage: chart.sh VERSION DIRECTORY}"
# A chart's version is a semantic one; git describe has only a commit where there is no tag.
case "$version" in
v[0-9]*.[0-9]*.[0-9]* | [0-9]*.[0-9]*.[0-9]*) semantic=${version#v} ;;
*) semantic=0.0.0-$(printf 'g%s' "$version" | tr -c 'A-Za-z0-9.-' -) ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$(dirname "$0")/../deploy/chart/planec" "$work/planec"
sed -i -e "s|^version: .*|version: $semantic|" -e "s|^appVersion: .*|appVersion: \"$version\"|" "$work/planec/Chart.yaml"
tar --sort=name --mtime="@${SOURCE_DATE_EPOCH:-0}" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$work" -cf - planec | gzip -n >"$into/planec-$semantic.tgz"
