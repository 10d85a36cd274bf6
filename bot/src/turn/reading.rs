//! The two steps that a model may help with: understanding and wording. Each falls back to its plain form in the same turn.

use super::{Log, Utterance};
use crate::model::LanguageModel;
use crate::shop::Shop;
use dialogs::calendar::Moment;
use dialogs::choice;
use dialogs::compose::{Block, Draft};
use dialogs::conversation::By;
use dialogs::event::Event;
use dialogs::model::{Completion, Prompt, understanding, wording};
use dialogs::nlu::{self, Date, Listening, Understanding};

/// The understanding of a burst, and whether it pressed a quick reply that no longer means anything.
pub(super) async fn understand(
    log: &mut Log,
    utterance: &Utterance,
    shop: &Shop,
    moment: &Moment,
    model: Option<&dyn LanguageModel>,
) -> (Understanding, bool) {
    let pressed = utterance
        .choice
        .clone()
        .or_else(|| choice::typed(&utterance.text, &log.conversation));
    if let Some(id) = pressed
        && (utterance.text.is_empty() || utterance.choice.is_none())
    {
        return match choice::understand(&id, &log.conversation) {
            Some(understanding) => (understanding, false),
            None => (listen(log, "", shop, moment), true),
        };
    }
    let plain = listen(log, &utterance.text, shop, moment);
    if utterance.text.is_empty() && utterance.choice.is_none() {
        // Of a file without words there is nothing to understand.
        return (plain, false);
    }
    let plain = match &utterance.choice {
        Some(id) => join(choice::understand(id, &log.conversation), plain),
        None => plain,
    };
    match model {
        Some(model) => (by_model(log, utterance, shop, model, plain).await, false),
        None => (plain, false),
    }
}

fn listen(log: &Log, text: &str, shop: &Shop, moment: &Moment) -> Understanding {
    let (year, month, day) = moment.day.civil();
    nlu::understand(
        text,
        &Listening {
            vocabulary: shop.dialog.catalogue.vocabulary(),
            classifier: &shop.dialog.classifier,
            currency: shop.dialog.profile.currency,
            today: Date {
                year: i32::try_from(year).unwrap_or(1970),
                month,
                day,
                weekday: moment.day.weekday(),
            },
            expected: log.conversation.asked.as_deref(),
            language: log.conversation.language,
        },
    )
}

/// A quick reply and words in one burst: both count, the words' language holds.
fn join(pressed: Option<Understanding>, mut said: Understanding) -> Understanding {
    if let Some(pressed) = pressed {
        said.intents.retain(|i| i.name != "out_of_scope");
        for intent in pressed.intents {
            if said.intents.iter().all(|other| other.name != intent.name) {
                said.intents.insert(0, intent);
            }
        }
        said.entities.extend(pressed.entities);
    }
    said
}

async fn by_model(
    log: &mut Log,
    utterance: &Utterance,
    shop: &Shop,
    model: &dyn LanguageModel,
    plain: Understanding,
) -> Understanding {
    let language = plain.language;
    let state = log.conversation.clone();
    let recent: Vec<(&str, &str)> = state
        .recent
        .iter()
        .filter(|u| u.turn < state.turn)
        .map(|u| {
            let by = if u.by == By::Customer {
                "customer"
            } else {
                "shop"
            };
            (by, u.text.as_str())
        })
        .collect();
    let slots: Vec<(String, String)> = state
        .slots
        .iter()
        .filter(|(slot, _)| !matches!(slot.as_str(), "phone" | "email" | "wechat"))
        .map(|(slot, filled)| (slot.clone(), filled.value.plain()))
        .collect();
    let intents: Vec<&str> = shop.dialog.intents.iter().map(String::as_str).collect();
    let types = shop.dialog.catalogue.types(language);
    let types: Vec<(&str, &str)> = types
        .iter()
        .map(|(key, name)| (key.as_str(), name.as_str()))
        .collect();
    let brands = shop.dialog.catalogue.brands();
    let brands: Vec<&str> = brands.iter().map(String::as_str).collect();
    let scene = understanding::Scene {
        text: &utterance.text,
        language,
        recent: &recent,
        slots: &slots,
        intents: &intents,
        types: &types,
        brands: &brands,
        expected: state.asked.as_deref(),
    };
    let prompt = understanding::ask(&scene);
    match completed(log, model, &prompt).await {
        Ok(answer) => match understanding::read(&answer, &scene, &plain) {
            Ok(read) => read,
            Err(unread) => {
                fell_back(log, prompt.step, unread.to_string());
                plain
            }
        },
        Err(why) => {
            fell_back(log, prompt.step, why);
            plain
        }
    }
}

/// Lets the model reword the draft's lines; slots, facts and order stay.
pub(super) async fn word(
    log: &mut Log,
    mut draft: Draft,
    said: &str,
    shop: &Shop,
    model: Option<&dyn LanguageModel>,
) -> Draft {
    let Some(model) = model else { return draft };
    let lines: Vec<String> = draft
        .blocks
        .iter()
        .filter_map(|block| match block {
            // What must be said word for word is not reworded.
            Block::Line(line) if line.key != "disclose" && !line.key.starts_with("handoff") => {
                Some(line.template.clone())
            }
            _ => None,
        })
        .collect();
    if lines.is_empty() {
        return draft;
    }
    let language = log.conversation.language;
    let voice = shop.dialog.profile.voice.in_language(language);
    let prompt = wording::ask(&lines, language, voice, said);
    let reworded = match completed(log, model, &prompt).await {
        Ok(answer) => wording::read(&answer, &lines, language).map_err(|e| e.to_string()),
        Err(why) => Err(why),
    };
    match reworded {
        Ok(reworded) => {
            let mut reworded = reworded.into_iter();
            for block in &mut draft.blocks {
                if let Block::Line(line) = block
                    && line.key != "disclose"
                    && !line.key.starts_with("handoff")
                    && let Some(text) = reworded.next()
                {
                    line.template = text;
                }
            }
        }
        Err(why) => fell_back(log, prompt.step, why),
    }
    draft
}

async fn completed(
    log: &mut Log,
    model: &dyn LanguageModel,
    prompt: &Prompt,
) -> Result<String, String> {
    let completion = model.complete(prompt).await;
    log.push(Event::Completed {
        step: prompt.step.to_owned(),
        completion: completion.clone(),
    });
    match completion {
        Completion::Answer { text } => Ok(text),
        Completion::Failed { reason } => Err(reason.to_string()),
    }
}

fn fell_back(log: &mut Log, step: &str, why: String) {
    tracing::warn!(step, why, "the model was of no use; the plain form is used");
    log.push(Event::FellBack {
        step: step.to_owned(),
        why,
    });
}
