"""What a client adds to a program: crates, CPU time of a clean build, bytes."""

import pathlib
import resource
import shutil
import subprocess
import tempfile

import program as bench

PROGRAM = 'fn main() {{\n    println!("{{}}", {});\n}}\n'

URL = '"https://example.com/"'

# Label, dependency (`{}` is its version or path), expression that sends one GET.
WEIGHED = (
    ("urlsession, `tls` alone", 'urlsession = {{ {}, default-features = false, features = ["tls"] }}',
     f"urlsession::Session::shared().data({URL}).unwrap().text()"),
    ("urlsession, defaults", "urlsession = {{ {} }}",
     f"urlsession::Session::shared().data({URL}).unwrap().text()"),
    ("ureq, defaults", "ureq = {{ {} }}",
     f"ureq::get({URL}).call().unwrap().body_mut().read_to_string().unwrap()"),
    ("reqwest, blocking, rustls",
     'reqwest = {{ {}, default-features = false, features = ["blocking", "rustls"] }}',
     f"reqwest::blocking::get({URL}).unwrap().text().unwrap()"),
    ("attohttpc, rustls",
     'attohttpc = {{ {}, default-features = false, features = ["tls-rustls-webpki-roots"] }}',
     f"attohttpc::get({URL}).send().unwrap().text().unwrap()"),
)

MANIFEST = """\
[workspace]

[package]
name = "one-get"
version = "0.0.0"
edition = "2024"

[dependencies]
{dependency}

[profile.release]
strip = {strip}
"""


def table(versions):
    """One Markdown table; `versions` are those the other tables were made with."""
    lines = [
        "| Client | crates | CPU seconds of a clean release build | stripped one-GET program, MB |",
        "|---|--:|--:|--:|",
    ]
    for label, dependency, get in WEIGHED:
        crates, seconds, size = weigh(dependency, get, versions)
        lines.append(f"| {label} | {crates} | {seconds:.0f} | {size / 1e6:.2f} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def weigh(dependency, get, versions):
    """Makes the program in a folder of its own: crates, CPU seconds, bytes."""
    with tempfile.TemporaryDirectory(prefix="urlsession-weights-") as folder:
        home = pathlib.Path(folder)
        describe(home, dependency, get, versions, strip="true")
        tree = cargo(home, "tree", "--edges", "normal", "--prefix", "none", "--no-dedupe")
        # The program itself is in the tree.
        crates = len({tuple(line.split()[:2]) for line in tree.splitlines()}) - 1
        before = child_seconds()
        program = build(home)
        return crates, child_seconds() - before, program.stat().st_size


def make(home, dependency, get, versions, strip):
    """Makes the program in this folder and returns where it is."""
    describe(home, dependency, get, versions, strip)
    return build(home)


def describe(home, dependency, get, versions, strip):
    """Writes what the program is built from, and fetches it."""
    name = dependency.split()[0]
    where = f'path = "{bench.HERE.parent}"' if name == "urlsession" else f'version = "={versions[name]}"'
    (home / "src").mkdir()
    (home / "src" / "main.rs").write_text(PROGRAM.format(get))
    manifest = MANIFEST.format(dependency=dependency.format(where), strip=strip)
    (home / "Cargo.toml").write_text(manifest)
    # What both have is of the same version as in the other tables.
    shutil.copy(bench.HERE / "Cargo.lock", home)
    cargo(home, "fetch")


def build(home):
    """Builds the program and returns where it is."""
    cargo(home, "build", "--release", "--offline", "-j2", "--target-dir", "target")
    return home / "target" / "release" / "one-get"


def cargo(home, *words):
    """Runs cargo in this folder and returns what it prints."""
    done = subprocess.run(["cargo", *words], cwd=home, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"cargo {' '.join(words)} failed: {done.stderr}")
    return done.stdout


def child_seconds():
    """User and system time of all processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
