"""Builds the `bench` program and runs it."""

import json
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent

# A proxy of the environment would be measured in place of the client.
CLEAN = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def build(features=()):
    """Builds the release profile and returns where `bench` is; `idle` lies beside it."""
    command = ["cargo", "build", "--release", "--message-format=json-render-diagnostics"]
    command += [f"--features={feature}" for feature in features]
    told = subprocess.run(
        [*command, "--manifest-path", HERE / "Cargo.toml"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    messages = (json.loads(line) for line in told.stdout.splitlines())
    found = [message["executable"] for message in messages if message.get("executable")]
    return next(path for path in found if pathlib.Path(path).stem == "bench")


class Sink:
    """Runs the server of the uploads for the length of a `with` block, on these CPU cores."""

    def __init__(self, program, home, cores):
        self.words = [program, "sink", home / "server.pem", home / "server.key"]
        self.cores = cores

    def __enter__(self):
        self.process = subprocess.Popen(
            self.words,
            preexec_fn=lambda: os.sched_setaffinity(0, self.cores),
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ports = self.process.stdout.readline().split()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def address(self, name, tls=False):
        """A URL of this server; it takes any name."""
        plain, secure = self.ports
        return f"https://127.0.0.1:{secure}/{name}" if tls else f"http://127.0.0.1:{plain}/{name}"


def clients(program):
    """The names of the clients the program was built with, in the order of the tables."""
    return subprocess.run([program, "clients"], check=True, capture_output=True, text=True).stdout.split()


def arguments(what, client, url, ca=None, **options):
    """The words after the program's name."""
    words = [what, "--client", client, "--url", url]
    if ca is not None:
        words += ["--ca", str(ca)]
    for name, value in options.items():
        words += [f"--{name}", str(value)]
    return words


def run(program, words, cores=None):
    """Runs one load, on these CPU cores only, and returns its line as a dictionary."""
    pin = None if cores is None else lambda: os.sched_setaffinity(0, cores)
    done = subprocess.run(
        [program, *words], env=CLEAN, preexec_fn=pin, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise SystemExit(f"{pathlib.Path(program).name} {' '.join(words)} failed: {done.stderr.strip()}")
    fields = dict(field.split("=", 1) for field in done.stdout.split())
    return {name: int(value) if value.isdigit() else value for name, value in fields.items()}
