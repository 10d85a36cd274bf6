//! The shell: stores, model, HTTP, commands; the only crate that knows two leaves at once.

pub mod config;
pub mod http;
pub mod mail;
pub mod mailbox;
pub mod model;
pub mod store;
