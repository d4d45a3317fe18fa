"""An nginx of our own: free loopback ports, files of four sizes, plain and TLS."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

SMALL_BYTES = 1024
# More than a client reads ahead.
MEDIUM_BYTES = 1024**2
# Of a download in parts.
PARTED_BYTES = 100 * 10**6
LARGE_BYTES = 1024**3

# Small answers go out in one write, so that a client needs one read (sendfile would send the
# head and the file apart). Large ones use sendfile, to leave the CPU to the client.
CONFIGURATION = """
{user}daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type application/octet-stream;
    root {home}/files;
    client_body_temp_path {home}/client_body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    keepalive_time 24h;
    open_file_cache max=16;
    ssl_certificate {home}/server.pem;
    ssl_certificate_key {home}/server.key;
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{tls} ssl;
        location = /small {{ sendfile off; }}
        location = /large {{ sendfile on; }}
    }}
}}
"""

# One authority and one certificate for 127.0.0.1.
OPENSSL = (
    "ecparam -name prime256v1 -genkey -noout -out ca.key",
    "req -x509 -new -key ca.key -days 30 -subj /CN=bench-authority -out ca.pem"
    " -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign",
    "ecparam -name prime256v1 -genkey -noout -out server.key",
    "req -new -key server.key -subj /CN=127.0.0.1 -out server.csr",
    "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30"
    " -extfile server.ext -out server.pem",
)
EXTENSIONS = "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"


class Server:
    """Runs nginx for the length of a `with` block."""

    def __enter__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="urlsession-bench-"))
        try:
            self._write_files()
            self._start()
        except BaseException:
            shutil.rmtree(self.home)
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.home)

    def _write_files(self):
        files = self.home / "files"
        files.mkdir()
        (files / "small").write_bytes(b"x" * SMALL_BYTES)
        (files / "medium").write_bytes(b"x" * MEDIUM_BYTES)
        for name, size in (("parted", PARTED_BYTES), ("large", LARGE_BYTES)):
            with open(files / name, "wb") as sparse:
                sparse.truncate(size)
        (self.home / "server.ext").write_text(EXTENSIONS)
        for command in OPENSSL:
            subprocess.run(
                ["openssl", *command.split()], cwd=self.home, check=True, capture_output=True
            )
        self.ca = self.home / "ca.pem"

    def _start(self):
        # nginx takes over sockets that already listen (its way to upgrade a binary): no port
        # is ever guessed and there is nothing to wait for.
        plain, tls = (socket.create_server(("127.0.0.1", 0), backlog=511) for _ in range(2))
        self.plain, self.tls = (taken.getsockname()[1] for taken in (plain, tls))
        configuration = self.home / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(
                home=self.home,
                plain=self.plain,
                tls=self.tls,
                # Otherwise a worker started by root could not read the files.
                user="user root;\n" if os.geteuid() == 0 else "",
            )
        )
        descriptors = [taken.fileno() for taken in (plain, tls)]
        environment = dict(os.environ, NGINX="".join(f"{number};" for number in descriptors))
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        if program is None:
            raise SystemExit("nginx is not installed (Debian: apt-get install nginx-light)")
        self.process = subprocess.Popen(
            [program, "-e", self.home / "error.log", "-p", self.home, "-c", configuration],
            env=environment,
            pass_fds=descriptors,
        )
        plain.close()
        tls.close()

    def address(self, name, tls=False):
        """The URL of `small`, `medium`, `parted` or `large`."""
        scheme, port = ("https", self.tls) if tls else ("http", self.plain)
        return f"{scheme}://127.0.0.1:{port}/{name}"

    def run_on(self, cores):
        """Moves nginx to these CPU cores."""
        master = self.process.pid
        os.sched_setaffinity(master, cores)
        children = pathlib.Path(f"/proc/{master}/task/{master}/children").read_text()
        for worker in children.split():
            os.sched_setaffinity(int(worker), cores)
