//! What `NSURLSession` guarantees about order and lifetime, and what others get wrong of it.

mod audience;
mod bodies;
mod ending;
mod lifetime;
mod order;
mod waiting;
