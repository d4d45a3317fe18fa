"""What the stripped program of the weights is made of: bytes by crate, from its symbols."""

import collections
import pathlib
import re
import subprocess
import tempfile

import weights

# How crates are shown together; what is in none stands for itself.
GROUPS = {
    "ring": ("ring", "untrusted"),
    "rustls": ("rustls", "webpki", "rustls_pki_types", "zeroize", "subtle", "once_cell"),
    "url and its tables": ("url", "idna", "idna_adapter", "icu_normalizer", "icu_properties",
                           "icu_collections", "icu_provider", "zerovec", "smallvec",
                           "percent_encoding", "form_urlencoded", "utf8_iter"),
    "std": ("std", "core", "alloc", "gimli", "addr2line", "rustc_demangle", "miniz_oxide",
            "object", "hashbrown", "memchr"),
}
# Functions of C and assembly have no crate in their names; all that are linked are ring's.
C_CODE = "ring"
SECTIONS = {
    "unwinding tables": (".eh_frame", ".eh_frame_hdr", ".gcc_except_table"),
    "relocations": (".rela.dyn",),
}


def table(versions):
    """One Markdown table for urlsession with `tls` alone."""
    label, dependency, get = weights.WEIGHED[0]
    with tempfile.TemporaryDirectory(prefix="urlsession-parts-") as folder:
        program = weights.make(pathlib.Path(folder), dependency, get, versions, strip="false")
        symbols, sections = by_crate(program), by_section(program)
        sections["strings and the rest"] = stripped_size(program) - sum(
            [*symbols.values(), *sections.values()]
        )
    lines = [f"| Part of the program with {label} | KB |", "|---|--:|"]
    for name, size in [*symbols.most_common(), *sections.items()]:
        lines.append(f"| {name} | {size / 1e3:.0f} |")
    return "\n".join(lines) + "\n"


def by_crate(program):
    """Bytes of code and constants by group of crates; generic code counts as its type's."""
    sizes = collections.Counter()
    for line in output("nm", "--print-size", "--demangle", program).splitlines():
        words = line.split(None, 3)
        if len(words) == 4 and words[2] not in "bB":
            sizes[group(words[3])] += int(words[1], 16)
    small = [name for name, size in sizes.items() if size < 10_000]
    for name in small:
        sizes["all other crates"] += sizes.pop(name)
    return sizes


def group(symbol):
    """The group that a symbol belongs to."""
    if "::" not in symbol:
        return C_CODE
    crates = re.findall(r"(?<![\w:])([a-z_][a-z_0-9]*)::", symbol)
    foreign = [crate for crate in crates if crate not in GROUPS["std"]]
    crate = (foreign or crates or ["std"])[0]
    return next((name for name, crates in GROUPS.items() if crate in crates), crate)


def by_section(program):
    """Bytes of what is neither code nor constants."""
    sizes = {}
    for line in output("size", "--format=sysv", program).splitlines():
        words = line.split()
        if len(words) == 3 and words[1].isdigit():
            sizes[words[0]] = int(words[1])
    return {name: sum(sizes.get(part, 0) for part in parts) for name, parts in SECTIONS.items()}


def stripped_size(program):
    """Bytes of the program without its symbols."""
    stripped = program.with_name("stripped")
    output("strip", "-o", stripped, program)
    return stripped.stat().st_size


def output(*words):
    """What a command prints."""
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
