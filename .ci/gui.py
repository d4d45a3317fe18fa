"""Works the graphical example with a mouse, and checks what the screen shows by its pixels.

    python3 .ci/gui.py PROGRAM FOLDER

Needs Xvfb and xdotool. Writes a picture of the screen at each step into FOLDER. What is waited
for is a state of the screen, never a time.
"""

import collections
import http.server
import itertools
import os
import select
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

PATIENCE = 60  # seconds, for anything
WIDTH, HEIGHT = 480, 400

# Of `examples/gui/src/main.rs`.
BAR, LOAD, CANCEL, FAILURE = (40, 110, 220), (120, 200, 120), (235, 130, 120), (250, 220, 130)
# Of its own server's picture.
SUN = (250, 200, 60)

# The picture of the server here: four fields.
SIDE = (256, 192)
FIELDS = ((240, 210, 40), (180, 40, 160), (0, 150, 150), (60, 60, 60))


def png(width, height, rows, level):
    def chunk(name, data):
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), level)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def fields():
    """The picture, not compressed: half of its bytes are half of the body in any case."""
    width, height = SIDE
    rows = []
    for y in range(height):
        left, right = FIELDS[2 * (y >= height // 2) :][:2]
        rows.append(bytes(left) * (width // 2) + bytes(right) * (width // 2))
    return png(width, height, rows, 0)


class Half(http.server.BaseHTTPRequestHandler):
    """Sends half of the picture slowly, and the rest once it is told to."""

    protocol_version = "HTTP/1.1"
    body = fields()
    goes_on = threading.Event()
    halves = 0
    left = 0

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        middle = len(self.body) // 2
        for at in range(0, middle, 8000):
            self.wfile.write(self.body[at : min(at + 8000, middle)])
            time.sleep(0.02)
        Half.halves += 1
        while not self.goes_on.wait(0.02):
            # Nothing more is asked for meanwhile: what can be read is the end.
            if select.select([self.connection], [], [], 0)[0]:
                Half.left += 1
                self.close_connection = True
                return
        self.wfile.write(self.body[middle:])

    def log_message(self, *_):
        pass


class Screen:
    """What the display showed at one moment, read from where Xvfb keeps it (XWD)."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        header = struct.unpack(">25I", data[:100])
        self.width, self.height, little = header[4], header[5], header[7] == 0
        depth, line, colours = header[11], header[12], header[19]
        assert depth == 32 and little, header
        start = header[0] + 12 * colours
        self.rows = []
        for y in range(self.height):
            row = data[start + y * line :][: 4 * self.width]
            self.rows.append(list(zip(row[2::4], row[1::4], row[0::4])))
        self.counts = collections.Counter(itertools.chain.from_iterable(self.rows))

    def near(self, colour):
        """What is a colour, give or take what rounding changes."""
        return {
            other: count
            for other, count in self.counts.items()
            if all(abs(one - two) < 7 for one, two in zip(other, colour))
        }

    def count(self, colour):
        return sum(self.near(colour).values())

    def where(self, colour):
        near = self.near(colour)
        rows = enumerate(self.rows) if near else ()
        return [(x, y) for y, row in rows for x, other in enumerate(row) if other in near]

    def middle(self, colour):
        places = self.where(colour)
        # A button, and not the rim of a letter.
        if len(places) < 100:
            return None
        xs, ys = [x for x, _ in places], [y for _, y in places]
        return (min(xs) + max(xs)) // 2, (min(ys) + max(ys)) // 2

    def bar(self):
        """How much of the bar is filled; 0 if nothing is."""
        places = self.where(BAR)
        if len(places) < 20:
            return 0.0
        y = sorted(y for _, y in places)[len(places) // 2]
        xs = [x for x, row in places if row == y]
        filled, right = max(xs) - min(xs) + 1, max(xs) + 1
        # What follows in one colour is the rest of the bar, unless that is the margin.
        margin = self.rows[y][min(xs) - 1]
        empty = 0
        while right + empty < self.width and self.rows[y][right + empty] != margin:
            empty += 1
        return filled / (filled + empty)

    def save(self, path):
        rows = [b"".join(map(bytes, row)) for row in self.rows]
        with open(path, "wb") as file:
            file.write(png(self.width, self.height, rows, 9))

    def describe(self):
        counts = [self.count(colour) for colour in FIELDS]
        return (
            f"bar {self.bar():.3f}, picture {counts}, sun {self.count(SUN)}, "
            f"failure {self.count(FAILURE)}, load at {self.middle(LOAD)}, "
            f"cancel at {self.middle(CANCEL)}"
        )


def has_picture(screen):
    each = SIDE[0] * SIDE[1] // 4
    return all(abs(screen.count(colour) - each) < each // 20 for colour in FIELDS)


def has_none(screen):
    return all(screen.count(colour) < 20 for colour in FIELDS[:3] + (SUN,))


def says_failure(screen):
    return screen.count(FAILURE) > 200


def can(screen, load, cancel):
    return (screen.middle(LOAD) is not None) == load and (screen.middle(CANCEL) is not None) == cancel


# Each is true of its own screen and of no other one, which is checked as well.
STATES = {
    "start": lambda s: s.bar() == 0 and has_none(s) and can(s, True, False) and not says_failure(s),
    "half": lambda s: 0.495 < s.bar() < 0.505 and has_none(s) and can(s, True, True),
    "end": lambda s: s.bar() > 0.99 and has_picture(s) and can(s, True, False),
    "cancelled": lambda s: s.bar() == 0 and has_none(s) and can(s, True, False) and says_failure(s),
    "own": lambda s: s.bar() > 0.99 and s.count(SUN) > 1000 and can(s, True, False),
}


class Display:
    def __init__(self, folder):
        self.folder, self.shown = folder, {}
        self.place = tempfile.TemporaryDirectory()
        number, told = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(told), "-screen", "0", f"{WIDTH}x{HEIGHT}x24"]
            + ["-fbdir", self.place.name, "-nolisten", "tcp"],
            pass_fds=[told],
            stderr=subprocess.DEVNULL,
        )
        os.close(told)
        with os.fdopen(number) as lines:
            name = lines.readline().strip()
        assert name, "Xvfb does not start"
        self.environment = dict(
            os.environ,
            DISPLAY=f":{name}",
            LIBGL_ALWAYS_SOFTWARE="1",
            WINIT_X11_SCALE_FACTOR="1",
            WINIT_UNIX_BACKEND="x11",
        )
        self.environment.pop("WAYLAND_DISPLAY", None)

    def screen(self):
        return Screen(os.path.join(self.place.name, "Xvfb_screen0"))

    def start(self, command):
        self.program = subprocess.Popen(command, env=self.environment)

    def stop(self):
        self.program.terminate()
        self.program.wait()

    def click(self, colour):
        x, y = self.screen().middle(colour)
        mouse = ["mousemove", str(x), str(y), "mousedown", "1", "sleep", "0.05", "mouseup", "1"]
        subprocess.run(["xdotool"] + mouse, env=self.environment, check=True)

    def shows(self, name):
        """Waits for a state, and keeps a picture of it."""
        ends = time.monotonic() + PATIENCE
        screen = self.screen()
        while not STATES[name](screen):
            if self.program.poll() is not None:
                sys.exit(f"the program ended with {self.program.returncode} before: {name}")
            if time.monotonic() > ends:
                screen.save(os.path.join(self.folder, f"not-{name}.png"))
                sys.exit(f"the screen does not show: {name}; but {screen.describe()}")
            time.sleep(0.1)
            screen = self.screen()
        print(f"{name}: {screen.describe()}")
        screen.save(os.path.join(self.folder, f"{name}.png"))
        self.shown[name] = screen

    def stays(self, name, seconds):
        time.sleep(seconds)
        screen = self.screen()
        if not STATES[name](screen):
            sys.exit(f"the screen does not go on to show: {name}; but {screen.describe()}")

    def close(self):
        self.server.terminate()
        self.server.wait()
        self.place.cleanup()


def wait_for(what, is_so):
    ends = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > ends:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.02)


def work(display, program, url):
    display.start([program, url])
    display.shows("start")
    display.click(LOAD)
    wait_for("half of the body", lambda: Half.halves == 1)
    display.shows("half")
    display.stays("half", 1)
    Half.goes_on.set()
    display.shows("end")
    Half.goes_on.clear()
    display.click(LOAD)
    wait_for("half of the body", lambda: Half.halves == 2)
    display.shows("half")
    display.click(CANCEL)
    display.shows("cancelled")
    wait_for("the connection to be closed", lambda: Half.left == 1)
    display.stop()
    display.start([program])
    display.shows("start")
    display.click(LOAD)
    display.shows("own")
    display.stop()


def main(program, folder):
    os.makedirs(folder, exist_ok=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Half)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    display = Display(folder)
    try:
        work(display, program, f"http://127.0.0.1:{server.server_port}/fields.png")
    finally:
        if hasattr(display, "program") and display.program.poll() is None:
            display.stop()
        display.close()
    for name, screen in display.shown.items():
        taken = [state for state, is_so in STATES.items() if is_so(screen)]
        assert taken == [name], f"the screen of {name} is taken for {taken}"
    print(f"{len(display.shown)} screens, each as it should be")


main(*sys.argv[1:])
