//! Two beside each other, the ends of what there is, and a price that is too high.

use super::{Act, Decider};
use crate::flow::known;
use crate::nlu::{Superlative, Value};

impl Decider<'_> {
    /// Too dear: said of what was shown it is an objection, before anything was shown a wish.
    pub(super) fn too_dear(&mut self, why: String) {
        let conversation = self.scene.conversation;
        if conversation.listed.is_empty() && conversation.focus.is_none() {
            let wanted = self.wanted();
            // The cheapest of all that is for an office is a paper cup.
            if wanted.category.is_some() || wanted.brand.is_some() {
                self.extreme(Superlative::Cheapest, why);
            } else {
                self.ask("category", why);
            }
        } else {
            let id = self.end_of_list(false);
            self.act(Act::EasePrice { id }, why);
        }
    }

    pub(super) fn compare(&mut self, why: String) {
        let mut pair = self.mentioned.clone();
        // “How does it compare with the Duo?”: with the one under discussion.
        if pair.len() == 1 {
            let focus = self.scene.conversation.focus.iter();
            pair.extend(focus.filter(|id| !self.mentioned.contains(id)).cloned());
        }
        let conversation = self.scene.conversation;
        // “Which dripper is better?”: drippers, whatever else lies on the table.
        let entities = &self.scene.understanding.entities;
        let kind = entities.iter().find_map(|entity| match &entity.value {
            Value::ProductType { key } if !entity.negated => Some(key.clone()),
            _ => None,
        });
        let catalogue = &self.scene.shop.catalogue;
        let is_named = |id: &str| {
            kind.as_ref()
                .is_none_or(|kind| catalogue.is_of_kind(id, kind))
        };
        // One card alone is compared with what was shown before it, where that is of its kind.
        for id in conversation
            .listed
            .iter()
            .chain(&conversation.listed_before)
        {
            let fits = pair.first().is_none_or(|first| self.is_of_kind(id, first));
            if pair.len() < 2 && !pair.contains(id) && fits && is_named(id) {
                pair.push(id.clone());
            }
        }
        match pair.as_slice() {
            [first, second, ..] => self.act(
                Act::Compare {
                    first: first.clone(),
                    second: second.clone(),
                },
                why,
            ),
            _ if self.scene.conversation.listed.is_empty() => self.recommend_or_ask(),
            [] if kind.is_some() => {
                let wanted = self.wanted();
                self.act(Act::Recommend { wanted }, why);
            }
            _ => {
                let wanted = String::new();
                self.act(Act::AskWhich { wanted }, why);
            }
        }
    }

    pub(super) fn extreme(&mut self, of: Superlative, why: String) {
        let mut wanted = self.wanted();
        if wanted.is_concrete() || known(self.scene.conversation, "category") {
            wanted.words.clear();
            self.act(Act::Extreme { of, wanted }, why);
        } else {
            self.ask("category", why);
        }
    }
}
