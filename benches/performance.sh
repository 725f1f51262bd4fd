#!/bin/sh
# Measures everything that docs/PERFORMANCE.md shows, and writes it. Wants a quiet computer; takes about twenty-five minutes after building.
#
#   benches/performance.sh [--seconds S] [--repeats N] [--python INTERPRETER]      (5 s, 5 repeats and python3 unless given)
#
# What was measured stays in target/performance as JSON and text.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
results=$target/performance
mkdir -p "$results"

# Built first, so that nothing is built while something is measured.
cargo build --release -p benches --bins -p pearlsort
cargo build --release -p line --example cost
cargo build --release -p setup --example weigh_curve
cargo bench --no-run -p benches --bench hand_over --bench weigh

programs=$target/release
# A demo that ends with a complaint says so and exits with 1; its figures go onto the page all the same.
"$programs/pearlsort" demo --virtual --pearls 1000000 --headless --json "$results/virtual.json" || true
"$programs/pearlsort" demo --lanes 16 --rate 15 --speed 1 --seconds 130 --headless --json "$results/demo.json" || true
"$programs/examples/cost" > "$results/core.txt"
"$programs/examples/weigh_curve" docs/weighing.svg > "$results/weighing.csv"
CRITERION_HOME=$results/criterion cargo bench -p benches --bench weigh | grep "us a sample" > "$results/weigh_cost.txt"
# The eye beside OpenCV, where the reference pearls are at hand; a step that fails leaves its section out and says why.
benches/vision.sh > "$results/vision.txt" || echo "the eye was not measured" >&2
CRITERION_HOME=$results/criterion cargo bench -p benches --bench hand_over
# What ran just now shall not count as load: the mean is taken over a minute.
sleep 60
"$programs/measure" --json "$results/measure.json" --beside "$results" --markdown docs/PERFORMANCE.md "$@"
