//! What the tests of the whole product share: the demo shop, conversations in memory, the binary, the storm.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

pub mod binary;
pub mod certificates;
pub mod collector;
pub mod conformance;
pub mod discord_peer;
pub mod faulty;
pub mod front;
pub mod load;
pub mod model_server;
pub mod nginx;
pub mod outbox;
pub mod peer;
pub mod platform;
pub mod postgres_server;
pub mod redis_server;
pub mod served;
pub mod storm;
pub mod talk;
pub mod telegram_peer;
pub mod visitor;
pub mod watched;
pub mod wechat_peer;
pub mod wecom_peer;
