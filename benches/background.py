"""What background sessions cost: many tasks, and the journal beside a large download."""

import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

import counting
import nginx
import program as bench
import segments

COUNTS = (100, 1000, 10_000)
# Of the bench program, whose tasks are made by one run and found by another.
STEPS = ("make", "open")

# Of many files through the daemon, and how many come at a time.
FILES, MOST = 100, 6
# After so long a daemon with nothing to do has no threads left but its own; so long it is watched.
RESTS_AFTER, WATCHED = 8, 10


def table(program, rounds):
    """Both tables; `background` lies beside the bench program."""
    program = pathlib.Path(program).with_name("background")
    with nginx.Server() as server:
        journal = beside_a_download(program, server.address("large"), rounds)
    return f"{load()}\n{many(program, rounds)}\n{journal}{load()}"


def daemon(program, rounds):
    """Many files through the daemon, and what it is when it has nothing to do."""
    program = pathlib.Path(program).with_name("background")
    with nginx.Server() as server:
        url = server.address("medium")
        return f"{load()}\n{many_files(program, url, rounds)}\n{at_rest(program, url)}{load()}"


def many_files(program, url, rounds):
    """The same files by a foreground session, by a daemon and by aria2c, in turns."""
    ways = ["foreground", "daemon"] + ["aria2c"] * bool(shutil.which("aria2c"))
    walls = {way: [] for way in ways}
    for number in range(rounds + 1):
        shift = number % len(ways)
        for way in ways[shift:] + ways[:shift]:
            with folder() as home:
                wall = aria2c(url, home) if way == "aria2c" else files(program, way, url, home)
            if number > 0:
                walls[way].append(wall)
    names = {"foreground": "default session", "daemon": "daemon", "aria2c": "aria2c"}
    lines = [f"| {FILES} files of 1 MiB, {MOST} at a time | wall ms | speed ÷ default session |", "|---|--:|--:|"]
    for way in ways:
        ratios = [own / wall for own, wall in zip(walls["foreground"], walls[way])]
        lines.append(
            f"| {names[way]} | {segments.spread(walls[way], '.0f')} | {segments.spread(ratios, '.2f')} |"
        )
    return "\n".join(lines) + "\n"


def files(program, way, url, home):
    """How many ms the program takes from its first task to its last end."""
    try:
        line = bench.run(program, [way, url, home, str(FILES), str(MOST)])
    finally:
        if way == "daemon":
            stop(home)
    assert line["bytes"] == FILES * nginx.MEDIUM_BYTES
    return line["wall_ns"] / 1e6


def aria2c(url, home):
    """How many ms aria2c takes, with its start."""
    wanted = "".join(f"{url}?{number}\n out={number}\n" for number in range(FILES))
    command = ["aria2c", "--no-conf", "--quiet", "--input-file=-", f"--dir={home}"]
    command += [f"--max-concurrent-downloads={MOST}", "--max-connection-per-server=1", "--split=1"]
    began = time.monotonic()
    subprocess.run(command, input=wanted, env=bench.CLEAN, check=True, text=True)
    wall = time.monotonic() - began
    sizes = [path.stat().st_size for path in pathlib.Path(home).iterdir()]
    assert sizes == [nginx.MEDIUM_BYTES] * FILES
    return wall * 1e3


def at_rest(program, url):
    """Memory of a daemon that has nothing left to do, and how often it wakes up."""
    with folder() as home:
        bench.run(program, ["daemon", url, home, str(FILES), str(MOST)])
        try:
            time.sleep(RESTS_AFTER)
            before = switches(home)
            time.sleep(WATCHED)
            woken = switches(home) - before
            memory = {name: int(status(home, name).split()[0]) for name in ("VmRSS", "VmHWM")}
        finally:
            stop(home)
    return (
        f"A daemon at rest after them: {memory['VmRSS']} KiB resident, {memory['VmHWM']} at most; "
        f"{woken} context switches of its threads in {WATCHED} s.\n"
    )


def process(home):
    """The folder of the daemon of a state folder in /proc."""
    return pathlib.Path("/proc") / (pathlib.Path(home) / "daemon" / "lock").read_text().strip()


def status(home, name):
    """A field of the daemon's /proc/PID/status."""
    return re.search(rf"^{name}:\s*(.*)", (process(home) / "status").read_text(), re.M)[1]


def switches(home):
    """How often threads of the daemon have begun to wait, or were made to."""
    found = [(task / "status").read_text() for task in (process(home) / "task").iterdir()]
    return sum(int(count) for text in found for count in re.findall(r"ctxt_switches:\s*(\d+)", text))


def stop(home):
    """Ends the daemon of a state folder, and waits until it is gone."""
    gone = process(home)
    os.kill(int(gone.name), signal.SIGTERM)
    while gone.exists():
        time.sleep(0.01)


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
