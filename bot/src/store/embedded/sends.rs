//! The steps of sending: claiming what is to leave, settling what has left, with the page's feed in the same step.

use super::steps::{Done, due};
use super::tables::{StoredFeed, StoredOut, Tables, json, parsed};
use crate::store::{Claimed, Hint, Outgoing, SendClaim, Settle, Settled, StoreError};
use redb::{Error, ReadableTable};

/// Messages of one round of sending.
pub const SENDS_MAX: usize = 32;
/// Feed items kept of one conversation.
pub const FEED_ITEMS_MAX: u64 = 1_000;

/// Takes the bot's messages of older epochs out of the box.
pub(super) fn drop_stale(tables: &mut Tables<'_>, id: &str, epoch: u64) -> Result<(), Error> {
    let mut stale = Vec::new();
    for entry in tables.outgoing.range((id, 0)..=(id, u64::MAX))? {
        let (key, value) = entry?;
        let out: StoredOut = parsed(value.value())?;
        if out.bot && out.epoch < epoch {
            stale.push(key.value().1);
        }
    }
    for seq in stale {
        tables.outgoing.remove((id, seq))?;
    }
    Ok(())
}

pub(super) fn claim_sends(
    tables: &mut Tables<'_>,
    now_ms: i64,
    lease_ms: u64,
    max: usize,
) -> Done<Claimed<SendClaim>> {
    let (conversations, next_due_ms) = due(&tables.sends, now_ms, max)?;
    let mut claims = Vec::new();
    for id in conversations {
        let Some(mut head) = tables.head(&id)? else {
            continue;
        };
        let outbounds = outgoing(&tables.outgoing, &id, SENDS_MAX)?;
        if outbounds.is_empty() {
            tables.send_at(&id, &mut head, None)?;
            tables.put_head(&id, &head)?;
            continue;
        }
        head.send_token += 1;
        head.send_leased = true;
        tables.send_at(
            &id,
            &mut head,
            Some(now_ms.saturating_add_unsigned(lease_ms)),
        )?;
        tables.put_head(&id, &head)?;
        claims.push(SendClaim {
            conversation: id,
            token: head.send_token,
            epoch: head.epoch,
            attempts: head.send_attempts,
            outbounds,
            newest: head.last_out,
        });
    }
    Ok(Ok(Claimed {
        claims,
        next_due_ms,
    }))
}

pub(super) fn settle(
    tables: &mut Tables<'_>,
    hints: &mut Vec<Hint>,
    settle: Settle,
) -> Done<Settled> {
    let id = settle.conversation.as_str();
    let Some(mut head) = tables.head(id)? else {
        return Ok(Err(StoreError::Fenced));
    };
    if head.send_token != settle.token {
        return Ok(Err(StoreError::Fenced));
    }
    if !head.send_leased {
        // This very step was done before and its answer was lost.
        let left = (id, 0)..=(id, u64::MAX);
        let more = tables.outgoing.range(left)?.next().is_some();
        return Ok(Ok(Settled { more, dropped: 0 }));
    }
    head.send_leased = false;
    let mut sent = Vec::new();
    for entry in tables.outgoing.range((id, 0)..=(id, settle.done_to))? {
        sent.push(entry?.0.value().1);
    }
    for seq in &sent {
        tables.outgoing.remove((id, *seq))?;
    }
    let mut dropped = 0;
    let mut fed = false;
    for item in settle.feed {
        if item.bot && item.epoch < head.epoch {
            dropped += 1;
            continue;
        }
        head.last_feed += 1;
        fed = true;
        let stored = StoredFeed {
            event: item.event,
            data: item.data,
        };
        tables
            .feed
            .insert((id, head.last_feed), json(&stored)?.as_str())?;
        if head.last_feed > FEED_ITEMS_MAX {
            tables.feed.remove((id, head.last_feed - FEED_ITEMS_MAX))?;
        }
    }
    let more = tables
        .outgoing
        .range((id, 0)..=(id, u64::MAX))?
        .next()
        .is_some();
    if !sent.is_empty() {
        head.send_attempts = 0;
    }
    head.send_attempts += u32::from(settle.refused);
    let retry_at_ms = settle
        .retry_at_ms
        .filter(|_| head.last_out <= settle.newest);
    let due = more.then_some(retry_at_ms.unwrap_or(settle.now_ms));
    tables.send_at(id, &mut head, due)?;
    tables.put_head(id, &head)?;
    if fed {
        hints.push(Hint::Feed(settle.conversation));
    }
    if more {
        hints.push(Hint::Sends);
    }
    Ok(Ok(Settled { more, dropped }))
}

/// What of a conversation has yet to leave, in order.
pub(super) fn outgoing(
    table: &impl ReadableTable<(&'static str, u64), &'static str>,
    id: &str,
    max: usize,
) -> Result<Vec<Outgoing>, Error> {
    let mut found = Vec::new();
    for entry in table.range((id, 0)..=(id, u64::MAX))?.take(max) {
        let (key, value) = entry?;
        let out: StoredOut = parsed(value.value())?;
        found.push(Outgoing {
            seq: key.value().1,
            id: out.id,
            epoch: out.epoch,
            bot: out.bot,
            body: out.body,
        });
    }
    Ok(found)
}
