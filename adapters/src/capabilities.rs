//! What a channel can do, as data, so that nothing outside asks for its name.

/// Plain numbers and marks from the platform's manual; each channel's file names its sources.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capabilities {
    pub text: Length,
    /// Text beside a picture; `None` where a picture cannot carry one.
    pub caption: Option<Length>,
    pub cards: Cards,
    pub choices: Choices,
    pub pace: Option<Pace>,
    pub window: Option<Window>,
    pub idempotency: Idempotency,
    pub typing: Typing,
    pub editing: bool,
    pub receipts: Receipts,
    /// Pictures must be uploaded before a message can name them.
    pub upload_first: bool,
    pub handoff: Handoff,
    pub sync_reply: SyncReply,
    pub catch_up: CatchUp,
}

/// The longest of something, counted as the platform counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    pub max: usize,
    pub unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// UTF-16 code units: most emoji are two.
    Utf16,
    /// Unicode scalar values.
    Characters,
    /// Bytes of UTF-8: a Han character is three.
    Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cards {
    /// A form of the platform's own, with a picture.
    Native,
    /// A picture with a caption each.
    Photos,
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choices {
    Buttons {
        max: usize,
        /// Longest id that a button carries, in bytes; a longer one goes as a token.
        id_bytes_max: usize,
    },
    /// Numbers to type.
    Numbered,
}

/// How fast messages may leave; what is faster is refused by the platform.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Of one lane: see [`crate::Channel::lane`].
    pub lane_every_ms: f64,
    pub lane_burst: u32,
    /// Besides, of a lane that many people read: see [`crate::Channel::is_shared`].
    pub shared_lane: Option<LanePace>,
    /// Of the whole channel.
    pub all_every_ms: f64,
    pub all_burst: u32,
}

/// A limit of a lane over a longer time: so many messages at once after a rest, then one each `every_ms`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LanePace {
    pub every_ms: f64,
    pub burst: u32,
}

/// For how long after a customer's message, and how often, the shop may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub open_ms: u64,
    pub messages_max: Option<u32>,
    /// Where a touch on a menu or a button opens a window of its own instead.
    pub after_touch: Option<Brief>,
    /// The same for one who comes in without a word: follows, scans, or opens the chat.
    pub after_coming: Option<Brief>,
}

/// For how long after something less than a message, and how often, the shop may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brief {
    pub open_ms: u64,
    pub messages_max: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// The same message sent twice arrives twice.
    None,
    /// The platform recognises a repetition by our key, for a time.
    Key { for_ms: u64 },
    /// Our own store recognises it, for ever.
    Own,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    None,
    /// Shown by the customer's own connection.
    Hint,
    /// Asked of the platform, which shows it for so long.
    Action {
        lasts_ms: u64,
    },
}

/// What the platform reports about messages that left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipts {
    None,
    /// Only that one could not be delivered after all.
    Failures,
    DeliveredAndRead,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handoff {
    /// The shop's reps write through us.
    Ours,
    /// The platform has a desk of its own.
    Native,
}

/// Whether the answer to a delivery may carry a reply, and in what time, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncReply {
    None,
    /// A reply that is ready in time is shown so and costs nothing; others go over the API.
    InTime {
        within_ms: u64,
    },
    /// There is no other way out; what comes too late is shown with the next answer. The time is that of all deliveries of a message.
    Only {
        within_ms: u64,
    },
}

/// What becomes of messages while nobody of ours listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// The platform delivers again until it is acknowledged, for so long; [`u64::MAX`] where it never gives up.
    Redelivered { for_ms: u64 },
    /// They can be asked for afterwards.
    History,
    /// They are lost.
    None,
}
