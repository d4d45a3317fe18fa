//! What `NSURLSession` guarantees about order and lifetime, each by the number that the
//! table of guarantees gives it.

mod bodies;
mod ending;
mod lifetime;
mod order;
mod waiting;
