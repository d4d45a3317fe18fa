"""Downloads over a slow way, in one part and in several."""

import pathlib
import statistics
import subprocess
import tempfile

import program as bench


def table(program, server, rounds):
    """One Markdown table; `segments` lies beside the bench program."""
    with tempfile.TemporaryDirectory(prefix="urlsession-segments-") as folder:
        words = [pathlib.Path(program).with_name("segments"), server.address("parted"), folder]
        done = subprocess.run(
            [*words, str(rounds)], env=bench.CLEAN, check=True, capture_output=True, text=True
        )
    samples = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    one, four = zip(*samples)
    ratios = [after / before for before, after in samples]
    lines = ["| Parts | wall ms | ÷ one |", "|---|--:|--:|", f"| 1 | {spread(one, '.0f')} | 1.00 |"]
    return "\n".join([*lines, f"| 4 | {spread(four, '.0f')} | {spread(ratios, '.2f')} |"]) + "\n"


def spread(values, form):
    """Median, lowest and highest."""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:{form}} ({low:{form}}–{high:{form}})"
