#!/bin/sh
# What `make demo` shows: real coordinates in, chains, a file and a score out.
set -eu
cd "$(dirname "$0")/.."
out=demo
mkdir -p "$out"

echo "== one coordinate: geodata label 48.8584 2.2945"
geodata label 48.8584 2.2945
echo
echo "== a file: geodata label examples/photos.csv -o $out/labelled.parquet"
geodata label examples/photos.csv -o "$out/labelled.parquet"
echo
echo "== some of its rows"
geodata sql "SELECT photo_id, country, admin1, city, match FROM labelled ORDER BY photo_id LIMIT 12" "$out/labelled.parquet"
echo
echo "== a score: geodata evaluate examples/predictions.csv --truth examples/truth.csv --report $out/report.html"
geodata evaluate examples/predictions.csv --truth examples/truth.csv --report "$out/report.html"
echo
echo "Open $out/report.html in a browser. Next, try:"
echo "  .venv/bin/geodata label YOUR.csv -o labelled.parquet"
echo "  .venv/bin/geodata evaluate YOUR_PREDICTIONS.csv --truth YOUR_TRUTH.csv --report report.html"
