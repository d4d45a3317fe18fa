"""Serves ten files at once, and others without end, for the downloader recipe.

Prints its port.
"""

import http.server
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        number = int(self.path.strip("/").removesuffix(".bin"))
        self.send_response(200)
        self.send_header("Content-Length", "1000" if number <= 10 else str(1 << 40))
        self.end_headers()
        self.wfile.write(bytes(1000))
        try:
            while number > 10:
                time.sleep(0.01)
                self.wfile.write(bytes(1000))
        except OSError:
            # The client has gone.
            self.close_connection = True


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
