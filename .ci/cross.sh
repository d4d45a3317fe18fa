# shellcheck shell=bash disable=SC2154 # `run` sets cache, scratch, python_tools
# A compiler for other systems, and the type check for one that this machine cannot run.
# Sourced by `run`.
#
# The toolchain has one target, and none other can be fetched. Debian's `rustc-web`,
# made for building browsers, comes with the source of its own standard library, so
# Cargo can build that for any target first. The packages are unpacked, not
# installed: their `rustc` is nobody else's.

# The newest dependency of package $1 whose name matches $2.
dependency_of() {
    apt-cache depends "$1" | awk -v name="$2" '$1 == "Depends:" && $2 ~ name { print $2 }' | tail -n 1
}

# Unpacks a compiler and the source of its library, and sets `cross` to the folder.
install_cross_compiler() {
    local version dir library
    version="$(apt-cache policy rustc-web | awk '$1 == "Candidate:" { print $2 }')"
    cross="$cache/cross-$version"
    [ ! -e "$cross/complete" ] || return 0
    dir="$scratch/debs"
    rm -rf "$cross"
    mkdir -p "$dir" "$cross/system" "$cross/bin"
    library="$(dependency_of libstd-rust-web-dev '^libstd-rust-web-[0-9]')"
    # dlltool and as of binutils-mingw make the import libraries that Windows code names.
    (cd "$dir" && apt-get download -qq rustc-web libstd-rust-web-dev rust-web-src \
        "$library" "$(dependency_of "$library" '^libllvm')" \
        binutils-mingw-w64-x86-64) 2>"$dir/apt.log" || { cat "$dir/apt.log" >&2; return 1; }
    local package
    for package in "$dir"/*.deb; do
        dpkg-deb --extract "$package" "$cross/system"
    done
    cat >"$cross/bin/rustc" <<WRAPPER
#!/bin/sh
LD_LIBRARY_PATH="$cross/system/usr/lib/x86_64-linux-gnu" exec "$cross/system/usr/bin/rustc" "\$@"
WRAPPER
    chmod 755 "$cross/bin/rustc"
    ln -s "$cross"/system/usr/bin/x86_64-w64-mingw32-{as,dlltool} "$cross/bin/"
    rm -rf "$dir"
    touch "$cross/complete"
}

type_check_for_macos() {
    install_cross_compiler
    "$cross/bin/rustc" --version
    # -Zbuild-std is unstable; without its features, unwinding and backtraces need
    # not be built, and nothing here is ever run. As nothing is linked either, the C of
    # ring and zstd needs no compiler for macOS: `true` leaves it out.
    PATH="$cross/bin:$PATH" RUSTC="$cross/bin/rustc" RUSTC_BOOTSTRAP=1 \
        CARGO_PROFILE_DEV_DEBUG=false CARGO_TARGET_DIR="$cross/target" \
        CC_aarch64_apple_darwin=true AR_aarch64_apple_darwin=true \
        cargo check --lib --all-features \
        -Zbuild-std=std,panic_abort -Zbuild-std-features= --target aarch64-apple-darwin
}
