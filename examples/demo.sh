#!/bin/sh
# What `make demo` shows: real coordinates in; chains, a scored file, a small lake and a model that
# learns out.
set -eu
cd "$(dirname "$0")/.."
out=demo
rm -rf "$out"
mkdir -p "$out/card"

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
echo "== a lake: photos -> labelled -> popular (localized by the model) -> hard (200 km from those)"
geodata photos import examples/truth.csv --lake "$out/lake" --table photos
geodata dataset build labelled --lake "$out/lake"
geodata dataset build popular --lake "$out/lake" --predictions examples/predictions.csv
geodata dataset build hard --lake "$out/lake"
echo
echo "== a question to the lake"
geodata sql --lake "$out/lake" "SELECT country, count(*) AS rows FROM hard GROUP BY ALL ORDER BY rows DESC, country LIMIT 6"
geodata dataset card hard --lake "$out/lake" -o "$out/card"
echo
echo "== a training, two minutes: georl demo --quick (a million-parameter Qwen2.5-VL from random"
echo "   weights: SFT on Chains of Region, then GRPO with Geo-R's reward)"
georl demo --quick --output "$out/training"
echo
echo "Look at $out/report.html and $out/training/report.html in a browser, and at $out/card/map.png."
echo "Next, try (after '. .venv/bin/activate' without the '.venv/bin/'):"
echo "  .venv/bin/geodata label YOUR.csv -o labelled.parquet"
echo "  .venv/bin/geodata evaluate YOUR_PREDICTIONS.csv --truth YOUR_TRUTH.csv --report report.html"
echo "  .venv/bin/geodata photos import YOUR_PHOTOS --lake lake --table photos"
echo "  .venv/bin/georl demo                 # the whole paper in small, ten minutes"
