//! Dialogue flows as data: what starts one, what it needs to know, and what it leads to.

use crate::Problem;
use crate::conversation::Conversation;
use crate::handoff::Reason;
use crate::yaml::{File, Node};

/// Flows of a shop.
pub const FLOWS_MAX: usize = 100;
/// Needs of one flow.
pub const NEEDS_MAX: usize = 20;

/// Slots that a flow may need; `contact` is any of phone, e-mail and WeChat.
pub const NEEDABLE: [&str; 9] = [
    "category",
    "budget_max",
    "people",
    "quantity",
    "deadline_days",
    "company",
    "name",
    "contact",
    "use",
];

#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    pub id: String,
    /// Intents that start it.
    pub start: Vec<String>,
    /// In the order in which they are asked.
    pub needs: Vec<Need>,
    pub then: Then,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    pub slot: String,
    pub only_when: OnlyWhen,
}

/// When a question is worth asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlyWhen {
    Always,
    /// More products fit than fit on one reply.
    Narrowing,
}

/// What happens when nothing is left to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Recommend,
    HandOff(Reason),
}

impl Flow {
    /// All that must be known is known.
    pub fn satisfied(&self, conversation: &Conversation) -> bool {
        self.needs
            .iter()
            .filter(|need| need.only_when == OnlyWhen::Always)
            .all(|need| known(conversation, &need.slot))
    }

    pub fn parse(name: &str, source: &str) -> (Vec<Flow>, Vec<Problem>) {
        let mut file = File::new(name);
        let mut flows = Vec::new();
        if let Some(root) = file.parse(source) {
            let fields = file.fields(&root, &["flows"]);
            if let Some(map) = fields.need(&mut file, "flows") {
                for (key, node) in file.map(map).iter().take(FLOWS_MAX) {
                    flows.extend(Flow::read(&mut file, &key.text, node));
                }
            }
        }
        (flows, file.problems)
    }

    fn read(file: &mut File<'_>, id: &str, node: &Node) -> Option<Flow> {
        let fields = file.fields(node, &["description", "start", "needs", "then"]);
        let start = fields.need(file, "start")?;
        let start = file.texts(start);
        let mut needs = Vec::new();
        if let Some(list) = fields.get("needs") {
            for node in file.list(list).iter().take(NEEDS_MAX) {
                let need = file.fields(node, &["slot", "only_when"]);
                let slot = need
                    .need(file, "slot")
                    .and_then(|slot| file.word(slot, &NEEDABLE.map(|name| (name, name))));
                let only_when = match need.get("only_when") {
                    Some(word) => file.word(
                        word,
                        &[
                            ("always", OnlyWhen::Always),
                            ("narrowing", OnlyWhen::Narrowing),
                        ],
                    ),
                    None => Some(OnlyWhen::Always),
                };
                if let (Some(slot), Some(only_when)) = (slot, only_when) {
                    needs.push(Need {
                        slot: slot.to_owned(),
                        only_when,
                    });
                }
            }
        }
        let then = fields.need(file, "then")?;
        let then = file.word(
            then,
            &[
                ("recommend", Then::Recommend),
                ("hand_off", Then::HandOff(Reason::QualifiedLead)),
            ],
        )?;
        Some(Flow {
            id: id.to_owned(),
            start,
            needs,
            then,
        })
    }
}

pub fn known(conversation: &Conversation, slot: &str) -> bool {
    match slot {
        // Which kind of several: any of them named is an answer.
        "kind" => false,
        "contact" => ["phone", "email", "wechat"]
            .iter()
            .any(|kind| conversation.slots.contains_key(*kind)),
        // How many people and how many pieces answer the same question of size.
        "people" | "quantity" => ["people", "quantity"]
            .iter()
            .any(|kind| conversation.slots.contains_key(*kind)),
        other => conversation.slots.contains_key(other),
    }
}
