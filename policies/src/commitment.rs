//! Promises of a later deed that nobody has bound to a duty: "we will call you back", 我们会尽快联系您.

use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

type Span = (usize, usize);

/// Bytes between who promises and what is promised.
const PROMISE_BYTES: usize = 36;

/// Who promises, or how firmly.
const PROMISERS: &[&str] = &[
    "i will",
    "i'll",
    "we will",
    "we'll",
    "i am going to",
    "i'm going to",
    "we are going to",
    "we're going to",
    "someone will",
    "somebody will",
    "a colleague will",
    "our team will",
    "they will",
    "they'll",
    "the team will",
    "my colleague will",
    "a specialist will",
    "you will",
    "you'll",
    "我会",
    "我们会",
    "我将",
    "我们将",
    "会尽快",
    "会马上",
    "会立刻",
    "会立即",
    "会第一时间",
    "我尽快",
    "我马上",
    "我这就",
    "稍后会",
    "稍后为",
    "稍后给",
    "同事会",
    "专员会",
    "客服会",
    "店长会",
    "随后会",
    "回头给",
    "晚点给",
    "尽快给",
    "尽快为",
    "尽快",
    "第一时间",
    "马上给",
    "马上为",
    "一定会",
    "明天给",
];
/// The later deed.
const DEEDS: &[&str] = &[
    "call you",
    "call back",
    "phone you",
    "ring you",
    "contact you",
    "get back to you",
    "get in touch",
    "reach out",
    "follow up",
    "email you",
    "e-mail you",
    "write to you",
    "notify you",
    "let you know",
    "inform you",
    "text you",
    "message you",
    "keep you posted",
    "update you",
    "send you",
    "be contacted",
    "hear from us",
    "hear back",
    "book it",
    "reserve it",
    "put it aside",
    "hold it for you",
    "monitor",
    "keep an eye",
    "remind you",
    "escalate this",
    "look into",
    "arrange a refund",
    "process your refund",
    "refund you",
    "be in touch",
    "联系您",
    "联系你",
    "联络您",
    "回复您",
    "回复你",
    "答复您",
    "答复你",
    "给您回",
    "给你回",
    "回电",
    "打电话",
    "致电",
    "通知您",
    "通知你",
    "告诉您结果",
    "发给您",
    "发您",
    "发给你",
    "跟进",
    "提醒您",
    "提醒你",
    "处理好",
    "核实后",
    "给您答复",
    "给您回复",
    "安排发",
    "为您预留",
    "帮您预留",
    "给您留着",
    "帮您留着",
    "退款给",
    "为您退",
    "与您联系",
    "和您联系",
    "跟您联系",
    "加急",
];
/// What takes a promise back or asks for it: not "we will not call you", "shall I", "if you like".
const TAKEN_BACK: &[&str] = &[
    "won't",
    "will not",
    "never",
    "no one",
    "不会",
    "不再",
    "吗",
    "要不要",
    "是否",
];

struct Scanner {
    automaton: AhoCorasick,
    deeds_from: usize,
    back_from: usize,
}

static SCANNER: LazyLock<Option<Scanner>> = LazyLock::new(|| {
    let words = PROMISERS.iter().chain(DEEDS).chain(TAKEN_BACK);
    AhoCorasick::new(words).ok().map(|automaton| Scanner {
        automaton,
        deeds_from: PROMISERS.len(),
        back_from: PROMISERS.len() + DEEDS.len(),
    })
});

/// Bytes of every promise, from who promises to what.
pub fn find(text: &str) -> Vec<Span> {
    let Some(scanner) = &*SCANNER else {
        return Vec::new();
    };
    let mut promisers = Vec::new();
    let mut deeds = Vec::new();
    let mut back = Vec::new();
    for hit in scanner.automaton.find_overlapping_iter(text) {
        let span = (hit.start(), hit.end());
        match hit.pattern().as_usize() {
            index if index < scanner.deeds_from => promisers.push(span),
            index if index < scanner.back_from => deeds.push(span),
            _ => back.push(span),
        }
    }
    let mut found = Vec::new();
    for promiser in promisers {
        let deed = deeds
            .iter()
            .find(|deed| deed.0 >= promiser.1 && deed.0 - promiser.1 <= PROMISE_BYTES);
        let Some(deed) = deed else { continue };
        let (from, to) = crate::claim::sentence(text, promiser.0, deed.1);
        let asked = text.get(to..).is_some_and(|rest| rest.starts_with('?'));
        if !asked && !back.iter().any(|span| span.0 >= from && span.1 <= to) {
            found.push((promiser.0, deed.1));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
