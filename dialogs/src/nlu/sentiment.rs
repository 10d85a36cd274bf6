//! Whether a message is angry or pleased, by words.

use super::Sentiment;

const NEGATIVE: [&str; 57] = [
    "投诉",
    "太差",
    "垃圾",
    "骗",
    "失望",
    "生气",
    "不满",
    "差评",
    "坏了",
    "破",
    "烦死",
    "烦人",
    "真烦",
    "很烦",
    "太烦",
    "好烦",
    "傻",
    "滚",
    "废物",
    "无语",
    "气死",
    "恶心",
    "态度",
    "坑",
    "曝光",
    "真差",
    "很差",
    "太烂",
    "难喝",
    "难吃",
    "难用",
    "terrible",
    "awful",
    "unacceptable",
    "disappointed",
    "angry",
    "worst",
    "scam",
    "useless",
    "stupid",
    "idiot",
    "broken",
    "annoying",
    "hate",
    "ridiculous",
    "complain",
    "damn",
    "fuck",
    "sucks",
    "garbage",
    "furious",
    "rude",
    "not happy",
    "waste",
    "horrible",
    "rubbish",
    "junk",
];
const POSITIVE: [&str; 18] = [
    "谢谢",
    "感谢",
    "喜欢",
    "不错",
    "很好",
    "太好",
    "满意",
    "棒",
    "赞",
    "thanks",
    "thank you",
    "great",
    "love",
    "perfect",
    "awesome",
    "nice",
    "excellent",
    "happy",
];
const NEGATIONS: [&str; 8] = [
    "不", "没", "别", "not ", "isn't ", "don't ", "no ", "never ",
];

pub(super) fn of(folded: &str) -> Sentiment {
    let count = |words: &[&str]| words.iter().filter(|word| stands(folded, word)).count();
    match count(&NEGATIVE).cmp(&count(&POSITIVE)) {
        std::cmp::Ordering::Greater => Sentiment::Negative,
        std::cmp::Ordering::Less => Sentiment::Positive,
        std::cmp::Ordering::Equal => Sentiment::Neutral,
    }
}

/// The word stands there and nothing right before it turns it round.
fn stands(folded: &str, word: &str) -> bool {
    folded.match_indices(word).any(|(at, _)| {
        let before = folded.get(..at).unwrap_or_default();
        word.starts_with("not ") || !NEGATIONS.iter().any(|no| before.ends_with(no))
    })
}
