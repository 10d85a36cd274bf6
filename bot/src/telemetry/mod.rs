//! What operators see: figures for Prometheus, one span a turn for OpenTelemetry, and the log.
//!
//! Nothing here decides anything, and nothing here may fail a turn.

pub mod export;
pub mod log;
pub mod metrics;
mod part;
mod process;
mod recorder;
pub mod spans;
mod told;

pub use part::{Part, measured, measured_wait};
pub use recorder::{exposition, install, upkeep};
pub use told::{Told, Verdict};
