"""What Flask makes of stored files: STORED names their folder, in which stored.tar.gz is."""

import os

from flask import Flask, send_from_directory

app = Flask(__name__)


@app.get("/files/<path:name>")
def stored(name):
    # The type of a `.tar.gz` is that of a tar, its encoding gzip.
    return send_from_directory(os.environ["STORED"], name)


@app.get("/attached/<path:name>")
def attached(name):
    return send_from_directory(os.environ["STORED"], name, as_attachment=True)
