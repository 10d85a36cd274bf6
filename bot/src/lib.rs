//! The shell: stores, model, HTTP, commands; the only crate that knows two leaves at once.

pub mod channels;
pub mod commands;
pub mod config;
pub mod convert;
pub mod http;
pub mod mail;
pub mod mailbox;
pub mod migrate;
pub mod model;
pub mod project;
pub mod publishing;
pub mod replay;
pub mod shop;
pub mod store;
pub mod storefront;
pub mod story;
pub mod talk;
pub mod telemetry;
pub mod turn;
pub mod versions;
mod wordings;
