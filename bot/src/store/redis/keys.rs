//! The names of keys: all of a shard under one hash tag, so that every script touches one slot.

use crate::store::Queue;
use sha2::{Digest, Sha256};

/// Which shard a conversation (or a fact) belongs to. Changing this would lose what is stored.
pub(super) fn shard_of(id: &str, shards: u32) -> u32 {
    let hash = Sha256::digest(id.as_bytes());
    let first = hash.first_chunk::<8>().copied().unwrap_or_default();
    u32::try_from(u64::from_be_bytes(first) % u64::from(shards.max(1))).unwrap_or(0)
}

/// Buckets of a shard for what is put away: small enough that Redis keeps each as one compact block (up to 128 entries) with some millions away.
const AWAY_BUCKETS: u64 = 4_096;

/// A conversation's mark among those put away, and its bucket. Changing this would lose what is put away.
pub(super) fn away_of(id: &str) -> ([u8; 8], u64) {
    let hash = Sha256::digest(id.as_bytes());
    // Other bytes than those that choose the shard.
    let mark = hash.last_chunk::<8>().copied().unwrap_or_default();
    (mark, u64::from_be_bytes(mark) % AWAY_BUCKETS)
}

#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub prefix: String,
    pub shards: u32,
}

impl Keys {
    pub(super) fn shard(&self, id: &str) -> u32 {
        shard_of(id, self.shards)
    }

    pub(super) fn agenda(&self, queue: Queue, shard: u32) -> String {
        let name = match queue {
            Queue::Turn => "turn",
            Queue::Send => "send",
        };
        format!("{}agenda:{{{shard}}}:{name}", self.prefix)
    }

    pub(super) fn journal(&self, shard: u32) -> String {
        format!("{}journal:{{{shard}}}", self.prefix)
    }

    pub(super) fn conversation(&self, id: &str) -> String {
        self.of("conv", id)
    }

    pub(super) fn letters(&self, id: &str) -> String {
        self.of("box", id)
    }

    pub(super) fn outgoing(&self, id: &str) -> String {
        self.of("out", id)
    }

    pub(super) fn feed(&self, id: &str) -> String {
        self.of("feed", id)
    }

    pub(super) fn fact(&self, key: &str) -> String {
        self.of("fact", key)
    }

    /// When each conversation of a shard was last changed.
    pub(super) fn quiet(&self, shard: u32) -> String {
        format!("{}quiet:{{{shard}}}", self.prefix)
    }

    /// Which conversations of one bucket are put away, by their mark.
    pub(super) fn away(&self, id: &str) -> String {
        let (_, bucket) = away_of(id);
        format!("{}away:{{{}}}:{bucket:x}", self.prefix, self.shard(id))
    }

    pub(super) fn job(&self, name: &str) -> String {
        self.of("job", name)
    }

    pub(super) fn rate(&self, key: &str) -> String {
        self.of("rate", key)
    }

    pub(super) fn pointer(&self, name: &str) -> String {
        self.of("pointer", name)
    }

    /// What every replica must agree on.
    pub(super) fn layout(&self) -> String {
        format!("{}layout", self.prefix)
    }

    /// The channel of hints.
    pub(super) fn hints(&self) -> String {
        format!("{}hints", self.prefix)
    }

    fn of(&self, kind: &str, id: &str) -> String {
        format!("{}{kind}:{{{}}}:{id}", self.prefix, self.shard(id))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_always_has_the_same_shard() {
        // Stored data depend on these.
        let cases = [("web:1", 16), ("web:2", 16), ("telegram:77", 16), ("", 16)];
        let shards = cases.map(|(id, shards)| shard_of(id, shards));
        assert_eq!(shards, SHARDS);
    }

    const SHARDS: [u32; 4] = [2, 11, 6, 4];

    #[test]
    fn conversations_spread_evenly() {
        let mut counts = [0_u32; 16];
        for n in 0..16_000 {
            let shard = shard_of(&format!("web:{n:032x}"), 16);
            *counts.get_mut(shard as usize).unwrap() += 1;
        }
        assert!(
            counts.iter().all(|count| (800..1_200).contains(count)),
            "{counts:?}"
        );
    }
}
