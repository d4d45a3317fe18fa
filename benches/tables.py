"""Runs the loads in interleaved rounds and turns the numbers into tables."""

import collections
import os
import statistics

import nginx
import program as bench

MIB = 1024 * 1024

# `unit` is what the time is divided by; `cores` and `server_cores` pin both sides if not None.
# Client and server share a core where one waits for the other: the time it takes to wake
# another core is larger than what is measured and says nothing about a client.
Load = collections.namedtuple("Load", "title what resource tls options unit cores server_cores")

LOADS = (
    Load("GET of 1 KiB on a warm connection, plain", "warm-get", "small", False,
         {"count": 4000}, "GET", {0}, {0}),
    Load("GET of 1 KiB on a warm connection, TLS 1.3", "warm-get", "small", True,
         {"count": 4000}, "GET", {0}, {0}),
    Load("8 threads, GETs of 1 KiB on warm connections, plain", "threads", "small", False,
         {"count": 16000, "threads": 8}, "GET", None, None),
    Load("8 threads, GETs of 1 KiB on warm connections, TLS 1.3", "threads", "small", True,
         {"count": 8000, "threads": 8}, "GET", None, None),
    Load("1 GiB body, plain, read 64 KiB at a time", "bulk", "large", False,
         {"buffer": 65536}, "MiB", {0}, {1}),
    Load("1 GiB body, TLS 1.3, read 64 KiB at a time", "bulk", "large", True,
         {"buffer": 65536}, "MiB", {0}, {1}),
)

# Not a client: what a program without one would cost.
BOUND = "socket"


def variants(load, clients):
    """Rows of one table: label, client, options."""
    rows = [(client, client, load.options) for client in clients]
    if load.what == "bulk":
        rows.append(("libcurl, its own buffer", "libcurl", {"buffer": 0}))
    # One connection for each of thousands of TLS handshakes would take most of the run.
    if load.what == "threads" and load.tls:
        rows = [row for row in rows if row[1] != "attohttpc"]
    return rows


def measure(program, server, load, clients, rounds):
    """Runs every client once a round, starting with another one each time."""
    every = set(range(os.cpu_count()))
    server.run_on(load.server_cores if len(every) > 1 and load.server_cores else every)
    cores = load.cores if len(every) > 1 else None
    rows = variants(load, clients)
    url, ca = server.address(load.resource, load.tls), server.ca if load.tls else None
    samples = {label: [] for label, _, _ in rows}
    # One round is thrown away: it fills the page cache and wakes the machine.
    for turn in range(-1, rounds):
        shift = turn % len(rows)
        for label, client, options in rows[shift:] + rows[:shift]:
            words = bench.arguments(load.what, client, url, ca, **options)
            line = bench.run(program, words, cores)
            expected = line["count"] * (nginx.LARGE_BYTES if load.unit == "MiB" else nginx.SMALL_BYTES)
            if line["bytes"] != expected:
                raise SystemExit(f"{label}: {line['bytes']} bytes of body, expected {expected}")
            if turn >= 0:
                samples[label].append(sample(load, line))
    return samples


def sample(load, line):
    """Wall and CPU microseconds per GET or MiB, and peak memory."""
    work = line["bytes"] / MIB if load.unit == "MiB" else line["count"]
    return {
        "wall": line["wall_ns"] / 1000 / work,
        "cpu": (line["user_us"] + line["sys_us"]) / work,
        "user": line["user_us"] / work,
        "rss": line["peak_rss_kib"],
    }


def ratio(samples, label, other, kind):
    """The median of the ratios within one round, which ran under the same conditions."""
    pairs = zip(samples[label], samples[other])
    return statistics.median(one[kind] / two[kind] for one, two in pairs)


def spread(values):
    """Median and range."""
    digits = 1 if statistics.median(values) < 1000 else 0
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def table(load, samples):
    """One Markdown table."""
    peers = [label for label in samples if label not in ("urlsession", BOUND)]
    best = min(peers, key=lambda label: ratio(samples, label, "ureq", "cpu"))
    unit = load.unit
    lines = [
        f"### {load.title}",
        "",
        f"| Client | wall µs/{unit} | CPU µs/{unit} | of it user | CPU ÷ best peer ({best})"
        f" | CPU ÷ ureq | wall ÷ ureq | peak RSS, KiB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for label, runs in samples.items():
        cells = [
            label,
            spread([run["wall"] for run in runs]),
            spread([run["cpu"] for run in runs]),
            f"{statistics.median(run['user'] for run in runs):.1f}",
            f"{ratio(samples, label, best, 'cpu'):.2f}",
            f"{ratio(samples, label, 'ureq', 'cpu'):.2f}",
            f"{ratio(samples, label, 'ureq', 'wall'):.2f}",
            f"{statistics.median(run['rss'] for run in runs):.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
