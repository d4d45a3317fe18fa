//! Longer explanations, for reading.

#[doc = include_str!("trust_and_challenges.md")]
pub mod trust_and_challenges {}
