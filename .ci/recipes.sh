# shellcheck shell=bash disable=SC2154 # `run` sets scratch
# The recipes that are packages of their own, built and run against servers and without one.
# Sourced by `run`.

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

# Waits until the command succeeds, for at most twenty seconds.
eventually() {
    local tries
    for tries in $(seq 200); do
        if "$@"; then
            return 0
        fi
        sleep 0.1
    done
    echo "it never came to: $* (try $tries)" >&2
    return 1
}

is_reached() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

build_script() {
    local place="$scratch/recipe" log="$scratch/logs/recipe.log" served="$scratch/recipe-server.log"
    local port url
    cargo fmt --check --manifest-path examples/build_script/Cargo.toml
    mkdir -p "$place"
    # Behind a port that was just given back there is nobody.
    port="$(free_ports 1)"
    url="http://127.0.0.1:$port/words.txt"
    built_with "$url" "$place" >"$log" || { cat "$log"; return 1; }
    printed "built without words: " "$log"
    printed "no words: the program was built without a network" "$log"

    # The network is back, and nothing else has changed.
    python3 -u -m http.server "$port" --bind 127.0.0.1 --directory examples/build_script \
        >"$served" 2>&1 &
    server_pids+=($!)
    eventually is_reached "$port"
    built_with "$url" "$place" >"$log" || { cat "$log"; return 1; }
    printed "3 words: tea, biscuit, teapot" "$log"

    # What is there is not looked for again.
    built_with "$url" "$place" >"$log" || { cat "$log"; return 1; }
    printed "3 words: tea, biscuit, teapot" "$log"
    if [ "$(grep -c 'GET /words.txt' "$served")" -ne 1 ]; then
        cat "$served" >&2
        return 1
    fi

    # Something else than what was meant is never built in.
    if built_with "http://127.0.0.1:$port/Cargo.toml" "$place/other" >"$log"; then
        echo "the recipe built something else in" >&2
        return 1
    fi
    printed "does not have the SHA-256" "$log"
}

has_files() {
    [ "$(find "$1" -name '*.bin' 2>/dev/null | wc -l)" -ge "$2" ]
}

# Has the program of the recipe download in this folder, and stops it in the middle by what
# Ctrl-C sends: nothing is left in a folder that was there, nor beside it.
stop_downloads() {
    local place="$1" log="$scratch/logs/downloader.log" folder left number pid port status urls=()
    shift
    mkdir -p "$place/there" "$place/temporary"
    python3 -u .ci/endless.py >"$place/port" 2>"$place/server.log" &
    server_pids+=($!)
    eventually test -s "$place/port"
    port="$(cat "$place/port")"
    for number in $(seq 30); do
        urls+=("http://127.0.0.1:$port/$number.bin")
    done
    for folder in "$place/there" "$place/made"; do
        status=0
        TMPDIR="$place/temporary" "$@" "$folder" "${urls[@]}" >"$log" &
        pid=$!
        # Ten have come; the others never end.
        eventually has_files "$folder" 10
        kill -INT "$pid"
        wait "$pid" || status=$?
        printed "stopped: nothing is left" "$log"
        left="$(find "$place/there" "$place/temporary" -mindepth 1; find "$place" -name made)"
        if [ "$status" -ne 130 ] || [ -n "$left" ]; then
            echo "the recipe ended with $status, and left: $left" >&2
            return 1
        fi
    done
}

# Downloads all, and is stopped in the middle.
downloader() {
    local manifest=examples/downloader/Cargo.toml place="$scratch/downloader"
    local log="$scratch/logs/downloader.log"
    cargo fmt --check --manifest-path "$manifest"
    cargo run --manifest-path "$manifest" --target-dir "$place/target" >"$log"
    printed "30 of 30 files are in " "$log"
    stop_downloads "$place" "$place/target/debug/downloader-recipe"
}
