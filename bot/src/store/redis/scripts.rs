//! The scripts: each is one step, run by the hash of its text.

/// Refused when Redis has no memory left.
const FIRST: &str = "#!lua\n";
/// What was accepted goes on when Redis has no memory left: turns and sends are what frees it.
const GOES_ON: &str = "#!lua flags=allow-oom\n";
/// Changes nothing.
const READS: &str = "#!lua flags=no-writes\n";
const HEAD: &str = include_str!("head.lua");
const FEED: &str = include_str!("feed.lua");

pub(super) struct Script {
    pub text: String,
    pub hash: String,
}

impl Script {
    fn new(first: &str, body: &str) -> Self {
        Self::of(&[first, HEAD, body])
    }

    fn with_feed(first: &str, body: &str) -> Self {
        Self::of(&[first, HEAD, FEED, body])
    }

    fn of(parts: &[&str]) -> Self {
        let text = parts.concat();
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }
}

pub(super) struct Scripts {
    pub accept: Script,
    pub claim: Script,
    pub commit: Script,
    pub settle: Script,
    pub extend: Script,
    pub hasten: Script,
    pub probe: Script,
    pub whole: Script,
    pub leave: Script,
    pub return_: Script,
    pub hold: Script,
    pub release: Script,
    pub spend: Script,
    pub point: Script,
    pub replace: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            accept: Script::new(FIRST, include_str!("accept.lua")),
            claim: Script::with_feed(GOES_ON, include_str!("claim.lua")),
            commit: Script::new(GOES_ON, include_str!("commit.lua")),
            settle: Script::with_feed(GOES_ON, include_str!("settle.lua")),
            extend: Script::new(GOES_ON, include_str!("extend.lua")),
            hasten: Script::new(GOES_ON, include_str!("hasten.lua")),
            probe: Script::new(FIRST, include_str!("probe.lua")),
            whole: Script::new(READS, include_str!("whole.lua")),
            leave: Script::new(GOES_ON, include_str!("leave.lua")),
            return_: Script::new(FIRST, include_str!("return.lua")),
            hold: Script::new(GOES_ON, include_str!("hold.lua")),
            release: Script::new(GOES_ON, include_str!("release.lua")),
            spend: Script::new(GOES_ON, include_str!("spend.lua")),
            point: Script::new(FIRST, include_str!("point.lua")),
            replace: Script::new(FIRST, include_str!("replace.lua")),
        }
    }
}
