// A server of the kind that answers while it still reads: `node node.js PLAIN TLS FOLDER`, with two
// ports of 127.0.0.1 and the folder of leaf.pem and leaf.key.
"use strict";

const fs = require("fs");
const http = require("http");
const https = require("https");
const zlib = require("zlib");

const MIB = 1 << 20;
// How much of the last body to /early has arrived, and whether that was all.
let arrived = { bytes: 0, whole: false };

function counted(request, each, done) {
    let bytes = 0;
    request.on("data", (piece) => each((bytes += piece.length)));
    request.on("end", () => done(bytes));
}

const answers = {
    // The body back, as it comes, in chunks.
    "/pipe": (request, response) => request.pipe(response),
    // The same with a length.
    "/pipe-whole": (request, response) => {
        response.setHeader("Content-Length", request.headers["content-length"]);
        request.pipe(response);
    },
    // The body compressed, as a service of its own, not as a coding.
    "/gzip": (request, response) => request.pipe(zlib.createGzip({ level: 1 })).pipe(response),
    // A line for each MiB that has come, then how much it was.
    "/progress": (request, response) => {
        response.flushHeaders();
        let told = 0;
        counted(
            request,
            (bytes) => {
                while (told + MIB <= bytes) response.write(`${(told += MIB)}\n`);
            },
            (bytes) => response.end(`all ${bytes}\n`),
        );
    },
    // A whole answer at once; then the body is read.
    "/early": (request, response) => {
        arrived = { bytes: 0, whole: false };
        response.writeHead(201, { "Content-Length": 2 });
        response.end("ok");
        counted(
            request,
            (bytes) => (arrived.bytes = bytes),
            (bytes) => (arrived = { bytes, whole: true }),
        );
    },
    "/arrived": (_, response) => response.end(`${arrived.bytes} ${arrived.whole}`),
};

function serve(request, response) {
    const answer = answers[request.url];
    if (answer) return answer(request, response);
    response.writeHead(404);
    return response.end();
}

const [plain, tls, folder] = process.argv.slice(2);
const read = (name) => fs.readFileSync(`${folder}/${name}`);
https
    .createServer({ cert: read("leaf.pem"), key: read("leaf.key") }, serve)
    .listen(Number(tls), "127.0.0.1", () =>
        http.createServer(serve).listen(Number(plain), "127.0.0.1"));
