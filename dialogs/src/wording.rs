//! The shop's own words: reply texts in each language, several wordings each, with slots for every fact.

use crate::yaml::{File, near};
use crate::{Language, Problem};
use std::collections::BTreeMap;

/// Wordings of one reply.
pub const WORDINGS_MAX: usize = 20;
/// Characters of one wording.
pub const WORDING_CHARS_MAX: usize = 600;

/// Every reply the engine can give, with the slots its wordings may use.
pub const REPLIES: &[(&str, &[&str])] = &[
    ("abilities", &["shop"]),
    ("accessories.found", &["title", "count"]),
    ("accessories.none", &["title"]),
    ("alternatives.found", &["title", "count"]),
    ("alternatives.none", &["title"]),
    ("apology", &[]),
    ("ask.attribute", &["attribute", "values"]),
    ("ask.budget_max", &[]),
    ("ask.category", &[]),
    ("ask.company", &[]),
    ("ask.contact", &[]),
    ("ask.deadline_days", &[]),
    ("ask.kind", &["kinds"]),
    ("ask.name", &[]),
    ("ask.people", &[]),
    ("ask.quantity", &[]),
    ("ask.use", &[]),
    ("ask.which", &[]),
    ("ask.which_before", &[]),
    ("aspect", &["title", "facts"]),
    ("aspect.unknown", &["title", "attribute"]),
    ("better.found", &["title", "count"]),
    ("better.none", &["title"]),
    ("bye", &["shop"]),
    ("at_your_service", &[]),
    ("buy", &["title", "price", "link"]),
    ("buy.ahead", &["title", "price", "stock", "link"]),
    ("buy.later", &["title", "stock"]),
    ("cheaper.found", &["title", "count"]),
    ("cheaper.none", &["title", "price"]),
    ("choice.expired", &[]),
    ("choice.label.buy", &[]),
    ("choice.label.cheaper", &[]),
    ("choice.label.compare", &[]),
    ("choice.label.compare_with", &[]),
    ("choice.label.details", &[]),
    ("choice.label.no", &[]),
    ("choice.label.person", &[]),
    ("choice.label.yes", &[]),
    ("clarify", &[]),
    ("clarify.again", &[]),
    (
        "compare",
        &["first", "second", "rows", "difference", "cheaper", "dearer"],
    ),
    ("compare.same_price", &["first", "second", "rows"]),
    ("compare.unknown", &[]),
    ("compare.unlike", &["first", "second", "rows"]),
    ("contact.thanks", &[]),
    ("count", &["criteria", "count", "from", "to"]),
    ("colleague.said", &["words"]),
    ("colleague.unheard", &[]),
    ("currency.other", &["currency"]),
    ("currency.own", &["currency"]),
    ("deny", &[]),
    ("details", &["title", "price", "details"]),
    ("disclose", &["shop"]),
    ("disclose.again", &["shop"]),
    ("disclose.back", &["shop"]),
    ("discount.freebie", &[]),
    ("discount.from", &["title", "price", "offer", "from"]),
    (
        "discount.from_until",
        &["title", "price", "offer", "from", "until"],
    ),
    ("discount.group", &[]),
    ("discount.later", &[]),
    ("discount.lowest", &[]),
    ("discount.none", &[]),
    ("discount.on", &["title", "price", "was"]),
    ("discount.on_until", &["title", "price", "was", "until"]),
    ("discount.several", &[]),
    ("ease", &[]),
    (
        "ease.cheaper",
        &["title", "price", "saved", "than", "highlight"],
    ),
    ("ease.none", &["title", "price"]),
    ("extreme.cheapest", &["title", "price", "kind"]),
    ("extreme.dearest", &["title", "price", "kind"]),
    ("extreme.unknown", &[]),
    ("fallback", &[]),
    ("file.other", &[]),
    ("file.photo", &[]),
    ("file.place", &[]),
    ("file.video", &[]),
    ("file.voice", &[]),
    ("greet", &["shop"]),
    ("handoff.again", &[]),
    ("handoff.closed", &["opens"]),
    ("handoff.closed_unknown", &[]),
    ("handoff.meanwhile", &[]),
    ("handoff.open", &[]),
    ("hesitate", &[]),
    ("hours", &["hours"]),
    ("hours.holidays", &["days", "hours"]),
    ("hours.off", &["day", "hours"]),
    ("hours.on", &["day", "hours"]),
    ("hours.unsure", &["day", "hours"]),
    ("inform.thanks", &[]),
    ("insult", &[]),
    ("kinds", &["kinds"]),
    ("knowledge.answer", &["answer"]),
    ("knowledge.unknown", &[]),
    ("languages", &[]),
    ("less.found", &["title", "value", "attribute", "count"]),
    ("less.none", &["title", "value", "attribute"]),
    ("match_price", &[]),
    ("more.found", &["title", "value", "attribute", "count"]),
    ("more.none", &["title", "value", "attribute"]),
    ("not_carried", &["what", "kinds"]),
    ("not_carried.brand", &["brand"]),
    ("next", &[]),
    ("next.waiting", &[]),
    ("notify.none", &[]),
    ("offer.person", &[]),
    ("offers.found", &["count"]),
    ("offers.none", &[]),
    ("opt_out", &[]),
    ("price", &["title", "price"]),
    ("others.found", &["criteria", "count"]),
    ("others.none", &["criteria"]),
    ("price.together", &["count", "total"]),
    ("price.total", &["count", "total"]),
    ("price.sale", &["title", "price", "was"]),
    ("privacy", &[]),
    ("question.after_list", &[]),
    ("rank.least", &["kind", "attribute", "title", "value"]),
    ("rank.most", &["kind", "attribute", "title", "value"]),
    ("rank.one", &["kind", "attribute", "title", "value"]),
    ("reasons", &["title", "reasons"]),
    ("others_data", &[]),
    ("outfit", &["criteria", "kinds"]),
    ("recall", &["criteria"]),
    ("recall.nothing", &[]),
    ("recommend.below", &["criteria"]),
    ("recommend.criteria", &["criteria", "count"]),
    ("recommend.many", &["count"]),
    ("recommend.nearest", &["criteria", "title", "price", "over"]),
    ("recommend.none", &["criteria"]),
    ("recommend.one", &["criteria"]),
    ("recommend.relaxed", &["criteria", "given_up", "count"]),
    ("recommend.relaxed_one", &["criteria", "given_up"]),
    ("recommend.single", &[]),
    ("recommend.sold_out", &["criteria"]),
    ("recommend.top", &["title", "highlight"]),
    ("refused", &[]),
    ("repeat", &[]),
    ("robot", &["shop"]),
    ("small_talk", &[]),
    ("stock", &["title", "stock"]),
    ("stock.out", &["title", "stock"]),
    ("thank", &[]),
    ("values", &["kind", "attribute", "values"]),
    ("values.none", &["kind", "attribute"]),
    ("welcome_back", &[]),
    ("welcome_back.memory", &["criteria"]),
];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wordings {
    replies: BTreeMap<(Language, String), Vec<String>>,
}

impl Wordings {
    /// The wording to use: never the one used last time while there is another; the same for the same seed.
    pub fn choose(
        &self,
        language: Language,
        key: &str,
        seed: u64,
        last: Option<usize>,
    ) -> Option<(usize, &str)> {
        let wordings = self.all(language, key);
        let count = wordings.len();
        if count == 0 {
            return None;
        }
        let mut index = (seed % count as u64) as usize;
        if Some(index) == last && count > 1 {
            index = (index + 1) % count;
        }
        wordings.get(index).map(|text| (index, text.as_str()))
    }

    pub fn all(&self, language: Language, key: &str) -> &[String] {
        self.replies
            .get(&(language, key.to_owned()))
            .or_else(|| {
                Language::ALL
                    .iter()
                    .find_map(|other| self.replies.get(&(*other, key.to_owned())))
            })
            .map_or(&[], Vec::as_slice)
    }

    pub fn has(&self, key: &str) -> bool {
        Language::ALL
            .iter()
            .any(|language| self.replies.contains_key(&(*language, key.to_owned())))
    }

    pub fn iter(&self) -> impl Iterator<Item = (Language, &str, &[String])> {
        self.replies
            .iter()
            .map(|((language, key), wordings)| (*language, key.as_str(), wordings.as_slice()))
    }

    /// Reads one language's file over what is there: a reply named in it replaces the default's wordings.
    pub fn add(&mut self, language: Language, name: &str, source: &str) -> Vec<Problem> {
        let mut file = File::new(name);
        let Some(root) = file.parse(source) else {
            return file.problems;
        };
        let fields = file.fields(&root, &["replies"]);
        let Some(map) = fields.need(&mut file, "replies") else {
            return file.problems;
        };
        for (key, node) in file.map(map) {
            let slots = slots_of(&key.text);
            if slots.is_none() {
                let help = near(&key.text, REPLIES.iter().map(|(known, _)| *known)).map_or_else(
                    || "a reply to an intent of your own is called `intent.NAME`".to_owned(),
                    |right| format!("did you mean `{right}`?"),
                );
                file.problem(
                    key.line,
                    key.column,
                    format!("unknown reply `{}`", key.text),
                    Some(help),
                );
                continue;
            }
            let wordings = file.texts(node);
            if wordings.is_empty() || wordings.len() > WORDINGS_MAX {
                file.wrong(
                    node,
                    format!("`{}` has {} wordings", key.text, wordings.len()),
                    format!("write 1 to {WORDINGS_MAX}"),
                );
                continue;
            }
            for wording in &wordings {
                check_wording(&mut file, node, wording, slots.unwrap_or_default());
            }
            self.replies.insert((language, key.text.clone()), wordings);
        }
        file.problems
    }
}

/// The slots a reply may use; a shop's own `intent.NAME` replies have `shop` only.
pub fn slots_of(key: &str) -> Option<&'static [&'static str]> {
    if key.starts_with("intent.") {
        return Some(&["shop"]);
    }
    REPLIES
        .iter()
        .find(|(known, _)| *known == key)
        .map(|(_, slots)| *slots)
}

/// A wording cut into its plain texts and its slots, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    Slot(&'a str),
}

/// `None` where a brace is left open.
pub fn pieces(wording: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = wording;
    while let Some((before, after)) = rest.split_once('{') {
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        let (slot, after) = after.split_once('}')?;
        pieces.push(Piece::Slot(slot));
        rest = after;
    }
    if rest.contains('}') {
        return None;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Some(pieces)
}

fn check_wording(file: &mut File<'_>, node: &crate::yaml::Node, wording: &str, slots: &[&str]) {
    if wording.chars().count() > WORDING_CHARS_MAX {
        file.wrong(
            node,
            "wording too long",
            format!("at most {WORDING_CHARS_MAX} characters"),
        );
    }
    let Some(pieces) = pieces(wording) else {
        file.wrong(node, "a brace is not closed", "write slots as {title}");
        return;
    };
    for piece in pieces {
        if let Piece::Slot(slot) = piece
            && !slots.contains(&slot)
        {
            let help = near(slot, slots.iter().copied()).map_or_else(
                || {
                    if slots.is_empty() {
                        "this reply has no slots".to_owned()
                    } else {
                        format!("this reply has: {}", slots.join(", "))
                    }
                },
                |right| format!("did you mean `{{{right}}}`?"),
            );
            file.wrong(node, format!("unknown slot `{{{slot}}}`"), help);
        }
    }
}
