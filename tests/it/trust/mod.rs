//! Whom a session trusts and what it shows, when a delegate is asked, a pin demands
//! something, or a credential storage knows an identity.

mod broken_off;
mod client_certificates;
mod delegate;
mod pins;
mod pooling;
mod refusals;
mod renewed;
mod resumption;
mod reuse;
mod set_up;
mod table;
mod waiting;
