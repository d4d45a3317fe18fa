# shellcheck shell=bash disable=SC2154 # `run` sets cache, `cross.sh` sets cross
# Builds the tests for Windows, and runs them under Wine. Sourced by `run`.
#
# mingw links what the compiler of `cross.sh` makes, with a standard library that Cargo
# builds first. All that is kept, by the versions of the compiler and of Wine.

# What always runs of `tests/it`, beside all unit tests and the tour. The whole takes longer
# than there is time for: `URLSESSION_CI_SYSTEMS=all` asks for it. On a busy machine, tests of
# hundreds of threads and of large bodies may run into their guards there.
windows_smoke=(
    windows:: connecting:: downloads:: keep_alive:: redirects:: requests:: responses::
    stale:: tls::agreed:: cancel:: --skip a_session_survives_cancels
)

# Has Cargo build for Windows, and run under Wine.
windows_cargo() {
    local command="$1"
    shift
    PATH="$cross/bin:$PATH" RUSTC="$cross/bin/rustc" RUSTC_BOOTSTRAP=1 \
        CARGO_PROFILE_DEV_DEBUG=false CARGO_TARGET_DIR="$cross/windows" \
        CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc \
        CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=/usr/lib/wine/wine64 \
        WINEPREFIX="$wine_prefix" WINEDEBUG=-all \
        cargo "$command" -Zbuild-std=std,panic_unwind,test,proc_macro \
        --target x86_64-pc-windows-gnu "$@"
}

# Makes a Windows of our own, without a browser and .NET, and sets `wine_prefix` to it.
make_wine_prefix() {
    # shellcheck disable=SC2016 # that is dpkg's
    wine_prefix="$cache/wine-$(dpkg-query -W -f='${Version}' wine64)"
    if [ ! -e "$wine_prefix/complete" ]; then
        rm -rf "$wine_prefix"
        mkdir -p "$wine_prefix"
        WINEPREFIX="$wine_prefix" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml=" \
            /usr/lib/wine/wine64 wineboot --init
        touch "$wine_prefix/complete"
    fi
    # Process ids begin anew, and with them the names of what a run left that was killed.
    rm -rf "$wine_prefix"/drive_c/users/*/Temp/*
    x86_64-w64-mingw32-gcc -shared .ci/process_prng.c -ladvapi32 \
        -o "$wine_prefix/drive_c/windows/system32/bcryptprimitives.dll"
}

# Wine has a SIGINT be what the console has of Ctrl-C.
stop_downloads_of_windows() {
    windows_cargo build --manifest-path examples/downloader/Cargo.toml
    # What Wine keeps in a folder for temporary files is not the recipe's.
    stop_downloads "$scratch/windows-downloader" \
        env -u TMPDIR WINEPREFIX="$wine_prefix" WINEDEBUG=-all /usr/lib/wine/wine64 \
        "$cross/windows/x86_64-pc-windows-gnu/debug/downloader-recipe.exe"
}

windows_under_wine() {
    install_cross_compiler
    make_wine_prefix
    local with=(--features test-util)
    tested windows_cargo test "${with[@]}" --lib
    if [ "${URLSESSION_CI_SYSTEMS:-}" = all ]; then
        tested windows_cargo test "${with[@]}" --test it
        stop_downloads_of_windows
    else
        tested windows_cargo test "${with[@]}" --test it -- "${windows_smoke[@]}"
    fi
    windows_cargo run "${with[@]}" --example tour
}
