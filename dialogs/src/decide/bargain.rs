//! Bargaining: what is bargained with, what is on sale, and what a colleague said of a price.

use super::act::Bargain;
use super::{Act, Decider};
use crate::conversation::{By, Utterance};
use crate::cue::Cue;

/// Cues of bargains; the first that is found counts.
const BARGAINS: [(Cue, Bargain); 5] = [
    (Cue::PriceLater, Bargain::Later),
    (Cue::Freebie, Bargain::Freebie),
    (Cue::OfAGroup, Bargain::Group),
    (Cue::SeveralPieces, Bargain::Several),
    (Cue::Lowest, Bargain::Lowest),
];
/// Characters after a colleague within which they are said to have said something.
const SAID_WITHIN_CHARS: usize = 18;
/// Characters of a colleague's words that are quoted.
const QUOTED_CHARS_MAX: usize = 200;

/// A digit, or a share as Chinese shops say it.
fn has_figure(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit()) || text.contains('折')
}

impl Decider<'_> {
    pub(super) fn discount(&mut self, target: Option<String>, why: String) {
        if self.asks_of_a_colleague() {
            self.colleague_said(why);
            return;
        }
        let with = BARGAINS
            .into_iter()
            .find(|(cue, _)| cue.is_in(&self.words))
            .map(|(_, bargain)| bargain);
        // “What is on sale?” asks of all goods, whatever was looked at; “any discount on beans?” of those.
        let of_goods = Cue::Offers.is_in(&self.words) || self.names_kind();
        if with.is_none() && self.mentioned.is_empty() && of_goods {
            let wanted = self.wanted().without_words();
            self.act(Act::Offers { wanted }, why);
            return;
        }
        // “Any loyalty points?” is something that pages tell.
        if with == Some(Bargain::Group) && self.is_in_the_knowledge() {
            self.know(why);
            return;
        }
        self.act(Act::Discount { id: target, with }, why);
    }

    /// “What was the price your colleague told me?”
    pub(super) fn asks_of_a_colleague(&self) -> bool {
        Cue::OfAColleague.words(&self.words).any(|(at, who)| {
            let after = self.words.get(at + who.len()..).unwrap_or_default();
            let near: String = after.chars().take(SAID_WITHIN_CHARS).collect();
            Cue::OfWordsSaid.is_in(&near)
        })
    }

    /// Their own words where they stand here; what is said of words from elsewhere is neither confirmed nor denied.
    pub(super) fn colleague_said(&mut self, why: String) {
        // Of what they wrote, what has a figure in it: a price, a share, a day.
        let with_figure = self.of_colleagues().find(|heard| has_figure(&heard.text));
        match with_figure.or_else(|| self.of_colleagues().next()) {
            Some(said) => {
                let words = said.text.chars().take(QUOTED_CHARS_MAX).collect();
                self.act(Act::ColleagueSaid { words }, why);
            }
            None => self.act(Act::ColleagueUnheard, why),
        }
    }

    /// What colleagues wrote here, the newest first.
    fn of_colleagues(&self) -> impl Iterator<Item = &Utterance> {
        let recent = &self.scene.conversation.recent;
        recent.iter().rev().filter(|heard| heard.by == By::Rep)
    }

    pub(super) fn colleague_named_a_figure(&self) -> bool {
        self.of_colleagues().any(|heard| has_figure(&heard.text))
    }
}
