//! Finding the JSON object in a model's answer, which may come in fences or after chatter.

use super::ANSWER_BYTES_MAX;
use serde::de::DeserializeOwned;

/// Places of the answer that are tried.
const TRIES_MAX: usize = 8;

/// The first object that has the form; trailing text is passed over.
pub(super) fn object<T: DeserializeOwned>(answer: &str) -> Option<T> {
    if answer.len() > ANSWER_BYTES_MAX {
        return None;
    }
    answer
        .match_indices('{')
        .take(TRIES_MAX)
        .find_map(|(at, _)| {
            let rest = answer.get(at..)?;
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<T>();
            values.next()?.ok()
        })
}
