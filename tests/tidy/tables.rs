//! Who may use whom: to change the architecture is to change a line here.

/// The ground floor: rooms that every floor above may use.
pub(crate) const WORDS: &[&str] = &[
    "sync", "log", "foreign", "calendar", "checksum", "crash", "error", "clock", "cancel",
    "census", "fork", "program", "random", "splice", "headers", "mime", "pair", "basic", "trust",
    "resolver", "body", "setters", "retry", "request", "response",
];

/// The first floor: what is kept from one load to the next.
pub(crate) const STORES: &[&str] = &["credentials", "cookies", "hsts"];

/// What lies between the words and those who work with them.
pub(crate) const SEAMS: &[&str] = &["wire", "delivery", "files", "download"];

/// Which rooms each room may name, from the ground floor up: a row names only rows
/// above it. Reading it is reading the architecture.
pub(crate) const MAY_USE: &[(&str, &[&[&str]])] = &[
    // words
    ("sync", &[]),
    ("log", &[&["sync"]]),
    ("foreign", &[&["sync", "log"]]),
    ("error", &[&["foreign"]]),
    ("calendar", &[]),
    ("checksum", &[]),
    ("crash", &[]),
    ("clock", &[]),
    ("cancel", &[&["sync"]]),
    ("census", &[]),
    ("fork", &[]),
    ("program", &[&["checksum"]]),
    ("random", &[]),
    ("splice", &[&["census"]]),
    ("pair", &[]),
    ("headers", &[&["error", "pair"]]),
    ("mime", &[]),
    ("basic", &[&["error"]]),
    ("trust", &[&["error", "sync", "log", "clock", "calendar"]]),
    ("resolver", &[&["foreign"]]),
    ("body", &[&["error", "sync", "foreign", "random", "headers", "mime", "pair"]]),
    ("setters", &[]),
    ("retry", &[&["error", "setters"]]),
    (
        "request",
        &[&["error", "log", "foreign", "pair", "cancel", "headers", "basic", "body", "retry"]],
    ),
    ("response", &[&["error", "headers", "mime", "calendar", "clock", "retry"]]),
    // what lies on the disk
    (
        "files",
        &[&["error", "log", "census", "clock", "crash", "fork", "program", "random", "splice"]],
    ),
    (
        "shared_file",
        &[&["error", "sync", "log", "checksum", "clock", "census", "fork", "program"], &["files"]],
    ),
    // stores, who do not know each other
    (
        "credentials",
        &[&["error", "sync", "log", "foreign", "headers", "basic", "response", "trust"]],
    ),
    ("cookies", &[&["error", "sync", "log", "foreign", "calendar", "clock", "headers"]]),
    ("hsts", &[&["clock", "headers"], &["shared_file"]]),
    // seams
    ("wire", &[WORDS, STORES]),
    ("delivery", &[WORDS]),
    ("download", &[WORDS, &["files"]]),
    // explanations, without code
    ("guide", &[]),
    // workers, who do not know each other
    ("engine", &[WORDS, STORES, &["wire"]]),
    ("load", &[WORDS, STORES, &["wire"]]),
    // handles, and the public test tools
    ("configuration", &[WORDS, STORES]),
    ("session", &[WORDS, STORES, SEAMS, &["engine", "load", "configuration"]]),
    // what carries tasks beyond the program; it names `load` for what a scheduler returns
    ("background", &[WORDS, STORES, SEAMS, &["load", "configuration", "session"]]),
    ("testing", &[WORDS, STORES, SEAMS, &["session"]]),
    // what unit tests of several rooms share
    ("tests", &[]),
    // the doors of `fuzz/`, which no usual build has
    (
        "fuzzing",
        &[&["background", "cookies", "credentials", "engine", "load", "response", "trust"]],
    ),
];

/// The same inside `session`, where `mod.rs` may use everything. `delegate`,
/// `handle` and `task` name each other, as the public API does.
pub(crate) const SESSION_MAY_USE: &[(&str, &[&str])] = &[
    ("data", &[]),
    ("delegate", &["handle", "task"]),
    ("handle", &["delegate", "task"]),
    ("task", &["data", "delegate", "handle"]),
    ("finished", &["task"]),
    ("hosting", &["task"]),
    ("inside", &["handle"]),
    ("settings", &[]),
    ("audience", &["delegate", "handle", "inside", "task"]),
    ("local", &["data", "delegate", "handle", "inside", "settings", "audience", "task"]),
    ("bytes", &["task"]),
    ("making", &["audience", "bytes", "data", "finished", "handle", "task"]),
    ("transfers", &["data", "finished", "handle", "task"]),
    ("open", &["audience", "delegate", "handle", "hosting", "local", "task"]),
    ("steps", &["audience", "delegate", "handle", "inside", "local", "task"]),
];

/// Foreign crates whose types are vocabulary: any room may name them.
pub(crate) const VOCABULARY: &[&str] = &["http", "url"];

/// The files that may name each other foreign crate, as beginnings of paths in `src`.
pub(crate) const DOORS: &[(&str, &[&str])] = &[
    ("base64", &["background/form/mod.rs", "basic.rs", "trust/pins.rs"]),
    ("brotli_decompressor", &["load/decode"]),
    ("cbc", &["trust/identity/pkcs12"]),
    ("der", &["trust/"]),
    ("des", &["trust/identity/pkcs12"]),
    ("encoding_rs", &["response/charset.rs"]),
    ("flate2", &["load/decode"]),
    ("forkguard", &["fork.rs"]),
    ("httparse", &["engine/http1/codec.rs"]),
    ("log", &["background/daemon/log_file.rs", "log.rs"]),
    ("md5", &["credentials/digest"]),
    ("nix", &["background/", "engine/sendfile/"]),
    ("openssl_probe", &["trust/roots/files.rs"]),
    (
        "percent_encoding",
        &["credentials/digest", "download", "load/redirect", "request", "response"],
    ),
    ("pkcs8", &["trust/"]),
    ("psl", &["cookies/host.rs"]),
    ("rc2", &["trust/identity/pkcs12"]),
    ("rcgen", &["testing/"]),
    (
        "rustix",
        &["background/", "body/pipe.rs", "crash.rs", "engine/", "files/", "splice/", "testing/"],
    ),
    ("rustls", &["engine/tls", "testing/", "trust/"]),
    ("rustls_native_certs", &["trust/roots/files.rs"]),
    ("webpki", &["trust/"]),
    ("zstd", &["load/decode"]),
    ("serde", &["body/json.rs", "request/content.rs", "session/data.rs"]),
    ("serde_json", &["background/", "error/json.rs", "body/json.rs", "session/data.rs"]),
    ("ring", &["credentials/digest", "download/digest.rs", "engine/tls", "testing/", "trust/"]),
    ("socket2", &["background/local_socket.rs", "engine/", "testing/"]),
];
