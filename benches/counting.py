"""Instructions (callgrind) and system calls (strace) per warm GET.

Both count a whole process at two run lengths; the difference of the counts over the difference
of the lengths leaves start-up, connecting and the end of the process out.
"""

import collections
import pathlib
import re
import shutil
import subprocess
import tempfile

import program as bench

SHORT, LONG = 200, 1200

# Agreed with the design: at most this part of bare ureq's instructions...
INSTRUCTION_BUDGET = 0.80
# ... and so many in all, whatever ureq comes to: 21,763 before there were cookies and HSTS, which
# look at each URL and each head for what concerns them;
MOST_INSTRUCTIONS = 22_600
# ... and one write, one read and at most one look whether the connection still lives.
TRANSFERS, PROBES = 2, 1
# Bytes of heap that an idle connection may hold, plain and TLS.
IDLE_BUDGETS = {False: 2_000, True: 12_000}

WRITES = {"write", "writev", "sendto", "sendmsg"}
READS = {"read", "readv", "recvfrom", "recvmsg"}
LOOKS = {"poll", "ppoll", "select", "pselect6", "epoll_wait", "ioctl"}

# "12 read(...", or the second half of a call that another thread cut in two.
CALL = re.compile(r"^(?:\d+\s+)?(?:(\w+)\(|<\.\.\. (\w+) resumed)")


def per_get(count_at):
    """Applies `count_at` to both lengths; counters and numbers alike."""
    short, long = count_at(SHORT), count_at(LONG)
    if isinstance(short, int):
        return (long - short) / (LONG - SHORT)
    names = sorted(set(short) | set(long))
    rates = {name: (long[name] - short[name]) / (LONG - SHORT) for name in names}
    return {name: rate for name, rate in rates.items() if rate != 0}


def needed(tool):
    """Ends the run if a tool is missing."""
    if shutil.which(tool) is None:
        raise SystemExit(f"{tool} is not installed")


def instructions(program, client, url, ca=None, keep=None):
    """Instructions per warm GET; `keep` is a folder for the profiles."""
    needed("valgrind")

    def count_at(length):
        with tempfile.TemporaryDirectory() as folder:
            profile = pathlib.Path(keep or folder) / f"{client}-{length}.callgrind"
            words = bench.arguments("warm-get", client, url, ca, count=length)
            command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}"]
            done = subprocess.run(
                [*command, program, *words], env=bench.CLEAN, capture_output=True, text=True
            )
            if done.returncode != 0:
                raise SystemExit(f"callgrind on {client} failed: {done.stderr}")
            return int(re.search(r"^(?:summary|totals): (\d+)", profile.read_text(), re.M)[1])

    return per_get(count_at)


def system_calls(program, client, url, ca=None):
    """System calls per warm GET by name; a read that only peeks has a name of its own."""
    needed("strace")

    def count_at(length):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "calls"
            words = bench.arguments("warm-get", client, url, ca, count=length)
            subprocess.run(
                ["strace", "-f", "-s", "0", "-o", log, program, *words],
                env=bench.CLEAN,
                check=True,
                capture_output=True,
            )
            return count_calls(log.read_text().splitlines())

    return per_get(count_at)


# Those that keep connections, in memory that Rust's allocator gave.
COUNTABLE = ("urlsession", "ureq", "reqwest")


def idle_table(program, server):
    """The table of the heap that an idle connection holds."""
    lines = [
        "### Heap that an idle connection holds",
        "",
        "| Client | bytes, plain | bytes, TLS 1.3 |",
        "|---|--:|--:|",
    ]
    for client in COUNTABLE:
        cells = [f"{idle_bytes(program, server, client, tls):,.0f}" for tls in (False, True)]
        lines.append(f"| {client} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def idle_bytes(program, server, client, tls):
    """Bytes of heap that one idle connection holds."""
    ca = ["--ca", str(server.ca)] if tls else []
    words = ["--client", client, "--url", server.address("medium", tls), *ca]
    line = bench.run(pathlib.Path(program).parent / "idle", words)
    return line["bytes"] / line["connections"]


def idle_gate(program, server):
    """Returns which idle connections hold more than they may."""
    wrong = []
    for tls, budget in IDLE_BUDGETS.items():
        kind, held = "TLS" if tls else "plain", idle_bytes(program, server, "urlsession", tls)
        print(f"heap of an idle connection, {kind}: {held:,.0f} bytes")
        if held > budget:
            wrong.append(f"an idle {kind} connection holds {held:,.0f} bytes, allowed are {budget:,}")
    return wrong


def count_calls(lines):
    """Counts the calls in a log; one that was cut in two by another thread counts once."""
    calls = collections.Counter()
    for line in lines:
        named = CALL.match(line)
        if named is None or "<unfinished ...>" in line:
            continue
        name = named[1] or named[2]
        calls[f"{name} (peek)" if "MSG_PEEK" in line else name] += 1
    return calls


def kinds(calls):
    """Sums calls by kind: transfers, probes and all others."""
    sums = {"transfers": 0.0, "probes": 0.0, "others": 0.0}
    for name, rate in calls.items():
        if name.endswith("(peek)") or name in LOOKS:
            sums["probes"] += rate
        elif name in WRITES | READS:
            sums["transfers"] += rate
        else:
            sums["others"] += rate
    return sums


def gate(program, url):
    """The checks that may fail a build: counts only, never time. Returns what is wrong."""
    ours, bare = (instructions(program, client, url) for client in ("urlsession", "ureq"))
    ratio = ours / bare
    print(f"instructions per warm GET: urlsession {ours:,.0f}, ureq {bare:,.0f}, ratio {ratio:.3f}")
    wrong = []
    if ratio > INSTRUCTION_BUDGET:
        wrong.append(f"instructions are {ratio:.3f} of bare ureq's, allowed are {INSTRUCTION_BUDGET:.2f}")
    if ours > MOST_INSTRUCTIONS:
        wrong.append(f"{ours:,.0f} instructions per warm GET, allowed are {MOST_INSTRUCTIONS:,}")
    cookies = instructions(program, "urlsession-cookies", url) / ours
    print(f"with twenty cookies {cookies:.3f} of that")
    bound = kinds(system_calls(program, "socket", url))
    if round(bound["transfers"], 2) != TRANSFERS:
        wrong.append(f"even the plain socket needs {bound['transfers']:.2f} transfers: is the server odd?")
    calls = system_calls(program, "urlsession", url)
    print("system calls per warm GET:", listed(calls))
    sums = kinds(calls)
    # A hundredth leaves room for the allocator asking the system for memory now and then.
    if round(sums["transfers"], 2) != TRANSFERS:
        wrong.append(f"{sums['transfers']:.2f} reads and writes per warm GET, not {TRANSFERS}")
    if sums["probes"] > PROBES + 0.01:
        wrong.append(f"{sums['probes']:.2f} probes per warm GET, allowed is {PROBES}")
    if sums["others"] > 0.01:
        wrong.append(f"{sums['others']:.2f} other system calls per warm GET, allowed is none")
    return wrong


def listed(calls):
    """Calls as one line, most frequent first."""
    ranked = sorted(calls.items(), key=lambda call: -abs(call[1]))
    return ", ".join(f"{name} {rate:.2f}" for name, rate in ranked if abs(rate) >= 0.005)
