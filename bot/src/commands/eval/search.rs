use super::{Ended, SearchArgs, usage};
pub(super) fn run(_: &SearchArgs) -> Ended { Err(usage("x")) }
