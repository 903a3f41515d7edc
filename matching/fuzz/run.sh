#!/bin/sh
# Fuzzes a target with a stable compiler: `./run.sh books 120` (target, seconds). What cargo-fuzz does, without its sanitizer,
# which needs a nightly one and which code that forbids `unsafe` can do without. A panic ends it, and leaves its input here.
set -e
cd "$(dirname "$0")"
llvm="-Cllvm-args=-sanitizer-coverage"
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module $llvm-level=4 $llvm-inline-8bit-counters $llvm-pc-table $llvm-trace-compares"
export RUSTFLAGS="$RUSTFLAGS -Cdebug-assertions -Coverflow-checks -Ccodegen-units=1"
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build --quiet --release --target "$host" --bin "$1"
mkdir -p "corpus/$1"
exec "${CARGO_TARGET_DIR:-target}/$host/release/$1" -max_total_time="$2" -max_len=4096 -print_final_stats=1 "corpus/$1"
