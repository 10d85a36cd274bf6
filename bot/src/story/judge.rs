//! Whether a turn is as a check says, and if not, what was expected and what was found.

use super::check::Check;
use super::seen::Seen;
use crate::shop::Shop;
use dialogs::Language;
use dialogs::text::fold;

type Differs = Option<(String, String)>;

impl Check {
    /// What was expected and what was found, where they differ.
    pub(super) fn failure(&self, seen: &Seen, shop: &Shop) -> Differs {
        let differs =
            |ok: bool, expected: String, found: String| (!ok).then_some((expected, found));
        let text = || seen.text.trim().to_owned();
        let shown = || listed(&seen.shown);
        match self {
            Check::Intent(name) => differs(
                seen.intents.contains(name),
                format!("intent {name}"),
                listed(&seen.intents),
            ),
            Check::Language(tag) => differs(
                seen.language.tag() == tag,
                format!("language {tag}"),
                seen.language.tag().to_owned(),
            ),
            Check::Slot(slot, values) => slot_failure(slot, values, seen, shop),
            Check::NoSlot(slot) => differs(
                !seen.slots.contains_key(slot),
                format!("slot {slot} empty"),
                listed(&seen.slot(slot)),
            ),
            Check::Shows(ids) => differs(
                ids.iter().all(|id| seen.shown.contains(id)),
                format!("shows {}", ids.join(", ")),
                shown(),
            ),
            Check::ShowsFirst(id) => differs(
                seen.shown.first() == Some(id),
                format!("shows {id} first"),
                shown(),
            ),
            Check::ShowsAny => differs(
                !seen.shown.is_empty(),
                "shows products".to_owned(),
                format!("none; says “{}”", text()),
            ),
            Check::ShowsNone => differs(
                seen.shown.is_empty(),
                "shows no products".to_owned(),
                shown(),
            ),
            Check::ShowsOnlyType(names) => type_failure(names, seen, shop),
            Check::NotShows(ids) => differs(
                !ids.iter().any(|id| seen.shown.contains(id)),
                format!("does not show {}", ids.join(", ")),
                shown(),
            ),
            Check::PriceMax(most) => {
                price_failure(seen, &format!("at most {most}"), |minor, unit| {
                    minor <= most.saturating_mul(unit)
                })
            }
            Check::PriceMin(least) => {
                price_failure(seen, &format!("at least {least}"), |minor, unit| {
                    minor >= least.saturating_mul(unit)
                })
            }
            Check::Why(words) => {
                let why: Vec<String> = seen
                    .goods
                    .iter()
                    .flat_map(|good| good.why.clone())
                    .collect();
                differs(
                    why.iter().any(|reason| reason.contains(words.as_str())),
                    format!("a reason with “{words}”"),
                    listed(&why),
                )
            }
            Check::Says(any) => differs(
                any.iter().any(|words| seen.text.contains(words.as_str())),
                format!("says {}", quoted(any)),
                text(),
            ),
            Check::NotSays(words) => differs(
                !seen.text.contains(words.as_str()),
                format!("does not say “{words}”"),
                text(),
            ),
            Check::Asks(any) => differs(
                seen.asked.as_ref().is_some_and(|asked| any.contains(asked)),
                format!("asks {}", any.join(" or ")),
                format!(
                    "{}; says “{}”",
                    seen.asked.as_deref().unwrap_or("nothing"),
                    text()
                ),
            ),
            Check::NotAsks(slot) => differs(
                seen.asked.as_ref() != Some(slot),
                format!("does not ask {slot}"),
                text(),
            ),
            Check::Choice(name) => {
                let offered: Vec<String> = seen
                    .choices
                    .iter()
                    .map(|choice| format!("{} ({})", choice.label, choice.id))
                    .collect();
                let there = seen
                    .choices
                    .iter()
                    .any(|choice| choice.label == *name || choice.id == *name);
                differs(there, format!("offers “{name}”"), listed(&offered))
            }
            Check::Source(name) => differs(
                seen.sources
                    .iter()
                    .any(|source| source.contains(name.as_str())),
                format!("an answer from {name}"),
                format!("{}; says “{}”", listed(&seen.sources), text()),
            ),
            Check::NoSource(name) => differs(
                !seen
                    .sources
                    .iter()
                    .any(|source| source.contains(name.as_str())),
                format!("nothing from {name}"),
                format!("{}; says “{}”", listed(&seen.sources), text()),
            ),
            Check::Grade(grade) => differs(
                seen.lead.grade == *grade,
                format!("grade {grade}"),
                graded(seen),
            ),
            Check::GradeAtLeast(least) => differs(
                shop.dialog.scorecard.reaches(&seen.lead.grade, least),
                format!("grade {least} or better"),
                graded(seen),
            ),
            Check::LeadNext(grade) => {
                let next = seen.lead.next.as_ref().map(|next| next.grade.clone());
                differs(
                    next.as_ref() == Some(grade),
                    format!("grade {grade} next"),
                    next.unwrap_or_else(|| "no better grade".to_owned()),
                )
            }
            Check::LeadReason(rule) => differs(
                seen.lead.reasons.iter().any(|point| point.rule == *rule),
                format!("points for {rule}"),
                graded(seen),
            ),
            Check::Quote(words) => differs(
                seen.lead
                    .reasons
                    .iter()
                    .any(|point| point.quote.contains(words.as_str())),
                format!("points with the words “{words}”"),
                graded(seen),
            ),
            Check::Handoff(any) => differs(
                seen.handoff
                    .as_ref()
                    .is_some_and(|reason| any.contains(reason)),
                format!("handoff {}", any.join(" or ")),
                format!(
                    "{}; says “{}”",
                    seen.handoff.as_deref().unwrap_or("none"),
                    text()
                ),
            ),
            Check::NoHandoff => differs(
                seen.handoff.is_none(),
                "no handoff".to_owned(),
                seen.handoff.clone().unwrap_or_default(),
            ),
            Check::Mode(mode) => differs(
                seen.mode == *mode,
                format!("mode {mode}"),
                seen.mode.clone(),
            ),
            Check::Guardrail(rule) => differs(
                seen.rules.contains(rule),
                format!("guardrail {rule}"),
                listed(&seen.rules),
            ),
            Check::Silent => differs(
                seen.text.is_empty() && seen.shown.is_empty(),
                "the bot is silent".to_owned(),
                text(),
            ),
            Check::OptedOut => differs(
                seen.opted_out,
                "no more messages of our own accord".to_owned(),
                "not opted out".to_owned(),
            ),
            // It loosens what always holds, and asks for nothing itself.
            Check::RepeatOk => None,
        }
    }
}

fn slot_failure(slot: &str, values: &[String], seen: &Seen, shop: &Shop) -> Differs {
    let found = seen.slot(slot);
    let held = |value: &String| found.iter().any(|f| same_value(slot, value, f, shop));
    let ok = if found.len() > 1 {
        values.iter().all(held)
    } else {
        values.iter().any(held)
    };
    (!ok).then(|| {
        (
            format!("slot {slot} = {}", values.join(" or ")),
            listed(&found),
        )
    })
}

/// `3000` is `3000.00 CNY`, and a product type may be named in either language.
fn same_value(slot: &str, expected: &str, found: &str, shop: &Shop) -> bool {
    if expected == found {
        return true;
    }
    if slot == "category" {
        let key = type_key(expected, shop);
        return key.is_some() && key == type_key(found, shop);
    }
    let amount = |text: &str| {
        text.split(' ')
            .next()
            .and_then(|amount| amount.parse::<f64>().ok())
    };
    let bare = expected.parse::<f64>().ok();
    bare.is_some() && bare == amount(found)
}

/// The key of a type that is called so by its key, by a name or by an alias.
fn type_key(name: &str, shop: &Shop) -> Option<String> {
    let wanted = fold(name);
    let by_name = |wanted: &str| {
        Language::ALL
            .into_iter()
            .flat_map(|language| shop.dialog.catalogue.types(language))
            .find(|(key, name)| key == wanted || fold(name) == wanted)
            .map(|(key, _)| key)
    };
    by_name(&wanted).or_else(|| {
        let aliases = &shop.dialog.profile.aliases;
        let (_, meant) = aliases.iter().find(|(alias, _)| fold(alias) == wanted)?;
        by_name(&fold(meant))
    })
}

fn type_failure(names: &[String], seen: &Seen, shop: &Shop) -> Differs {
    let expected = format!("only {}", names.join(" or "));
    let mut keys = Vec::new();
    for name in names {
        match type_key(name, shop) {
            Some(key) => keys.push(key),
            None => return Some((expected, format!("the shop has no type “{name}”"))),
        }
    }
    let other: Vec<String> = seen
        .shown
        .iter()
        .filter(|id| {
            let product = shop.dialog.catalogue.get(id);
            !product.is_some_and(|p| p.type_keys.iter().any(|key| keys.contains(key)))
        })
        .cloned()
        .collect();
    let ok = other.is_empty() && !seen.shown.is_empty();
    (!ok).then(|| {
        let found = if other.is_empty() {
            format!("no products; says “{}”", seen.text.trim())
        } else {
            format!("{} of {}", listed(&other), listed(&seen.shown))
        };
        (expected, found)
    })
}

fn price_failure(seen: &Seen, bound: &str, holds: impl Fn(i64, i64) -> bool) -> Differs {
    let broken: Vec<String> = seen
        .goods
        .iter()
        .filter(|good| {
            let unit = 10_i64.saturating_pow(good.price.currency.digits());
            !holds(good.price.minor, unit)
        })
        .map(|good| format!("{} ({})", good.id, good.price.amount()))
        .collect();
    let ok = broken.is_empty() && !seen.goods.is_empty();
    (!ok).then(|| {
        let found = if broken.is_empty() {
            format!("no products; says “{}”", seen.text.trim())
        } else {
            format!("{} of {}", listed(&broken), listed(&seen.shown))
        };
        (format!("products, all {bound}"), found)
    })
}

fn graded(seen: &Seen) -> String {
    let reasons: Vec<String> = seen
        .lead
        .reasons
        .iter()
        .map(|point| format!("{} {} “{}”", point.rule, point.points, point.quote))
        .collect();
    format!(
        "{} ({} points: {})",
        seen.lead.grade,
        seen.lead.score,
        listed(&reasons)
    )
}

fn quoted(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("“{text}”")).collect();
    quoted.join(" or ")
}

fn listed(items: &[String]) -> String {
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}
