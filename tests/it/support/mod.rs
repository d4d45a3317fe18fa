//! What the tests share: servers and sessions of a kind, delegates that write down what they are
//! told, and tables.

pub(crate) mod asked;
pub(crate) mod asked_crowd;
pub(crate) mod crowd;
#[cfg(feature = "tls")]
pub(crate) mod deciding;
#[cfg(feature = "digest")]
pub(crate) mod digest_server;
pub(crate) mod download_forms;
pub(crate) mod folder;
pub(crate) mod gate;
pub(crate) mod gone;
pub(crate) mod logged;
pub(crate) mod parts;
pub(crate) mod raw_answers;
pub(crate) mod recording;
pub(crate) mod running;
pub(crate) mod scenes;
pub(crate) mod transfer_log;
pub(crate) mod upload_forms;
