"""What background sessions cost: many tasks, and the journal beside a large download."""

import os
import pathlib
import re
import socket
import statistics
import subprocess
import tempfile

import counting
import nginx
import program as bench
import segments

COUNTS = (100, 1000, 10_000)
# Of the bench program, whose tasks are made by one run and found by another.
STEPS = ("make", "open")


def table(program, rounds):
    """Both tables; `background` lies beside the bench program."""
    program = pathlib.Path(program).with_name("background")
    with nginx.Server() as server:
        journal = beside_a_download(program, server.address("large"), rounds)
    return f"{load()}\n{many(program, rounds)}\n{journal}{load()}"


def load():
    return f"Load average {os.getloadavg()[0]:.1f}.\n"


def many(program, rounds):
    """Many tasks, of a server that takes connections and says nothing."""
    samples = {(step, count): [] for step in STEPS for count in COUNTS}
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        # The first is thrown away.
        for number in range(rounds + 1):
            for count in COUNTS:
                for step, line in made_and_opened(program, url, count).items():
                    if number > 0:
                        samples[step, count].append(line)
        counts = {count: instructions(program, url, count) for count in (0, *COUNTS)}
    lines = [
        "| Tasks | make µs/task | ÷ at 100 | instructions/task | peak, KiB "
        "| open ms | open µs/task | instructions/task | peak, KiB |",
        "|--:|" + "--:|" * 8,
    ]
    for count in COUNTS:
        cells = [f"{count:,}"]
        for step in STEPS:
            runs = samples[step, count]
            each = [run["wall_ns"] / 1000 / count for run in runs]
            if step == "make":
                least = statistics.median(
                    run["wall_ns"] / 1000 / COUNTS[0] for run in samples[step, COUNTS[0]]
                )
                cells += [segments.spread(each, ".0f"), f"{statistics.median(each) / least:.2f}"]
            else:
                cells.append(segments.spread([run["wall_ns"] / 1e6 for run in runs], ".1f"))
                cells.append(segments.spread(each, ".0f"))
            cells.append(f"{(counts[count][step] - counts[0][step]) / count:,.0f}")
            cells.append(segments.spread([run["peak_at_rest_kib"] for run in runs], ".0f"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def made_and_opened(program, url, count):
    """One line for each step, in a folder of their own on the disk."""
    with folder() as home:
        return {
            "make": bench.run(program, ["make", url, home, str(count)]),
            "open": bench.run(program, ["open", home, str(count)]),
        }


def instructions(program, url, count):
    """Instructions of each step until everything has begun."""
    counting.needed("valgrind")
    found = {}
    with folder() as home:
        for step, words in (("make", ["make", url, home]), ("open", ["open", home])):
            profile = pathlib.Path(home) / f"{step}.callgrind"
            valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}"]
            command = [*valgrind, program, *words, str(count)]
            subprocess.run(command, env=bench.CLEAN, check=True, capture_output=True)
            found[step] = int(re.search(r"^(?:summary|totals): (\d+)", profile.read_text(), re.M)[1])
    return found


def beside_a_download(program, url, rounds):
    """1 GiB in a background session and as a resumable download, in turns."""
    ways = ("resumable", "download")
    samples = {way: [] for way in ways}
    for number in range(rounds + 1):
        # Whoever comes second finds the disk as the first has left it.
        for way in ways if number % 2 else ways[::-1]:
            with folder() as home:
                line = bench.run(program, [way, url, home])
            assert line["bytes"] == nginx.LARGE_BYTES
            if number > 0:
                samples[way].append(line)
    mib = nginx.LARGE_BYTES / 1024**2
    wall = {way: [run["wall_ns"] / 1000 / mib for run in samples[way]] for way in ways}
    cpu = {way: [(run["user_us"] + run["sys_us"]) / mib for run in samples[way]] for way in ways}
    names = {"resumable": "default session, `resumable(true)`", "download": "background session"}
    lines = ["| 1 GiB to a file | wall µs/MiB | ÷ | CPU µs/MiB | ÷ | peak, KiB |", "|---|" + "--:|" * 5]
    for way in ways:
        ratios = [statistics.median(of[way]) / statistics.median(of["resumable"]) for of in (wall, cpu)]
        peak = segments.spread([run["peak_rss_kib"] for run in samples[way]], ".0f")
        lines.append(
            f"| {names[way]} | {segments.spread(wall[way], '.0f')} | {ratios[0]:.2f} "
            f"| {segments.spread(cpu[way], '.0f')} | {ratios[1]:.2f} | {peak} |"
        )
    return "\n".join(lines) + "\n"


def folder():
    """A folder on the disk: what is synced there costs what it costs programs."""
    return tempfile.TemporaryDirectory(prefix="urlsession-background-", dir="/var/tmp")
