//! The embedded state keeps every promise of the store trait.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bot::store::embedded::State;
use std::sync::Arc;
use tests::conformance::{Opens, state};

struct Embedded(tempfile::TempDir);

impl Opens for Embedded {
    type Store = State;

    fn open(&self) -> Arc<State> {
        // The writer of a store just dropped may still hold the file for a moment.
        let mut tries = 0;
        loop {
            match State::open(self.0.path()) {
                Ok(store) => return Arc::new(store),
                Err(error) if tries > 200 => panic!("{error}"),
                Err(_) => std::thread::yield_now(),
            }
            tries += 1;
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_state_keeps_its_promises() {
    state(|| Embedded(tempfile::tempdir().unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_state_file_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("state.redb"),
        b"this is no database, and long enough to be looked at",
    )
    .unwrap();
    let told = State::open(dir.path()).err().unwrap().to_string();
    assert!(
        told.contains("state.redb") && told.contains("restore"),
        "{told}"
    );
}
