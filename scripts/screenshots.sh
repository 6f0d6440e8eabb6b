#!/bin/sh
# Makes the pictures of docs/pictures, of the pages that planec writes: screenshots.sh [NAME...].
set -eu
cd "$(dirname "$0")/.."
browser=internal/testing/browser
out=docs/pictures

for program in node npm; do
	command -v "$program" >/dev/null || { echo "$program is missing (make tools)"; exit 2; }
done
if [ -z "${CHROMIUM:-}" ]; then
	CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { echo "chromium is missing (make tools)"; exit 2; }
	export CHROMIUM
fi
[ -d "$browser/node_modules" ] || (cd "$browser" && npm ci --ignore-scripts)

pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
go build -o "$pages/planec" ./cmd/planec
go build -o "$pages/palette" "./$browser/palette"
PATH="$pages:$PATH"

(
	cd examples/shop
	planec report -f . --config settings/node.yaml --all-nodes -o "$pages/report.html" 2>/dev/null
	cd ../policies
	planec matrix -f . --config settings/node.yaml --explain --exposure -o html >"$pages/matrix.html"
	planec trace -f . --config settings/node.yaml --from shop/web-0 --to svc/shop/db --port 5432 -o html >"$pages/trace.html"
	cd ../../internal/cli/testdata/diff/store-opens-elsewhere
	planec report old new --synth --all-nodes --cluster-cidr 10.244.0.0/16 -o "$pages/change.html"
)
mkdir -p "$out"
node "$browser/screenshots.js" "$pages" "$out" "$@"
palette "$out"/*.png
ls -l "$out"/*.png | awk '{print $5, $9}'
