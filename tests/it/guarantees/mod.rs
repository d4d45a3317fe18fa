//! What `NSURLSession` guarantees about order and lifetime, and what others get wrong of it.

mod bodies;
mod ending;
mod lifetime;
mod order;
mod waiting;
