#!/usr/bin/env python3
"""Compares urlsession with its peers on this machine; see README.md beside this file."""

import argparse
import datetime
import os
import pathlib
import platform
import subprocess

import background
import counting
import heads
import nginx
import parts
import program as bench
import segments
import tables
import weights

README = pathlib.Path(__file__).resolve().parent / "README.md"
ROUNDS, QUICK_ROUNDS = 11, 3
PEERS = ("ureq", "reqwest", "attohttpc", "curl", "rustls")


def options():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", nargs="?", choices=["instructions", "heads", "idle", "weights", "parts", "segments", "background", "daemon"])
    parser.add_argument("--all", action="store_true", help="all tables, written into README.md")
    parser.add_argument("--quick", action="store_true", help="all tables, few rounds, only printed")
    parser.add_argument("--gate", action="store_true", help="checks for CI; counts, never time")
    parser.add_argument("--only", default="", help="only loads whose title contains this")
    parser.add_argument("--clients", default="", help="only these, separated by commas")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for the callgrind profiles")
    parser.add_argument("--program", help="a bench program that is already built")
    given = parser.parse_args()
    if not (given.mode or given.all or given.quick or given.gate):
        parser.error("say --all, --quick, --gate or a mode")
    return given


def main():
    given = options()
    if given.mode == "weights":
        replace("weights", weighed())
        return
    if given.mode == "parts":
        print(parts.table(locked_versions()))
        return
    features = ["background"] if given.mode in ("background", "daemon") else []
    program = given.program or bench.build(features)
    if given.mode == "background":
        print(background.table(program, ROUNDS))
        return
    if given.mode == "daemon":
        print(background.daemon(program, ROUNDS))
        return
    if given.mode == "segments":
        with nginx.Server() as server:
            print(segments.table(program, server, ROUNDS))
        return
    known = bench.clients(program)
    # ureq is in every table, as the others are divided by it.
    wanted = [*given.clients.split(","), "ureq"] if given.clients else known
    clients = [client for client in known if client in wanted]
    heads.check(program, clients, show=given.mode == "heads")
    if given.mode == "heads":
        return
    with nginx.Server() as server:
        if given.gate:
            pass_or_fail(program, server)
        elif given.mode == "instructions":
            print(counted(program, server, clients, given.keep))
        elif given.mode == "idle":
            print(counting.idle_table(program, server))
        else:
            measured(program, server, clients, given)


def pass_or_fail(program, server):
    """Ends with status 1 and a line for each broken promise."""
    wrong = counting.gate(program, server.address("small"))
    wrong += counting.idle_gate(program, server)
    if wrong:
        raise SystemExit("\n".join(f"gate: {line}" for line in wrong))
    print("gate: passed")


def counted(program, server, clients, keep):
    """The table of instructions and system calls."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
    lines = [
        "### Instructions and system calls per warm GET of 1 KiB",
        "",
        "| Client | instructions, plain | ÷ ureq | instructions, TLS 1.3 | ÷ ureq | system calls, plain |",
        "|---|--:|--:|--:|--:|---|",
    ]
    plain, tls = server.address("small"), server.address("small", tls=True)
    order = sorted(clients, key=lambda client: client != "ureq")
    rows, bare = {}, None
    for client in order:
        counts = (
            counting.instructions(program, client, plain, keep=keep),
            counting.instructions(program, client, tls, server.ca),
        )
        bare = bare or counts
        calls = counting.listed(counting.system_calls(program, client, plain))
        cells = [f"{count:,.0f} | {count / base:.2f}" for count, base in zip(counts, bare)]
        rows[client] = f"| {client} | {cells[0]} | {cells[1]} | {calls} |"
    if "urlsession" in clients:
        count, calls = (count(program, "urlsession-cookies", plain) for count in (counting.instructions, counting.system_calls))
        rows["urlsession"] += f"\n| urlsession, 20 cookies | {count:,.0f} | {count / bare[0]:.2f} | | | {counting.listed(calls)} |"
    return "\n".join(lines + [rows[client] for client in clients]) + "\n"


def measured(program, server, clients, given):
    """Runs and prints the tables; with `--all` they also replace those in the README."""
    rounds = ROUNDS if given.all else QUICK_ROUNDS
    idle = os.getloadavg()[0]
    parts = [conditions(rounds)]
    print(parts[0])
    if not given.only:
        parts.append(counted(program, server, clients, given.keep))
        print(parts[-1], flush=True)
        parts.append(counting.idle_table(program, server))
        print(parts[-1], flush=True)
    for load in tables.LOADS:
        if given.only.lower() in load.title.lower():
            samples = tables.measure(program, server, load, clients, rounds)
            parts.append(tables.table(load, samples))
            print(parts[-1], flush=True)
    busy = os.getloadavg()[0]
    parts[0] += f"Load average {idle:.1f} at the start and {busy:.1f} at the end.\n"
    if given.all and not given.only and not given.clients:
        replace("tables", "\n".join(parts))
        replace("weights", weighed())


def replace(name, text):
    """Puts new tables between the README's marks of this name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = README.read_text().split(begin)
    after = rest.split(end)[1]
    README.write_text(f"{before}{begin}\n\n{text}\n{end}{after}")


def weighed():
    """The table of weights, and when it was made."""
    versions = locked_versions()
    made = weights.table(versions) + "\n" + parts.table(versions)
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True)
    return f"{datetime.date.today()}, {rust.stdout.strip()}, {os.cpu_count()} cores.\n\n{made}"


def locked_versions():
    """The versions of all crates that the bench program is built of."""
    lock = (bench.HERE / "Cargo.lock").read_text().split("[[package]]")
    return dict(
        (part.split('"')[1], part.split('"')[3]) for part in lock if part.strip().startswith("name")
    )


def conditions(rounds):
    """When, where and with what the numbers were taken."""
    cpu = next(
        line.split(":")[1].strip()
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    versions = locked_versions()
    peers = ", ".join(f"{name} {versions[name]}" for name in PEERS)
    curl = subprocess.run(["pkg-config", "--modversion", "libcurl"], capture_output=True, text=True)
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True)
    return (
        f"{datetime.date.today()}, {cpu}, {os.cpu_count()} cores, Linux {platform.release()},"
        f" {rust.stdout.strip()}; {peers}, libcurl {curl.stdout.strip()};"
        f" {rounds} rounds, median (lowest–highest).\n"
    )


if __name__ == "__main__":
    main()
