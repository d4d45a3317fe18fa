# shellcheck shell=bash disable=SC2154 # `run` sets cache, `cross.sh` sets cross
# Builds and runs tests for musl, for 32 bits and for ARM. Sourced by `run`.
#
# As in `cross.sh`, the standard library is built from Debian's source of it.

# Of `it`, what depends most on the system: sockets, timers, files, TLS, names.
smoke=(connecting:: data:: downloads:: framing:: large_bodies:: tls::certificates zones::)

# What is built with optimisation: packages that take too long without it where they run.
optimised=()

# Runs Cargo for the target $1, which C compiler $2 compiles and linker $3 links.
other_cargo() {
    local target="$1" compiler="$2" linker="$3" command="$4" name package configured=()
    shift 4
    name="${target//-/_}"
    for package in "${optimised[@]}"; do
        configured+=(--config "profile.dev.package.$package.opt-level=2")
    done
    env "CC_$name=$compiler" "CARGO_TARGET_${name^^}_LINKER=$linker" \
        PATH="$cross/bin:$PATH" RUSTC="$cross/bin/rustc" RUSTC_BOOTSTRAP=1 \
        CARGO_PROFILE_DEV_DEBUG=false CARGO_TARGET_DIR="$cross/target" \
        cargo "$command" -Zbuild-std=std,panic_unwind,test,proc_macro \
        --target "$target" --features test-util "${configured[@]}" "$@"
}

# Runs the tests of the library, and the chosen ones of `it`, by this Cargo.
smoke_tests() {
    "$@" test --no-run --lib --test it
    tested "$@" test --lib
    tested "$@" test --test it -- "${smoke[@]}"
}

# Makes what links a static program with musl: `$cross/musl/linker`.
make_musl_linker() {
    local folder="$cross/musl"
    mkdir -p "$folder"
    cp -L /usr/lib/llvm-14/lib/libunwind.a "$folder/"
    musl-gcc -O2 -c .ci/musl_unwind.c -o "$folder/musl_unwind.o"
    ar r "$folder/libunwind.a" "$folder/musl_unwind.o"
    # The specs of musl-gcc have no -static-pie.
    cat >"$folder/linker-gcc" <<'LINKER'
#!/bin/bash
exec musl-gcc "${@/#-static-pie/-static}"
LINKER
    chmod 755 "$folder/linker-gcc"
    export CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS="-C link-self-contained=no -L $folder"
}

static_programs() {
    install_cross_compiler
    make_musl_linker
    local musl=(other_cargo x86_64-unknown-linux-musl musl-gcc "$cross/musl/linker-gcc")
    smoke_tests "${musl[@]}"
    "${musl[@]}" build --example tour
    local program="$cross/target/x86_64-unknown-linux-musl/debug/examples/tour"
    # A static program names no loader.
    if readelf --program-headers "$program" | grep INTERP; then
        echo "the tour is not static" >&2
        return 1
    fi
    "$program"
}

# The loader and the libraries of a processor's cross compiler stand in a folder of their own.
thirty_two_bits() {
    install_cross_compiler
    local root=/usr/i686-linux-gnu/lib optimised=(ring rustls rustls-webpki)
    export CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C link-arg=-Wl,--dynamic-linker=$root/ld-linux.so.2,-rpath,$root"
    smoke_tests other_cargo i686-unknown-linux-gnu i686-linux-gnu-gcc i686-linux-gnu-gcc
}

# Of `it`, what emulation alone fails.
not_emulated=(
    # qemu 7.2: a copy (fork) of a process with two threads ends as it starts another one, by
    # an assertion (`qemu_plugin_vcpu_init_hook`); seven lines of C do.
    --skip forks::a_process_leaves_connections_to_the_one_that_made_them
)

# All unit tests, and all of `it`. What is emulated without optimisation, with its standard
# library, is slower than the tests have patience.
arm() {
    install_cross_compiler
    local optimised=(ring rustls rustls-webpki)
    local -x CARGO_PROFILE_DEV_OPT_LEVEL=1
    local -x CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="unshare --mount bash $PWD/.ci/emulated.sh"
    local arm=(other_cargo aarch64-unknown-linux-gnu aarch64-linux-gnu-gcc aarch64-linux-gnu-gcc)
    "${arm[@]}" test --no-run --lib --test it
    tested "${arm[@]}" test --lib
    tested "${arm[@]}" test --test it -- "${not_emulated[@]}"
}
