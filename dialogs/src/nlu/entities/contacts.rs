//! Who writes: addresses, numbers to call, the company, the name, the role.

use super::{Finder, pattern};
use crate::nlu::Value;
use regex::Regex;
use std::sync::LazyLock;

patterns! {
    EMAIL = r"[a-z0-9._%+-]+@[a-z0-9-]+(\.[a-z0-9-]+)+";
    SPOKEN_EMAIL = r"\b([a-z0-9._-]+) (?:at|\(at\)|\[at\]) ([a-z0-9-]+(?: (?:dot|\(dot\)|\[dot\]) [a-z0-9-]+)+)\b";
    PHONE = r"(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}|\+\d{1,3}[ -]?\(?\d{2,4}\)?(?:[ -]?\d{2,4}){2,3}|\(?\b0\d{2,3}\)?[ -]?\d{3,4}[ -]?\d{4}|\b400[ -]\d{3,4}[ -]\d{3,4}\b|\(\d{3}\) ?\d{3}[ -]\d{4}\b|\b\d{3}[ .-]\d{3}[ .-]\d{4}\b";
    WECHAT = r"(?:微信号?|wechat(?: id)?|weixin|wx|vx)((?:是|号|id|is|:|：| )*)([a-z][a-z0-9_-]{5,19})";
    COMPANY = r"(?:我是|我们是|来自|我在|公司叫|公司名叫|公司是|公司名是|我们公司叫)(?:做)?([^\s，。,！!？?是]{2,20}?(?:公司|集团|科技|咖啡馆|酒店|学校|工作室|医院|银行|大学|律所|餐厅))|\b(?:i am|i'm|we are|we're|this is) (?:\w+ )?from ([a-z0-9][a-z0-9&' .-]{1,40}?(?: (?:ltd|inc|gmbh|llc|corp|co|company))?)(?:[,.!?]|$| and )|\bi work (?:for|at) ([a-z0-9][a-z0-9&' -]{1,40}?)(?:[,.!?]|$| and | as )|\b(?:our|my) company (?:is called|is|name is) ([a-z0-9][a-z0-9&' -]{1,40}?)(?:[,.!?]|$| and )";
    NAME = r"(?:我叫|我姓|叫我)([\p{Han}]{1,4})|(?:my name is|my name's|call me) ([a-z][a-z'-]{1,20})";
    ROLE = r"(?:我是|我就是|我们是|本人是?|我在公司?做|我做|我负责|负责)(?:[\p{Han}a-z0-9]{0,12}?的|公司|这边的?|店里的?|一名|个|一个)?(采购经理|采购负责人|采购主管|采购|行政经理|行政主管|行政|办公室主任|老板娘|老板|店主|店长|创始人|总经理|经理|财务|人事|hr|前台|设计师|工程师|老师|教师|经销商|代理商|批发商|负责人|主管|总监|ceo|cto)|\b(?:i am|i'm|we are|we're|as) (?:(?:the|a|an|our|their) )?(?:\w+ )??(office manager|procurement manager|purchasing manager|store manager|shop manager|facility manager|facilities manager|general manager|operations manager|manager|owner|co-owner|founder|co-founder|buyer|purchaser|ceo|cto|cfo|accountant|assistant|director|reseller|distributor|designer|engineer|teacher)\b|\bi(?:'m| am| work) in (procurement|purchasing|admin|administration|finance|hr|facilities|operations|sales|marketing)\b|\bi (own|run|manage) (?:a|an|the|my|our) ";
}

/// Words after the name of the messenger that are no id.
const NO_ID: [&str; 8] = [
    "payment", "payments", "number", "please", "wechat", "support", "account", "instead",
];
/// After “call me” when and where to, which is no name: “call me at 139…”.
const NO_NAME: [&str; 17] = [
    "at", "on", "back", "when", "if", "in", "later", "please", "now", "today", "tomorrow",
    "tonight", "anytime", "asap", "after", "before", "again",
];
/// Where somebody works that is no company.
const NO_COMPANY: [&str; 13] = [
    "一家", "一个", "一间", "家", "个", "这家", "home", "a ", "an ", "the ", "my ", "myself",
    "china",
];

impl Finder<'_> {
    fn own(&self, start: usize, end: usize) -> String {
        self.folded
            .quote(self.message, start, end)
            .trim()
            .to_owned()
    }

    pub(super) fn contacts(&mut self) {
        let text = self.folded.text.clone();
        for hit in EMAIL.iter().flat_map(|p| p.find_iter(&text)) {
            let value = Value::Email {
                text: self.own(hit.start(), hit.end()),
            };
            self.add(hit.start(), hit.end(), value);
        }
        for groups in SPOKEN_EMAIL.iter().flat_map(|p| p.captures_iter(&text)) {
            let (Some(whole), Some(user), Some(host)) =
                (groups.get(0), groups.get(1), groups.get(2))
            else {
                continue;
            };
            let mut host = host.as_str().to_owned();
            for dot in [" dot ", " (dot) ", " [dot] "] {
                host = host.replace(dot, ".");
            }
            let text = format!("{}@{host}", user.as_str());
            self.add(whole.start(), whole.end(), Value::Email { text });
        }
        for hit in PHONE.iter().flat_map(|p| p.find_iter(&text)) {
            let digit = |c: char| c.is_ascii_digit();
            let longer = text.get(hit.end()..).is_some_and(|t| t.starts_with(digit))
                || text.get(..hit.start()).is_some_and(|t| t.ends_with(digit));
            if !longer {
                let value = Value::Phone {
                    text: self.own(hit.start(), hit.end()),
                };
                self.add(hit.start(), hit.end(), value);
            }
        }
        for groups in WECHAT.iter().flat_map(|p| p.captures_iter(&text)) {
            let (Some(said), Some(id)) = (groups.get(1), groups.get(2)) else {
                continue;
            };
            let told = said.as_str().trim().chars().next().is_some();
            let like_id = id.as_str().contains(|c: char| !c.is_ascii_lowercase());
            if (told || like_id) && !NO_ID.contains(&id.as_str()) {
                let value = Value::Wechat {
                    text: self.own(id.start(), id.end()),
                };
                self.add(id.start(), id.end(), value);
            }
        }
        self.people_told(&text);
    }

    fn people_told(&mut self, text: &str) {
        for groups in COMPANY.iter().flat_map(|p| p.captures_iter(text)) {
            let Some(hit) = groups.iter().skip(1).flatten().next() else {
                continue;
            };
            if !NO_COMPANY.iter().any(|word| hit.as_str().starts_with(word)) {
                let value = Value::Company {
                    text: self.own(hit.start(), hit.end()),
                };
                self.add(hit.start(), hit.end(), value);
            }
        }
        for groups in NAME.iter().flat_map(|p| p.captures_iter(text)) {
            let told = groups.iter().skip(1).flatten().next();
            if let Some(hit) = told.filter(|hit| !NO_NAME.contains(&hit.as_str())) {
                let value = Value::PersonName {
                    text: self.own(hit.start(), hit.end()),
                };
                self.add(hit.start(), hit.end(), value);
            }
        }
        for groups in ROLE.iter().flat_map(|p| p.captures_iter(text)) {
            if let Some(hit) = groups.iter().skip(1).flatten().next() {
                let role = match hit.as_str() {
                    "own" | "run" => "owner".to_owned(),
                    "manage" => "manager".to_owned(),
                    _ => self.own(hit.start(), hit.end()),
                };
                self.add(hit.start(), hit.end(), Value::Role { text: role });
            }
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
