# shellcheck shell=bash disable=SC2154 # `run` sets scratch
# The build-script recipe, built and run against a server and without one. Sourced by `run`.

# Builds the recipe anew in a folder of its own, with this URL; prints what it prints.
built_with() {
    local url="$1"
    # The script runs again because the variable has changed.
    WORDS_URL="$url" cargo run --manifest-path examples/build_script/Cargo.toml \
        --target-dir "$2" 2>&1
}

# Fails unless the text was printed.
printed() {
    if ! grep -F "$1" "$2"; then
        echo "the recipe did not print: $1" >&2
        cat "$2" >&2
        return 1
    fi
}

build_script() {
    local place="$scratch/recipe" log="$scratch/logs/recipe.log" port pid tries
    cargo fmt --check --manifest-path examples/build_script/Cargo.toml
    mkdir -p "$place"
    # Behind a port that was just given back there is nobody.
    built_with "http://127.0.0.1:$(free_ports 1)/words.txt" "$place" >"$log" || { cat "$log"; return 1; }
    printed "built without words: " "$log"
    printed "no words: the program was built without a network" "$log"

    python3 -u -m http.server 0 --bind 127.0.0.1 --directory examples/build_script \
        >"$scratch/recipe-server.log" 2>&1 &
    pid=$!
    server_pids+=("$pid")
    for tries in $(seq 100); do
        port="$(sed -n 's/^Serving HTTP on .* port \([0-9]*\) .*/\1/p' "$scratch/recipe-server.log")"
        [ -z "$port" ] || break
        sleep 0.1
    done
    [ -n "$port" ] || { echo "no server for the recipe (try $tries)" >&2; return 1; }
    built_with "http://127.0.0.1:$port/words.txt" "$place" >"$log" || { cat "$log"; return 1; }
    printed "3 words: tea, biscuit, teapot" "$log"

    # Something else than what was meant is never built in.
    if built_with "http://127.0.0.1:$port/Cargo.toml" "$place/other" >"$log"; then
        echo "the recipe built something else in" >&2
        return 1
    fi
    printed "does not have the SHA-256" "$log"
}
