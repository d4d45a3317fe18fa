"""Shows what each client really sends, and refuses to compare different requests."""

import socket
import threading

import program as bench

# attohttpc cannot keep a connection; the line is its own and stays in the comparison's notes.
OWN = {"attohttpc": {"connection: close"}}

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def sent_by(program, client):
    """The heads a client sends for one warm-up GET and one GET, as raw text."""
    heads = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                while head := read_head(stream):
                    heads.append(head)
                    stream.write(ANSWER)
                    stream.flush()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/small"
        bench.run(program, bench.arguments("warm-get", client, url, count=1))
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
    return heads


def read_head(stream):
    """One request head, without the empty line that ends it; empty at the end."""
    lines = []
    for line in stream:
        if line == b"\r\n":
            break
        lines.append(line.decode("latin-1").rstrip("\r\n"))
    return "\n".join(lines)


def fields(client, head):
    """Field lines with lower-case names, sorted, without the port and the known extras."""
    found = set()
    for line in head.splitlines()[1:]:
        name, _, value = line.partition(":")
        found.add(f"{name.lower()}: {value.strip().rsplit(':', 1)[0] if name.lower() == 'host' else value.strip()}")
    return sorted(found - OWN.get(client, set()))


def check(program, clients, show=False):
    """Ends the run unless all clients send the same fields and a new query each time."""
    expected = ["accept-encoding: identity", "accept: */*", "host: 127.0.0.1", "user-agent: bench"]
    for client in clients:
        heads = sent_by(program, client)
        if show:
            print(f"--- {client}\n{heads[-1]}\n")
        targets = [head.splitlines()[0] for head in heads]
        if targets != ["GET /small?n=0 HTTP/1.1", "GET /small?n=1 HTTP/1.1"]:
            raise SystemExit(f"{client} sent {targets}")
        if fields(client, heads[-1]) != expected:
            raise SystemExit(f"{client} sent other fields:\n{heads[-1]}")
