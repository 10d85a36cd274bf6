//! Stands in for the writing side on Redis until it is there.

use crate::store::whole::Whole;
use crate::store::{StoreError, redis};

impl redis::State {
    pub async fn restore(&self, _whole: &Whole, _now_ms: i64) -> Result<bool, StoreError> {
        Ok(true)
    }

    pub async fn whole(&self, _conversation: &str) -> Result<Option<Whole>, StoreError> {
        Ok(None)
    }
}
