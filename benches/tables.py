"""Runs the loads in interleaved rounds and turns the numbers into tables."""

import collections
import contextlib
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
    Load("1,000 GETs of 1 KiB as tasks with closures, all resumed at once, plain", "tasks", "small",
         False, {"count": 1000}, "GET", {0}, {0}),
    Load("1 GiB body, plain, read 64 KiB at a time", "bulk", "large", False,
         {"buffer": 65536}, "MiB", {0}, {1}),
    Load("1 GiB body, TLS 1.3, read 64 KiB at a time", "bulk", "large", True,
         {"buffer": 65536}, "MiB", {0}, {1}),
    Load("1 GiB download to a file, plain", "download", "large", False, {}, "MiB", {0}, {1}),
    Load("1 GiB download to a file, TLS 1.3", "download", "large", True, {}, "MiB", {0}, {1}),
    Load("1 GiB upload from a file, plain", "upload", "sink", False, {}, "MiB", {0}, {1}),
    Load("1 GiB upload from a file, TLS 1.3", "upload", "sink", True, {}, "MiB", {0}, {1}),
    Load("1 GiB file in a multipart form, plain: memory", "multipart", "sink", False, {}, "MiB",
         {0}, {1}),
)

# The others are not asked for forms.
HAVE_FORMS = ("urlsession", "reqwest", "libcurl")

# Not a client: what a program without one would cost.
BOUND = "socket"
TASKS, CALLS = "tasks with closures", "calls of `data()`, one after the other"
OWN_RATIOS = [("CPU ÷ `data()`", CALLS, "cpu"), ("wall ÷ `data()`", CALLS, "wall")]


def variants(load, clients):
    """Rows of one table: label, what, client, options."""
    if load.what == "tasks":
        # Nobody else has tasks: they are compared with calls of the same session.
        return [(TASKS, load.what, "urlsession", load.options),
                (CALLS, "warm-get", "urlsession", load.options)]
    rows = [(client, load.what, client, load.options) for client in clients]
    if load.what == "bulk":
        rows.append(("libcurl, its own buffer", load.what, "libcurl", {"buffer": 0}))
    if load.what == "download":
        rows.append(("urlsession, temporary file", "download-temporary", "urlsession", {}))
        rows.append(("libcurl, synced", load.what, "libcurl", {"sync": "true"}))
    if load.what == "multipart":
        rows = [row for row in rows if row[2] in HAVE_FORMS]
    # One connection for each of thousands of TLS handshakes would take most of the run.
    if load.what == "threads" and load.tls:
        rows = [row for row in rows if row[2] != "attohttpc"]
    return rows


def measure(program, server, load, clients, rounds):
    """Runs every client once a round, starting with another one each time."""
    every = set(range(os.cpu_count()))
    server.run_on(load.server_cores if len(every) > 1 and load.server_cores else every)
    cores = load.cores if len(every) > 1 else None
    rows = variants(load, clients)
    ca = server.ca if load.tls else None
    samples = {label: [] for label, *_ in rows}
    with contextlib.ExitStack() as stack:
        if load.resource == "sink":
            taken = load.server_cores if cores else every
            server_of_load = stack.enter_context(bench.Sink(program, server.home, taken))
        else:
            server_of_load = server
        url = server_of_load.address(load.resource, load.tls)
        # One round is thrown away: it fills the page cache and wakes the machine.
        for turn in range(-1, rounds):
            shift = turn % len(rows)
            for label, what, client, options in rows[shift:] + rows[:shift]:
                words = bench.arguments(what, client, url, ca, **options)
                with file_for(what, server) as file:
                    line = bench.run(program, words + file, cores)
                check_length(load, label, line)
                if turn >= 0:
                    samples[label].append(sample(load, line))
    return samples


@contextlib.contextmanager
def file_for(what, server):
    """The words that name the file of a load, if it has one; a new one goes away afterwards."""
    if what in ("upload", "multipart"):
        yield ["--file", str(server.home / "files" / "large")]
    elif what == "download":
        path = server.home / "downloaded"
        try:
            yield ["--file", str(path)]
        finally:
            path.unlink(missing_ok=True)
    else:
        yield []


def check_length(load, label, line):
    """Ends the run if another number of bytes came over than was there."""
    expected = line["count"] * (nginx.LARGE_BYTES if load.unit == "MiB" else nginx.SMALL_BYTES)
    # The framing of a form is less than 1 KiB.
    extra = range(1024) if load.what == "multipart" else (0,)
    if line["bytes"] - expected not in extra:
        raise SystemExit(f"{label}: {line['bytes']} bytes of body, expected {expected}")


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
    if load.what == "multipart":
        return memory_table(load, samples)
    columns = OWN_RATIOS if TASKS in samples else peer_ratios(load, samples)
    unit = load.unit
    names = "".join(f" | {name}" for name, _, _ in columns)
    lines = [
        f"### {load.title}",
        "",
        f"| Client | wall µs/{unit} | CPU µs/{unit} | of it user{names} | peak RSS, KiB |",
        "|---|" + "--:|" * (4 + len(columns)),
    ]
    for label, runs in samples.items():
        cells = [
            label,
            spread([run["wall"] for run in runs]),
            spread([run["cpu"] for run in runs]),
            f"{statistics.median(run['user'] for run in runs):.1f}",
            *(f"{ratio(samples, label, other, kind):.2f}" for _, other, kind in columns),
            f"{statistics.median(run['rss'] for run in runs):.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def memory_table(load, samples):
    """One Markdown table of nothing but memory."""
    lines = [f"### {load.title}", "", "| Client | peak RSS, KiB |", "|---|--:|"]
    for label, runs in samples.items():
        lines.append(f"| {label} | {spread([run['rss'] for run in runs])} |")
    return "\n".join(lines) + "\n"


def peer_ratios(load, samples):
    """Columns of ratios where peers are in the table: name, what is divided by, kind."""
    peers = [label for label in samples if not label.startswith("urlsession") and label != BOUND]
    best = min(peers, key=lambda label: ratio(samples, label, "ureq", "cpu"))
    columns = [
        (f"CPU ÷ best peer ({best})", best, "cpu"),
        ("CPU ÷ ureq", "ureq", "cpu"),
        ("wall ÷ ureq", "ureq", "wall"),
    ]
    # The budgets of large bodies are multiples of libcurl's cost.
    if load.unit == "MiB" and "libcurl" in samples:
        columns.insert(1, ("CPU ÷ libcurl", "libcurl", "cpu"))
    return columns
