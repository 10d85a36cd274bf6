//! What is asked of Telegram, by teloxide's typed client, and what each answer means for who asked.
//!
//! Errors of the client hold URLs with the bot's token, so none of them is ever shown: each becomes words of our own.

use super::ask::{Failed, ask};
use super::place::Whereabouts;
use super::render::{Piece, entities};
use crate::{Address, Receipt};
use serde::Serialize;
use teloxide_core::payloads::{
    SendChatActionSetters as _, SendMessageSetters as _, SendPhotoSetters as _,
};
use teloxide_core::requests::{
    HasPayload as _, JsonRequest, Payload, Request as _, Requester as _,
};
use teloxide_core::types::{
    ChatAction, ChatId, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, Me, Message,
    MessageId, ThreadId, WebhookInfo,
};
use teloxide_core::{ApiError, Bot, RequestError};

/// Longest reason of Telegram's that goes into a log, in characters.
const REASON_CHARS_MAX: usize = 200;
/// What Telegram may hold a poll open for, in seconds; the client gives a request 17.
const POLL_SECONDS: u32 = 10;
/// Updates of one poll.
const UPDATES_MAX: u8 = 100;
/// The kinds of updates that are asked for.
pub(super) const KINDS: [&str; 3] = ["message", "edited_message", "callback_query"];

/// `getUpdates` with its answer as Telegram wrote it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct GetUpdates {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    limit: u8,
    timeout: u32,
    allowed_updates: [&'static str; 3],
}

impl Payload for GetUpdates {
    type Output = Vec<serde_json::Value>;
    const NAME: &'static str = "GetUpdates";
}

pub(super) async fn updates(
    bot: &Bot,
    offset: Option<i64>,
) -> Result<Vec<serde_json::Value>, RequestError> {
    let payload = GetUpdates {
        offset,
        limit: UPDATES_MAX,
        timeout: POLL_SECONDS,
        allowed_updates: KINDS,
    };
    JsonRequest::new(bot.clone(), payload).send().await
}

pub(super) async fn me(bot: &Bot) -> Result<Me, RequestError> {
    bot.get_me().await
}

pub(super) async fn webhook(bot: &Bot) -> Result<WebhookInfo, RequestError> {
    bot.get_webhook_info().await
}

pub(super) async fn typing(bot: &Bot, at: Whereabouts) {
    let mut request = bot.send_chat_action(ChatId(at.chat), ChatAction::Typing);
    if let Some(topic) = at.topic {
        request = request.message_thread_id(thread(topic));
    }
    // Nobody waits for it, and the message itself says whether the chat is open.
    let _ = request.await;
}

fn thread(topic: i32) -> ThreadId {
    ThreadId(MessageId(topic))
}

pub(super) async fn answer_callback(bot: &Bot, id: &str) {
    // Too late is as good as done: Telegram has stopped showing the wait by itself.
    let id = teloxide_core::types::CallbackQueryId(id.to_owned());
    let _ = bot.answer_callback_query(id).await;
}

/// Sends one message. A picture that Telegram cannot use is sent as its text.
pub(super) async fn send(bot: &Bot, at: Whereabouts, piece: Piece) -> Result<Message, Failed> {
    let chat = ChatId(at.chat);
    let markup = InlineKeyboardMarkup::new(piece.keyboard.iter().map(|row| {
        row.iter()
            .map(|(label, data)| InlineKeyboardButton::callback(label.clone(), data.clone()))
            .collect::<Vec<_>>()
    }));
    let has_keyboard = !piece.keyboard.is_empty();
    let marks = entities(&piece.text);
    if let Some(photo) = piece.photo {
        let mut request = bot
            .send_photo(chat, InputFile::url(photo))
            .caption(piece.text.text.clone())
            .caption_entities(marks.clone());
        if has_keyboard {
            request = request.reply_markup(markup.clone());
        }
        if let Some(topic) = at.topic {
            request = request.message_thread_id(thread(topic));
        }
        match ask(bot, request.payload_ref()).await {
            Err(Failed::Told(RequestError::Api(error))) if is_about_the_picture(&error) => {}
            done => return done,
        }
    }
    let mut request = bot.send_message(chat, piece.text.text).entities(marks);
    if let Some(topic) = at.topic {
        request = request.message_thread_id(thread(topic));
    }
    if has_keyboard {
        request = request.reply_markup(markup);
    }
    ask(bot, request.payload_ref()).await
}

/// A refusal that the same words without the picture would not get.
fn is_about_the_picture(error: &ApiError) -> bool {
    match error {
        ApiError::WrongFileId
        | ApiError::WrongFileIdOrUrl
        | ApiError::FailedToGetUrlContent
        | ApiError::ImageProcessFailed
        | ApiError::PhotoAsInputFileRequired
        | ApiError::WrongHttpUrl
        | ApiError::FileIdInvalid
        | ApiError::RequestEntityTooLarge => true,
        ApiError::Unknown(told) => told.starts_with("Bad Request"),
        _ => false,
    }
}

/// What the sender does next; `place` names the address elsewhere in the same form.
pub(super) fn receipt(
    sent: Result<Message, Failed>,
    elsewhere: impl Fn(i64) -> Option<Address>,
) -> Receipt {
    let error = match sent {
        Ok(message) => {
            return Receipt::Sent {
                provider_id: message.id.0.to_string(),
            };
        }
        Err(Failed::Between) => return Receipt::TryAgain,
        Err(Failed::Told(error)) => error,
    };
    match error {
        RequestError::RetryAfter(wait) => Receipt::RetryAfter {
            wait_ms: u64::from(wait.seconds()) * 1000,
        },
        RequestError::MigrateToChatId(chat) => match elsewhere(chat.0) {
            Some(to) => Receipt::Moved { to },
            None => Receipt::Permanent {
                reason: "the group has moved to a place without an address".to_owned(),
            },
        },
        // Nothing can have been written where there was no connection.
        RequestError::Network(error) if error.is_connect() => Receipt::TryAgain,
        RequestError::Network(_) | RequestError::InvalidJson { .. } | RequestError::Io(_) => {
            Receipt::Unknown
        }
        RequestError::Api(error) => refused(&error),
    }
}

fn refused(error: &ApiError) -> Receipt {
    match error {
        ApiError::BotBlocked
        | ApiError::UserDeactivated
        | ApiError::BotKicked
        | ApiError::BotKickedFromSupergroup
        | ApiError::BotKickedFromChannel
        | ApiError::GroupDeactivated
        | ApiError::CantInitiateConversation
        | ApiError::CantTalkWithBots
        | ApiError::ChatNotFound => Receipt::Blocked,
        // A person has to give the right token; until then the message waits.
        ApiError::InvalidToken => Receipt::TryAgain,
        ApiError::Unknown(told) if told.starts_with("Forbidden") => Receipt::Blocked,
        ApiError::Unknown(told) if !told.starts_with("Bad Request") => Receipt::TryAgain,
        ApiError::Unknown(told) => Receipt::Permanent {
            reason: told.chars().take(REASON_CHARS_MAX).collect(),
        },
        known => Receipt::Permanent {
            reason: known.to_string().chars().take(REASON_CHARS_MAX).collect(),
        },
    }
}

/// What went wrong, in words without the token.
pub(super) fn told(error: &RequestError) -> String {
    match error {
        RequestError::Api(ApiError::InvalidToken) => "Telegram does not know the token".to_owned(),
        RequestError::Api(error) => error.to_string().chars().take(REASON_CHARS_MAX).collect(),
        RequestError::RetryAfter(wait) => format!("Telegram asks to wait {} s", wait.seconds()),
        RequestError::MigrateToChatId(_) => "the group has moved".to_owned(),
        RequestError::Network(error) if error.is_timeout() => "no answer in time".to_owned(),
        RequestError::Network(error) if error.is_connect() => "no connection".to_owned(),
        RequestError::Network(_) => "the connection broke off".to_owned(),
        RequestError::InvalidJson { .. } => "the answer is not the Bot API's".to_owned(),
        RequestError::Io(_) => "a file cannot be read".to_owned(),
    }
}
