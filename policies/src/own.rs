//! The rules that belong to the code: no shop can delete or weaken them.

use crate::Rail;
use crate::pack::{Does, Kind, Pack, Rule};
use crate::yaml::Place;

/// The name that findings of these rules carry as their pack.
pub const NAME: &str = "tiansheng";

pub fn pack() -> Pack {
    Pack {
        name: NAME.to_owned(),
        file: NAME.to_owned(),
        rules: vec![
            rule(
                "no-card-number",
                Rail::Input,
                Kind::CardNumber,
                Does::Redact { replace: None },
                "A payment card number is never stored or read: PCI DSS 4.0 req. 3, PIPL art. 6.",
            ),
            rule(
                "no-id-number",
                Rail::Input,
                Kind::IdNumber,
                Does::Redact { replace: None },
                "A resident identity number is sensitive data that a sale does not need: PIPL art. 6 and 28.",
            ),
            rule(
                "no-bare-claim",
                Rail::Output,
                Kind::Claim { claims: Vec::new() },
                Does::Revise,
                "Prices, discounts, stock, dates, gifts and guarantees are written by code from evidence, never typed.",
            ),
            rule(
                "secrets-stay",
                Rail::Output,
                Kind::Phrases {
                    phrases: SECRETS.iter().map(|text| (*text).to_owned()).collect(),
                },
                Does::Block {
                    fallback: "refused".to_owned(),
                },
                "Instructions, scorecard and internal prices are the shop's own and are told to nobody.",
            ),
        ],
    }
}

/// What a reply says only if it tells a secret.
const SECRETS: &[&str] = &[
    "system prompt",
    "my prompt",
    "my instructions",
    "initial instructions",
    "hidden instructions",
    "developer message",
    "i was instructed to",
    "i am instructed to",
    "i've been instructed",
    "i have been instructed",
    "lead score",
    "lead grade",
    "scorecard",
    "scoring rules",
    "scoring rule",
    "grading rules",
    "your score is",
    "your grade is",
    "purchase cost",
    "our margin",
    "floor price",
    "wholesale cost",
    "cost price",
    "系统提示",
    "提示词",
    "系统指令",
    "我的指令",
    "我的设定",
    "初始设定",
    "内部规则",
    "我被设定",
    "我被要求",
    "评分规则",
    "评分卡",
    "打分规则",
    "线索评分",
    "线索等级",
    "客户评级",
    "您的得分",
    "你的得分",
    "进货价",
    "成本价",
    "底价",
    "毛利",
];

fn rule(id: &str, rail: Rail, kind: Kind, does: Does, reason: &str) -> Rule {
    Rule {
        id: id.to_owned(),
        at: Place::default(),
        rail,
        kind,
        does,
        enforced: true,
        reason: reason.to_owned(),
        languages: Vec::new(),
        unless: Vec::new(),
        unless_nearby: Vec::new(),
        bound: false,
    }
}
