#!/usr/bin/env bash
# Runs a program of ARM: `unshare --mount bash .ci/emulated.sh PROGRAM ARGUMENT...`, as root.
#
# Tests start their own program anew, some at the end of other commands (unshare, setpriv, sh),
# so it is the kernel that has to know what runs it. What binfmt_misc is told lasts for as long as
# that is mounted anywhere: as a rule, in the mount namespace of this program and its children.
set -euo pipefail

folder=/proc/sys/fs/binfmt_misc
[ -e "$folder/register" ] || mount -t binfmt_misc binfmt_misc "$folder"
if [ ! -e "$folder/urlsession-aarch64" ]; then
    # The first 20 bytes of an ELF of 64 bits, little endian, executable or shared, for aarch64.
    magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    # By one write.
    printf '%s' ":urlsession-aarch64:M::$magic:$mask:$(command -v qemu-aarch64):" >"$folder/register"
fi
QEMU_LD_PREFIX=/usr/aarch64-linux-gnu exec "$@"
