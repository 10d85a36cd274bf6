//! Small phrases that carry a meaning: yes and no, the cheapest, cheaper, better, the one shown last.

use super::{Finder, pattern};
use crate::nlu::{Superlative, Value};
use crate::taste;
use regex::Regex;
use std::sync::LazyLock;

patterns! {
    LAST_SHOWN = r"刚才那|刚刚那|这款|这个|这台|那款|那个|它|\bthis one\b|\bthat one\b|\bit\b|\bthis\b";
}

/// Whole messages that agree.
const YES: [&str; 72] = [
    "好",
    "好的",
    "好滴",
    "好哒",
    "好呀",
    "好啊",
    "好吧",
    "好嘞",
    "可以",
    "可以的",
    "可以啊",
    "行",
    "行吧",
    "行啊",
    "行的",
    "没问题",
    "嗯",
    "嗯嗯",
    "嗯好",
    "嗯好的",
    "恩",
    "恩恩",
    "是",
    "是的",
    "是啊",
    "对",
    "对的",
    "对啊",
    "对对",
    "要",
    "要的",
    "需要",
    "成",
    "中",
    "ok的",
    "当然",
    "必须的",
    "就这样",
    "就这么定",
    "yes",
    "yeah",
    "yup",
    "ya",
    "yea",
    "ok",
    "okay",
    "k",
    "kk",
    "sure",
    "sure thing",
    "of course",
    "absolutely",
    "definitely",
    "yep",
    "yes please",
    "please do",
    "sounds good",
    "sounds great",
    "go ahead",
    "why not",
    "fine",
    "alright",
    "all right",
    "deal",
    "that works",
    "works for me",
    "yes sure",
    "yeah sure",
    "ok sure",
    "yes ok",
    "great",
    "perfect",
];
/// Whole messages that decline.
const NO: [&str; 48] = [
    "不",
    "不用",
    "不用了",
    "不用了谢谢",
    "不用谢谢",
    "不要",
    "不要了",
    "不了",
    "不了谢谢",
    "不需要",
    "不必了",
    "不必",
    "不是",
    "不是的",
    "没有",
    "没",
    "没了",
    "算了",
    "算了吧",
    "暂时不用",
    "先不用",
    "先不了",
    "不行",
    "不对",
    "别",
    "不用了 谢谢",
    "不了 谢谢",
    "不用 谢谢",
    "no",
    "nope",
    "nah",
    "no thanks",
    "no thank you",
    "not now",
    "not really",
    "not yet",
    "no need",
    "not needed",
    "i'm good",
    "im good",
    "no i'm good",
    "nothing",
    "none",
    "never mind",
    "nevermind",
    "nah thanks",
    "no not really",
    "rather not",
];

impl Finder<'_> {
    pub(super) fn words(&mut self) {
        let text = self.folded.text.clone();
        let superlatives: [(&str, Superlative); 21] = [
            ("最便宜", Superlative::Cheapest),
            ("最低价", Superlative::Cheapest),
            ("价格最低", Superlative::Cheapest),
            ("cheapest", Superlative::Cheapest),
            ("least expensive", Superlative::Cheapest),
            ("lowest price", Superlative::Cheapest),
            ("最贵", Superlative::MostExpensive),
            ("价格最高", Superlative::MostExpensive),
            ("most expensive", Superlative::MostExpensive),
            ("highest price", Superlative::MostExpensive),
            ("priciest", Superlative::MostExpensive),
            ("最轻", Superlative::Lightest),
            ("lightest", Superlative::Lightest),
            ("最重", Superlative::Heaviest),
            ("heaviest", Superlative::Heaviest),
            ("最小", Superlative::Smallest),
            ("smallest", Superlative::Smallest),
            ("最大", Superlative::Largest),
            ("largest", Superlative::Largest),
            ("biggest", Superlative::Largest),
            ("quietest", Superlative::Quietest),
        ];
        for (word, of) in superlatives {
            if let Some(at) = text.find(word) {
                self.add(at, at + word.len(), Value::Superlative { of });
            }
        }
        for word in [
            "便宜点",
            "便宜一点",
            "便宜些",
            "更便宜",
            "cheaper",
            "less expensive",
        ] {
            if let Some(at) = text.find(word) {
                self.add(at, at + word.len(), Value::Cheaper);
            }
        }
        for word in ["更好", "好一点", "高级点", "better", "premium"] {
            if let Some(at) = text.find(word) {
                self.add(at, at + word.len(), Value::Better);
            }
        }
        for wish in taste::wishes(&text) {
            let value = Value::Taste {
                taste: wish.taste,
                toward: wish.toward,
            };
            self.add(wish.start, wish.end, value);
        }
        let whole = text
            .trim_end_matches(|c: char| !c.is_alphanumeric())
            .trim_start_matches(|c: char| !c.is_alphanumeric())
            .to_owned();
        let said: String = whole
            .split([',', '，'])
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ");
        if YES.contains(&said.as_str()) {
            self.add(0, text.len(), Value::Yes);
        }
        if NO.contains(&said.as_str()) {
            self.add(0, text.len(), Value::No);
        }
        if let Some(hit) = LAST_SHOWN.as_ref().and_then(|p| p.find(&text)) {
            self.add(hit.start(), hit.end(), Value::LastShown);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_pattern_compiles() {
        for (name, compiles) in super::all_patterns() {
            assert!(compiles, "{name}");
        }
    }
}
