#!/bin/sh
# Measures the eye beside OpenCV on the same crops: installs the peer into a virtual environment, builds, measures.
#
#   benches/vision.sh [FOLDER] [--rounds N] [--core C]      (PEARLSORT_SHARED/pearls or ../shared/pearls unless given)
#
# The figures stay in target/performance/vision.json, from where performance.sh puts them onto the page.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
results=$target/performance
mkdir -p "$results"
folder=${PEARLSORT_SHARED:-../shared}/pearls
if [ $# -gt 0 ] && [ -d "$1" ]; then
  folder=$1
  shift
fi

python3 -m venv "$results/opencv"
"$results/opencv/bin/pip" install --quiet opencv-python-headless==5.0.0.93 numpy==2.4.6
cargo build --release -p benches --bin crops
"$target/release/crops" "$folder" --python "$results/opencv/bin/python" --json "$results/vision.json" "$@"
