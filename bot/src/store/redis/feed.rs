//! The feed of a conversation in blocks: many small items deflate well together, and only the last block is ever written again.

use super::pack::{pack_all, unpack_all};
use super::wire::broken;
use crate::store::{FeedItem, NewFeedItem, StoreError};

/// A block that holds so much is left as it is and another begun, bytes before packing.
const BLOCK_BYTES: usize = 16 * 1024;
/// Blocks kept of one conversation.
pub(super) const BLOCKS_MAX: usize = 8;
const VERSION: u8 = 1;

/// Items in order, without gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub first: u64,
    pub items: Vec<(String, String)>,
}

/// What settling does with the feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Placing {
    Nothing,
    Append(Vec<u8>),
    /// The last block is written again with more in it.
    Replace(Vec<u8>),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Added {
    pub placing: Placing,
    pub last_feed: u64,
    pub dropped: usize,
}

/// The blocks of a feed, each with its length behind it, in order.
pub(super) fn split(feed: &[u8]) -> Result<Vec<&[u8]>, StoreError> {
    let mut blocks = Vec::new();
    let mut rest = feed;
    while !rest.is_empty() {
        let found = rest.split_last_chunk::<4>().and_then(|(before, length)| {
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            before.split_at_checked(before.len().checked_sub(length)?)
        });
        let (before, block) = found.ok_or_else(|| broken("feed"))?;
        blocks.push(block);
        rest = before;
    }
    blocks.reverse();
    Ok(blocks)
}

/// Adds to the end of a feed what may still be said in this epoch.
pub(super) fn add(
    tail: Option<&[u8]>,
    last_feed: u64,
    epoch: u64,
    new: &[NewFeedItem],
) -> Result<Added, StoreError> {
    let said: Vec<(String, String)> = new
        .iter()
        .filter(|item| !(item.bot && item.epoch < epoch))
        .map(|item| (item.event.clone(), item.data.clone()))
        .collect();
    let dropped = new.len() - said.len();
    if said.is_empty() {
        return Ok(Added {
            placing: Placing::Nothing,
            last_feed,
            dropped,
        });
    }
    let added = u64::try_from(said.len()).unwrap_or(u64::MAX);
    let room = match tail {
        Some(tail) => {
            let block = Block::read(tail)?;
            (block.bytes() < BLOCK_BYTES).then_some(block)
        }
        None => None,
    };
    let placing = match room {
        Some(mut block) => {
            block.items.extend(said);
            Placing::Replace(block.write()?)
        }
        None => Placing::Append(
            Block {
                first: last_feed + 1,
                items: said,
            }
            .write()?,
        ),
    };
    Ok(Added {
        placing,
        last_feed: last_feed.saturating_add(added),
        dropped,
    })
}

impl Block {
    fn bytes(&self) -> usize {
        self.items
            .iter()
            .map(|(event, data)| event.len() + data.len())
            .sum()
    }

    fn write(&self) -> Result<Vec<u8>, StoreError> {
        let texts = self
            .items
            .iter()
            .flat_map(|(event, data)| [event.as_str(), data.as_str()]);
        let mut bytes = vec![VERSION];
        bytes.extend(self.first.to_be_bytes());
        bytes.extend(pack_all(texts)?);
        Ok(bytes)
    }

    /// A whole feed, given its newest number.
    pub(super) fn all(last_feed: u64, items: Vec<(String, String)>) -> Result<Vec<u8>, StoreError> {
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let mut block = Block {
            first: last_feed.saturating_sub(count) + 1,
            items: Vec::new(),
        };
        let mut blocks = Vec::new();
        for item in items {
            if block.bytes() >= BLOCK_BYTES {
                blocks.push(block.write()?);
                block = Block {
                    first: block.first + block.items.len() as u64,
                    items: Vec::new(),
                };
            }
            block.items.push(item);
        }
        if !block.items.is_empty() {
            blocks.push(block.write()?);
        }
        // Where a store kept more than Redis does, the newest count.
        let newest = blocks.split_off(blocks.len().saturating_sub(BLOCKS_MAX));
        let mut feed = Vec::new();
        for block in newest {
            let length = u32::try_from(block.len()).map_err(|_| broken("feed"))?;
            feed.extend(block);
            feed.extend(length.to_be_bytes());
        }
        Ok(feed)
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let rest = bytes
            .strip_prefix(&[VERSION])
            .ok_or_else(|| broken("feed"))?;
        let (first, packed) = rest
            .split_first_chunk::<8>()
            .ok_or_else(|| broken("feed"))?;
        let mut texts = unpack_all(packed)?.into_iter();
        let mut items = Vec::new();
        while let Some(event) = texts.next() {
            items.push((event, texts.next().ok_or_else(|| broken("feed"))?));
        }
        Ok(Self {
            first: u64::from_be_bytes(*first),
            items,
        })
    }

    pub(super) fn after(self, seq: u64) -> impl Iterator<Item = FeedItem> {
        (self.first..)
            .zip(self.items)
            .filter(move |(own, _)| *own > seq)
            .map(|(seq, (event, data))| FeedItem { seq, event, data })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn item(data: &str, epoch: u64, bot: bool) -> NewFeedItem {
        NewFeedItem {
            epoch,
            bot,
            event: "message".to_owned(),
            data: data.to_owned(),
        }
    }

    fn block(placing: Placing) -> Vec<u8> {
        match placing {
            Placing::Append(block) | Placing::Replace(block) => block,
            Placing::Nothing => panic!("nothing is written"),
        }
    }

    #[test]
    fn items_join_the_last_block_until_it_is_full() {
        let first = add(None, 4, 0, &[item("a", 0, true), item("b", 0, true)]).unwrap();
        assert!(matches!(first.placing, Placing::Append(_)));
        let tail = block(first.placing);
        let second = add(Some(&tail), first.last_feed, 0, &[item("c", 0, true)]).unwrap();
        assert!(matches!(second.placing, Placing::Replace(_)));
        let read: Vec<_> = Block::read(&block(second.placing))
            .unwrap()
            .after(5)
            .collect();
        let read: Vec<_> = read.iter().map(|i| (i.seq, i.data.as_str())).collect();
        assert_eq!(read, [(6, "b"), (7, "c")]);
        let large = add(None, 0, 0, &[item(&"x".repeat(BLOCK_BYTES), 0, true)]).unwrap();
        let next = add(Some(&block(large.placing)), 1, 0, &[item("y", 0, true)]).unwrap();
        assert!(matches!(next.placing, Placing::Append(_)));
    }

    #[test]
    fn a_feed_of_many_blocks_comes_back_and_a_cut_one_is_told() {
        let items: Vec<(String, String)> = (0..40)
            .map(|n| ("message".to_owned(), format!("{n} {}", "x".repeat(2_000))))
            .collect();
        let feed = Block::all(90, items).unwrap();
        let blocks = split(&feed).unwrap();
        assert!(blocks.len() > 2);
        let read: Vec<_> = blocks
            .iter()
            .flat_map(|block| Block::read(block).unwrap().after(0))
            .collect();
        assert_eq!((read.len(), read[0].seq, read[39].seq), (40, 51, 90));
        assert!(read[39].data.starts_with("39 "));
        assert!(split(&feed[..feed.len() - 1]).is_err());
        assert_eq!(Block::all(0, Vec::new()), Ok(Vec::new()));
    }

    #[test]
    fn what_the_bot_said_before_a_take_over_is_dropped() {
        let new = [
            item("bot", 0, true),
            item("rep", 0, false),
            item("now", 1, true),
        ];
        let added = add(None, 0, 1, &new).unwrap();
        assert_eq!((added.dropped, added.last_feed), (1, 2));
        let none = add(None, 0, 1, &new[..1]).unwrap();
        assert_eq!(
            (none.placing, none.last_feed, none.dropped),
            (Placing::Nothing, 0, 1)
        );
    }
}
