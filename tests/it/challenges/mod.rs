//! Challenges of servers: what is asked of whom, what answers, and what is kept of it.

mod basic;
mod bodies;
#[cfg(feature = "digest")]
mod digest;
#[cfg(feature = "digest")]
mod digest_proofs;
mod edges;
mod late;
#[cfg(feature = "netrc")]
mod netrc;
mod odd_shapes;
mod offers;
mod own_header;
mod storage;
mod tokens;
mod unfit;
mod userinfo;
mod ways;
