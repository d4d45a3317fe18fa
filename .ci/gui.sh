# shellcheck shell=bash disable=SC2154 # `run` sets scratch
# The graphical example under a display without a screen, drawn by software. Sourced by `run`.

graphical_example() {
    local manifest=examples/gui/Cargo.toml
    cargo fmt --check --manifest-path "$manifest"
    cargo build --manifest-path "$manifest" --target-dir examples/gui/target
    # What a failure has shown goes with the scratch folder, but for its description.
    python3 .ci/gui.py examples/gui/target/debug/gui-recipe "$scratch/screens"
}
