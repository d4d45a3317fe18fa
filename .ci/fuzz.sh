# shellcheck shell=bash disable=SC2154 # `run` sets cache, scratch
# The targets of `fuzz/`, each for a short time, on the toolchain that is there. Sourced by `run`.

cargo_fuzz_version=0.13.2
fuzz_seconds=20

# Installs cargo-fuzz, once for the cache.
install_cargo_fuzz() {
    cargo_fuzz="$cache/cargo-fuzz-$cargo_fuzz_version/bin/cargo-fuzz"
    [ -x "$cargo_fuzz" ] || CARGO_TARGET_DIR="$scratch/cargo-fuzz" cargo install cargo-fuzz \
        --quiet --locked --version "$cargo_fuzz_version" --root "${cargo_fuzz%/bin/cargo-fuzz}"
}

# Runs one target on its corpus; what it finds new goes elsewhere.
fuzz_one() {
    local target="$1" log="$scratch/logs/fuzz-$1"
    mkdir -p "$scratch/fuzz/$target"
    if ! "$fuzz_binaries/$target" -max_total_time="$fuzz_seconds" -max_len=8192 -timeout=10 \
        -rss_limit_mb=2048 -artifact_prefix="$scratch/fuzz/$target-" \
        "$scratch/fuzz/$target" "fuzz/corpus/$target" >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        # The input, to be put into the corpus.
        find "$scratch/fuzz" -maxdepth 1 -name "$target-*" -type f -exec base64 -w0 {} \; >&2
        echo "fuzz target $target failed" >&2
        return 1
    fi
    printf '%s: %s\n' "$target" "$(tail -n 1 "$log")"
}

# Two at a time, as long as any of them has to be run.
fuzz() {
    local targets
    install_cargo_fuzz
    # Without a sanitizer it needs no nightly; panics and the checks of debug builds are seen.
    "$cargo_fuzz" fuzz build --sanitizer none --target-dir fuzz/target
    fuzz_binaries="fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/release"
    targets="$("$cargo_fuzz" fuzz list)"
    export -f fuzz_one
    export scratch fuzz_binaries fuzz_seconds
    xargs -P 2 -I{} bash -c 'fuzz_one {}' <<<"$targets"
}
