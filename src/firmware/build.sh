#!/usr/bin/env bash
# Builds the firmware and says how large it is. Needs Debian's rustc-web, cargo-web, rust-web-src (the sources of
# `core`, which is built along) and lld, and nothing from the network. Arguments go to cargo.
# The last line of output is the program's path.
set -euo pipefail
cd "$(dirname "$0")"

find_tool() {
  for folder in /usr/bin /usr/lib/rust-web/bin /usr/lib/rust-1.96/bin; do
    if [ -x "$folder/$1" ]; then
      echo "$folder/$1"
      return
    fi
  done
  echo "build.sh: no $1: apt-get install rustc-web cargo-web rust-web-src" >&2
  exit 2
}

RUSTC=$(find_tool rustc)
CARGO=$(find_tool cargo)
export RUSTC
# build-std is not stable yet.
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR="${FIRMWARE_TARGET_DIR:-$PWD/../../target/firmware}"
unset RUSTUP_TOOLCHAIN RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
if ! command -v ld.lld >/dev/null; then
  echo "build.sh: no ld.lld: apt-get install lld" >&2
  exit 2
fi
library="$("$RUSTC" --print sysroot)/lib/rustlib/src/rust/library"
if [ ! -e "$library/core/Cargo.toml" ]; then
  echo "build.sh: no sources of core: apt-get install rust-web-src" >&2
  exit 2
fi
# What `core` itself names comes from the folder that its sources bring along.
"$CARGO" build --release --locked --offline \
  --config 'source.crates-io.replace-with="library"' --config "source.library.directory=\"$library/vendor\"" "$@" >&2
program="$(cd "$CARGO_TARGET_DIR/thumbv7m-none-eabi/release" && pwd)/firmware"
python3 - "$program" <<'PYTHON'
import struct, sys
elf = open(sys.argv[1], "rb").read()
at, size, count, names = (*struct.unpack_from("<I", elf, 32), *struct.unpack_from("<HHH", elf, 46))
headers = [struct.unpack_from("<10I", elf, at + size * n) for n in range(count)]
name = lambda h: elf[headers[names][4] + h[0]:].split(b"\0")[0].decode()
sizes = {name(h): h[5] for h in headers}
print(f"text {sizes.get('.text', 0)} data {sizes.get('.data', 0)} bss {sizes.get('.bss', 0)} stack {sizes.get('.stack', 0)} (bytes)")
PYTHON
echo "$program"
