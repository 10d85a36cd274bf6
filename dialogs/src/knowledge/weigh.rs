//! How well passages answer a question: BM25, and how much of the question they cover.

use super::Passage;
use crate::text;
use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The share of a question's informative weight that a passage must hold; below it the question is about something else.
pub const COVERAGE_MIN: f32 = 0.55;
/// Different tokens of one question that are looked for.
const TOKENS_MAX: usize = 64;
/// The first lines of `SAME` are about the deal itself, which people ask a shop about and nobody else; they weigh more.
const DEALS: usize = 14;
const DEAL_TIMES: f32 = 2.0;
/// The word for a deal beside the deal itself.
const NAME_TIMES: f32 = 0.3;
/// A word that no passage has may be a mere turn of phrase.
const UNSEEN_TIMES: f32 = 0.7;
/// A heading says more than a line of text.
const TITLE_TIMES: f32 = 3.0;
const ABOVE_TIMES: f32 = 1.0;
/// BM25's usual constants (Robertson and Zaragoza, 2009).
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// Words that say how something is asked, not what; longest first where one holds another is left to the automaton.
const ASKING: &str = "请问 想问 问一下 问下 你好 您好 我想 我要 想要 想知道 了解 咨询 麻烦 帮我 告诉我 能不能 可不可以 可以 能否 是否 有没有 是不是 会不会 要不要 需不需要 需要 支持 怎么样 怎么 怎样 如何 什么时候 什么 哪些 哪个 哪里 哪儿 在哪 多久 多长时间 多长 多大 多高 多宽 多深 多重 多远 多快 几天 多少 为什么 为何 一下 一般 大概 现在 今天 的话 如果 还是 或者 以及 关于 我们 你们 您们 他们 你 您 我 他 她 它 这个 那个 这 那 吗 呢 吧 啊 呀 哦 嘛 了 的 地 得 着 过 是 有 在 和 与 跟 及 也 都 就 还 又 很 会 能 要 想 给 把 被 让 对 从 到 个 么 \
a an the of to for in on at by with from and or but if then so is are was were be been am do does did can could will would shall should may might must have has had having i you he she it we they them me my your our their its this that these those ones there here what which who whom whose when where why how much many long any some please tell know want need like about into your yours us hello hi hey thanks thank just also get got let make take takes does not no yes as up out off over s t re ll ve d m now today";

/// Words of trade in general that customers and shops use for each other; one line is one meaning.
const SAME: [&str; 22] = [
    "运费|邮费|快递费|配送费|包邮|免邮|shipping cost|shipping costs|shipping fee|shipping fees|delivery fee|delivery fees|delivery cost|delivery costs|delivery charge|free shipping|free delivery|postage|pay postage|pay for postage|pay shipping|pay delivery|how much is shipping|what is shipping|whats shipping|what's shipping|how much is delivery|how much is the shipping|how much is the delivery|pay for shipping|pay for delivery|shipping is free|delivery is free",
    "发货|送货|送到|寄到|邮寄|到货|收到货|配送|快递|物流|寄出|发出|送达|delivery|deliver|delivers|delivered|deliveries|shipping|ship|ships|shipped|dispatch|dispatched|courier",
    "退货|退款|退换|退掉|换货|无理由|return|returns|returned|returning|refund|refunds|refunded|send back|send it back|send them back|send this back|money back|exchange",
    "保修|质保|三包|维修|修理|报修|warranty|warranties|guarantee|guaranteed|repair|repairs|repaired",
    "发票|开票|专票|普票|invoice|invoices|fapiao",
    "付款|支付|付钱|支付宝|微信支付|信用卡|pay|paying|payment|payments|alipay|credit card|credit cards",
    "分期|花呗|instalment|instalments|installment|installments",
    "营业时间|上班时间|工作时间|客服时间|几点开门|几点关门|opening hours|business hours|opening times",
    "地址|门店|实体店|线下店|展厅|address|showroom|physical store|physical shop",
    "优惠|折扣|打折|优惠券|满减|discount|discounts|coupon|coupons|promotion|promotions|promo code",
    "批发|团购|批量|大批|企业采购|公司采购|企业团购|企业客户|bulk|bulk order|bulk orders|wholesale|volume order|large order",
    "取消|撤单|cancel|cancels|cancelled|canceled|cancellation",
    "坏了|坏的|破损|损坏|有瑕疵|broken|damaged|faulty|defective|arrives damaged|arrived damaged",
    "隐私|个人信息|我的信息|信息安全|privacy|personal data|my data|my information|personal information",
    "安装|装机|上门装|install|installs|installed|installation|installing",
    "清洁|清洗|清理|清除|保养|洗干净|clean|cleaning|cleaned|wash|washing|maintenance|maintain",
    "保存|储存|存放|贮存|放多久|能放|保质期|stay fresh|keep for|shelf life|best before|storage|store it|store them|keep fresh",
    "孕妇|怀孕|孕期|备孕|哺乳期|哺乳|喂奶|pregnant|pregnancy|breastfeeding|nursing",
    "孩子|小孩|儿童|宝宝|婴儿|幼儿|青少年|未成年|child|children|kid|kids|toddler|toddlers|baby|babies|teenager|teenagers",
    "医生|医师|doctor|doctors|physician|paediatrician|pediatrician",
    "新疆|乌鲁木齐|喀什|伊犁|和田|阿克苏|克拉玛依|西藏|拉萨|日喀则|林芝|青海|西宁|内蒙古|呼和浩特|偏远|边远|xinjiang|urumqi|kashgar|tibet|lhasa|qinghai|inner mongolia|remote|remote area|remote areas|rural",
    "国外|海外|境外|外国|出国|港澳台|香港|澳门|台湾|abroad|overseas|international|internationally|outside china|mainland|mainland china|hong kong|macau|taiwan|japan|korea|canada|australia|germany|france|singapore|london|new york|usa|america|europe",
];

/// What kind of answer is asked for: it decides between passages about the same thing, and is evidence of nothing alone.
const KINDS: [&str; 2] = [
    "多久|几天|多长时间|什么时候|何时|小时内|工作日|how long|how soon|how fast|when will|within|hours|days",
    "多少钱|怎么收费|怎么算|收费|费用|how much|cost|costs|charge|charges|fee|fees|free",
];

/// The tokens of `KINDS`: how long, and how much.
pub(super) fn kinds() -> [String; KINDS.len()] {
    std::array::from_fn(|place| format!("~{}", SAME.len() + place))
}

static ASKED: LazyLock<BTreeSet<&'static str>> =
    LazyLock::new(|| ASKING.split_whitespace().collect());

static ASKED_HAN: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| automaton(ASKED.iter().copied().filter(|word| !word.is_ascii())));

/// The surfaces of `SAME`, then of `KINDS`, with the number of their meaning.
static MEANINGS: LazyLock<Vec<(&'static str, usize)>> = LazyLock::new(|| {
    SAME.iter()
        .chain(&KINDS)
        .enumerate()
        .flat_map(|(meaning, line)| line.split('|').map(move |surface| (surface, meaning)))
        .collect()
});

static MEANT: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| automaton(MEANINGS.iter().map(|(surface, _)| *surface)));

fn automaton(words: impl Iterator<Item = &'static str>) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(words)
        .ok()
}

/// A token that says what a text is about, with its place in the folded text.
pub(super) struct Informative {
    pub text: String,
    is_latin: bool,
    /// Of a passage's score.
    times: f32,
    start: usize,
    end: usize,
}

impl Informative {
    fn is_deal(&self) -> bool {
        let meaning = self.text.strip_prefix('=').and_then(|n| n.parse().ok());
        meaning.is_some_and(|meaning: usize| meaning < DEALS)
    }

    fn is_kind(&self) -> bool {
        self.text.starts_with('~')
    }
}

/// Meanings, Latin words, and Han characters in twos; a character alone only where it has no neighbour.
pub(super) fn informative(message: &str) -> Vec<Informative> {
    let folded = text::fold(message);
    let mut found: Vec<Informative> = Vec::new();
    let mut bare = folded.clone();
    if let Some(meant) = &*MEANT {
        for hit in meant.find_iter(&folded) {
            let Some((_, meaning)) = MEANINGS.get(hit.pattern().as_usize()) else {
                continue;
            };
            if at_word_borders(&folded, hit.start(), hit.end()) {
                found.push(Informative {
                    times: 1.0,
                    text: format!("{}{meaning}", if meaning < &SAME.len() { '=' } else { '~' }),
                    is_latin: folded
                        .get(hit.start()..hit.end())
                        .is_some_and(str::is_ascii),
                    start: hit.start(),
                    end: hit.end(),
                });
            }
        }
    }
    if let Some(asked) = &*ASKED_HAN {
        let meant = |start: usize| found.iter().any(|t| (t.start..t.end).contains(&start));
        let spans: Vec<(usize, usize)> = asked
            .find_iter(&folded)
            .map(|hit| (hit.start(), hit.end()))
            .filter(|(start, _)| !meant(*start))
            .collect();
        for (start, end) in spans {
            // As many bytes as before, so that places stay what they were.
            bare.replace_range(start..end, &" ".repeat(end - start));
        }
    }
    let tokens = text::tokens(&bare);
    let is_pair = |token: &text::Token| !token.text.is_ascii() && token.text.chars().count() > 1;
    let paired: BTreeSet<usize> = tokens
        .iter()
        .filter(|token| is_pair(token))
        .flat_map(|token| token.start..token.end)
        .collect();
    for token in tokens {
        let surface = bare.get(token.start..token.end).unwrap_or_default();
        let in_pair = !is_pair(&token) && paired.contains(&token.start);
        let in_deal = surface.is_ascii()
            && found
                .iter()
                .any(|t| t.is_deal() && t.start <= token.start && token.end <= t.end);
        if !in_pair && !ASKED.contains(surface) && !ASKED.contains(token.text.as_str()) {
            found.push(Informative {
                is_latin: surface.is_ascii(),
                // Which of its names a deal goes by tells little.
                times: if in_deal { NAME_TIMES } else { 1.0 },
                text: token.text,
                start: token.start,
                end: token.end,
            });
        }
    }
    found
}

fn at_word_borders(text: &str, start: usize, end: usize) -> bool {
    let is_latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let before = text.get(..start).and_then(|head| head.chars().next_back());
    let after = text.get(end..).and_then(|tail| tail.chars().next());
    let term = text.get(start..end).unwrap_or_default();
    let runs_on = (is_latin(before) && is_latin(term.chars().next()))
        || (is_latin(after) && is_latin(term.chars().next_back()));
    !runs_on
}

/// What of a question one passage holds.
#[derive(Default)]
struct Evidence {
    score: f32,
    tokens: usize,
    /// One token is of the deal itself or stands in the heading; a lone word in the text is chance.
    is_strong: bool,
    /// Bytes of the question that are covered.
    bytes: BTreeSet<usize>,
}

/// Postings of all passages.
#[derive(Clone, Debug, Default)]
pub(super) struct Weights {
    /// Token, to passages with how often.
    postings: BTreeMap<String, Vec<(usize, f32)>>,
    lengths: Vec<f32>,
    length_mean: f32,
}

impl Weights {
    pub(super) fn of(passages: &[Passage]) -> Self {
        let mut weights = Self::default();
        for (place, passage) in passages.iter().enumerate() {
            let mut counts: BTreeMap<String, f32> = BTreeMap::new();
            let fields = [
                (&passage.title, TITLE_TIMES),
                (&passage.above, ABOVE_TIMES),
                (&passage.text, 1.0),
            ];
            for (text, times) in fields {
                for token in tokens_of_passage(text) {
                    *counts.entry(token).or_default() += times;
                }
            }
            weights.lengths.push(counts.values().sum());
            for (token, count) in counts {
                weights
                    .postings
                    .entry(token)
                    .or_default()
                    .push((place, count));
            }
        }
        let total: f32 = weights.lengths.iter().sum();
        weights.length_mean = (total / weights.lengths.len().max(1) as f32).max(1.0);
        weights
    }

    /// Passages that cover enough of the question, with their scores; unordered.
    pub(super) fn scores(&self, question: &str) -> Vec<(usize, f32)> {
        let mut tokens = informative(question);
        tokens.truncate(TOKENS_MAX);
        if tokens.iter().all(Informative::is_kind) || self.lengths.is_empty() {
            return Vec::new();
        }
        let weight_of_bytes = self.weight_of_bytes(&tokens);
        let whole: f32 = weight_of_bytes.values().sum();
        let mut evidence: BTreeMap<usize, Evidence> = BTreeMap::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for token in &tokens {
            let Some(postings) = self.postings.get(&token.text) else {
                continue;
            };
            let rare = self.rarity(postings.len());
            let is_first = seen.insert(&token.text);
            for (place, count) in postings {
                let found = evidence.entry(*place).or_default();
                if !token.is_kind() {
                    found.bytes.extend(token.start..token.end);
                }
                if is_first {
                    let length = self.lengths.get(*place).copied().unwrap_or_default();
                    let norm = K1 * (1.0 - B + B * length / self.length_mean);
                    found.score += token.times * rare * count * (K1 + 1.0) / (count + norm);
                    found.tokens += usize::from(!token.is_kind());
                    found.is_strong |= token.is_deal() || *count >= TITLE_TIMES;
                }
            }
        }
        evidence
            .into_iter()
            .filter(|(_, found)| found.is_strong || found.tokens > 1)
            .filter_map(|(place, found)| {
                let weights = found.bytes.iter().filter_map(|at| weight_of_bytes.get(at));
                let coverage = weights.sum::<f32>() / whole;
                (coverage >= COVERAGE_MIN).then_some((place, found.score * coverage))
            })
            .collect()
    }

    /// What each byte of the question weighs: as the rarest token over it that is known, or as a word never seen.
    /// A pair of characters that straddles two words is never seen, but the pairs beside it are.
    fn weight_of_bytes(&self, tokens: &[Informative]) -> BTreeMap<usize, f32> {
        let mut weights: BTreeMap<usize, (bool, f32)> = BTreeMap::new();
        for token in tokens.iter().filter(|token| !token.is_kind()) {
            let known = self.postings.get(&token.text).map_or(0, Vec::len);
            // A Latin word weighs as two Han characters, whatever its length.
            let bytes = (token.end - token.start).max(1) as f32;
            let share = if token.is_latin { 6.0 / bytes } else { 1.0 };
            let rare = match known {
                0 => self.rarity(0) * UNSEEN_TIMES,
                _ if token.is_deal() => self.rarity(1) * DEAL_TIMES,
                _ => self.rarity(known),
            };
            let weight = rare * share;
            for at in token.start..token.end {
                let best = weights.entry(at).or_insert((false, 0.0));
                *best = match (best.0, known > 0) {
                    (true, false) => *best,
                    (false, true) => (true, weight),
                    (is_known, _) => (is_known, best.1.max(weight)),
                };
            }
        }
        weights
            .into_iter()
            .map(|(at, (_, weight))| (at, weight))
            .collect()
    }

    fn rarity(&self, passages: usize) -> f32 {
        let all = self.lengths.len() as f32;
        let with = passages as f32;
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }
}

/// What a passage can be found by; its words are not parted by those of asking.
fn tokens_of_passage(text: &str) -> Vec<String> {
    let meanings = informative(text)
        .into_iter()
        .map(|token| token.text)
        .filter(|token| token.starts_with(['=', '~']));
    let words = text::tokens(&text::fold(text))
        .into_iter()
        .map(|token| token.text);
    meanings.chain(words).collect()
}
