//! `tiansheng chat`: a conversation in the terminal, or one JSON object a line.

use super::{ChatArgs, Ended, Stop, load, now_ms, runtime, settings};
use crate::config::Overrides;
use crate::mail::RepAction;
use crate::model;
use crate::talk::{Talk, Word, line};
use adapters::Part;
use serde::Deserialize;
use serde_json::json;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// Longest line of input in bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;

pub(super) fn run(args: ChatArgs) -> Ended {
    let settings = settings(
        args.config.as_ref(),
        &Overrides {
            shop_dir: args.shop,
            ..Overrides::default()
        },
    )?;
    let (_, checked) = load(&settings)?;
    for problem in &checked.problems {
        eprintln!("{problem}");
    }
    let model = model::of(&settings).map_err(|e| Stop::Usage(e.to_string()))?;
    let mut talk = Talk::new(Arc::new(checked.shop), model);
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        if args.json {
            lines(&mut talk).await
        } else {
            terminal(&mut talk).await
        }
    });
    match ended {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // Whoever read our output has gone; there is nobody left to tell.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(Stop::Failed(error.to_string())),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    conversation: String,
    text: Option<String>,
    choice: Option<String>,
    rep: Option<String>,
    action: Option<String>,
    at: Option<String>,
}

enum Heard {
    Line(Vec<u8>),
    TooLong,
    End,
}

/// Reads one line; what is over the limit is thrown away up to the line's end.
fn next_line(input: &mut impl BufRead) -> std::io::Result<Heard> {
    let mut line = Vec::new();
    let read = input
        .by_ref()
        .take(LINE_BYTES_MAX + 1)
        .read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(Heard::End);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Heard::Line(line));
    }
    if line.len() as u64 <= LINE_BYTES_MAX {
        return Ok(Heard::Line(line));
    }
    loop {
        let available = input.fill_buf()?;
        if available.is_empty() {
            break;
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(available.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    Ok(Heard::TooLong)
}

async fn lines(talk: &mut Talk) -> std::io::Result<()> {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::stdout().lock();
    let mut number = 0_u64;
    loop {
        number += 1;
        let said = match next_line(&mut input)? {
            Heard::End => return Ok(()),
            Heard::TooLong => Err(format!("the line is longer than {LINE_BYTES_MAX} bytes")),
            Heard::Line(line) if line.iter().all(u8::is_ascii_whitespace) => continue,
            Heard::Line(line) => asked(&line),
        };
        let answer = match said {
            Ok((name, word, at_ms)) => match talk.turn(&name, word, at_ms).await {
                Ok(outcome) => line(&name, &outcome, talk.shop()),
                Err(error) => {
                    json!({"error": {"line": number, "message": format!("field `conversation`: {error}")}})
                }
            },
            Err(message) => json!({"error": {"line": number, "message": message}}),
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
}

fn asked(line: &[u8]) -> Result<(String, Word, i64), String> {
    let asked: Asked = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let at_ms = match &asked.at {
        None => now_ms(),
        Some(at) => at
            .parse::<jiff::Timestamp>()
            .map_err(|_| "field `at` is not a time such as 2026-11-23T09:00:00+08:00".to_owned())?
            .as_millisecond(),
    };
    let word = match (asked.text, asked.choice, asked.rep) {
        (Some(text), None, None) if text.trim().is_empty() => {
            return Err("field `text` is empty".to_owned());
        }
        (Some(text), None, None) => Word::Text(text),
        (None, Some(choice), None) => Word::Choice(choice),
        (said, None, Some(rep)) => {
            let action = match (asked.action.as_deref(), said) {
                (Some("take"), None) => RepAction::Take,
                (Some("hand_back"), None) => RepAction::HandBack,
                (Some("say"), Some(text)) => RepAction::Say { text },
                _ => {
                    return Err(
                        "field `action` of a rep is `take`, `hand_back`, or `say` with `text`"
                            .to_owned(),
                    );
                }
            };
            Word::Rep { rep, action }
        }
        (None, None, None) => return Err("field `text` or `choice` is missing".to_owned()),
        _ => return Err("give `text` or `choice`, not both".to_owned()),
    };
    Ok((asked.conversation, word, at_ms))
}

async fn terminal(talk: &mut Talk) -> std::io::Result<()> {
    let interactive = std::io::stdin().is_terminal();
    let mut input = std::io::stdin().lock();
    let mut output = std::io::stdout().lock();
    let profile = &talk.shop().dialog.profile;
    let name = profile
        .name
        .in_language(
            profile
                .languages
                .first()
                .copied()
                .unwrap_or(dialogs::Language::Zh),
        )
        .to_owned();
    writeln!(output, "{name} — /new, /rep take, /quit; 中文 or English")?;
    let mut conversation = 1_u32;
    loop {
        if interactive {
            write!(output, "\n> ")?;
            output.flush()?;
        }
        let text = match next_line(&mut input)? {
            Heard::End => return Ok(()),
            Heard::TooLong => {
                writeln!(output, "(a message has at most {LINE_BYTES_MAX} bytes)")?;
                continue;
            }
            Heard::Line(line) => String::from_utf8_lossy(&line).trim().to_owned(),
        };
        let word = match text.as_str() {
            "" => continue,
            "/quit" | "/exit" => return Ok(()),
            "/new" => {
                conversation += 1;
                writeln!(output, "(a new conversation)")?;
                continue;
            }
            command => match command.strip_prefix("/rep ") {
                Some("take") => rep(RepAction::Take),
                Some("back") => rep(RepAction::HandBack),
                Some(said) => match said.strip_prefix("say ") {
                    Some(text) => rep(RepAction::Say {
                        text: text.to_owned(),
                    }),
                    None => {
                        writeln!(output, "(/rep take, /rep say TEXT or /rep back)")?;
                        continue;
                    }
                },
                None => Word::Text(text),
            },
        };
        let outcome = talk
            .turn(&format!("c{conversation}"), word, now_ms())
            .await
            .map_err(std::io::Error::other)?;
        for outbound in &outcome.outbounds {
            match &outbound.body {
                adapters::OutboundBody::Reply(body) => write_body(&mut output, body)?,
                adapters::OutboundBody::Mode { mode } => writeln!(output, "  [{mode}]")?,
                adapters::OutboundBody::Read { .. } => {}
            }
        }
        output.flush()?;
    }
}

fn rep(action: RepAction) -> Word {
    Word::Rep {
        rep: "you".to_owned(),
        action,
    }
}

fn write_body(output: &mut impl Write, body: &adapters::Body) -> std::io::Result<()> {
    for part in &body.parts {
        match part {
            Part::Text { text } => writeln!(output, "  {}", text.replace('\n', "\n  "))?,
            Part::Products { products } => {
                for (at, card) in products.iter().enumerate() {
                    let sign = match card.price.currency.as_str() {
                        "CNY" => "¥".to_owned(),
                        "USD" => "$".to_owned(),
                        code => format!("{code} "),
                    };
                    let amount = card.price.amount.trim_end_matches(".00");
                    writeln!(output, "  {}. {}  {sign}{amount}", at + 1, card.title)?;
                    for why in &card.why {
                        writeln!(output, "       ✓ {why}")?;
                    }
                }
            }
            Part::Choices { choices, .. } => {
                let labels: Vec<&str> = choices.iter().map(|c| c.label.as_str()).collect();
                writeln!(output, "  [ {} ]", labels.join(" | "))?;
            }
        }
    }
    Ok(())
}
