//! A command or a pressed button as Discord writes it, read into what a customer did and the answer that Discord wants within three seconds.

use super::message::{User, milliseconds};
use super::place::{Place, Whose};
use crate::render::TOKEN_MARK;
use crate::{Arrival, Inbound, InboundBody};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serenity::builder::{
    CreateAllowedMentions, CreateCommand, CreateCommandOption, CreateInteractionResponse,
    CreateInteractionResponseMessage,
};
use serenity::model::application::{CommandOptionType, InstallationContext, InteractionContext};
use serenity::model::id::{ChannelId, GuildId, InteractionId, UserId};

/// The one command; its name means nothing in particular in any trade.
pub(super) const COMMAND: &str = "shop";
/// Longest text that may be typed beside the command, in characters.
const TEXT_CHARS_MAX: u16 = 1000;

/// Kinds of interactions.
const PING: u8 = 1;
const COMMANDED: u8 = 2;
const PRESSED: u8 = 3;
const COMPLETE: u8 = 4;
/// A channel is a thread: public of either kind, or private.
const THREADS: [u8; 3] = [10, 11, 12];

#[derive(Deserialize)]
struct Interaction {
    id: InteractionId,
    r#type: u8,
    token: String,
    data: Option<Data>,
    channel_id: Option<ChannelId>,
    channel: Option<Channel>,
    guild_id: Option<GuildId>,
    member: Option<Member>,
    user: Option<User>,
    locale: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    custom_id: Option<String>,
    #[serde(default)]
    values: Vec<String>,
    name: Option<String>,
    #[serde(default)]
    options: Vec<Chosen>,
}

impl Data {
    /// What was written beside the command.
    fn words(&self) -> &str {
        let chosen = self.options.first().and_then(|it| it.value.as_ref());
        chosen.and_then(Value::as_str).unwrap_or_default().trim()
    }
}

#[derive(Deserialize)]
struct Chosen {
    value: Option<Value>,
}

#[derive(Deserialize)]
struct Channel {
    r#type: u8,
    parent_id: Option<ChannelId>,
}

#[derive(Deserialize)]
struct Member {
    user: User,
}

/// How an interaction is answered over the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Callback {
    pub id: String,
    pub token: String,
    pub response: Value,
}

/// What an interaction comes to.
#[derive(Debug)]
pub(super) struct Read {
    pub arrival: Option<Arrival>,
    /// Whose it is.
    pub customer: Option<UserId>,
    pub callback: Callback,
}

impl Read {
    /// The place that it is for, if it is for anybody.
    pub(super) fn place(&self) -> Option<Place> {
        match &self.arrival {
            Some(Arrival::Said(inbound) | Arrival::Pressed(inbound)) => {
                inbound.address.place().parse().ok()
            }
            _ => None,
        }
    }
}

/// `in_channel` tells who is answered in the channel, where that is known.
pub(super) fn read(payload: &Value, in_channel: Option<Whose>) -> Result<Read, String> {
    let interaction = Interaction::deserialize(payload)
        .map_err(|_| "an interaction is not as the API describes it".to_owned())?;
    let response = response(&interaction);
    let arrival = body(&interaction).and_then(|body| {
        let is_token = matches!(&body, InboundBody::Choice(id) if id.starts_with(TOKEN_MARK));
        let inbound = Inbound {
            address: place(&interaction, in_channel)?.address()?,
            event_id: interaction.id.to_string(),
            // Its id was made when it was pressed, by the platform's clock.
            sent_at_ms: milliseconds(interaction.id.created_at()),
            body,
        };
        Some(match is_token {
            true => Arrival::Pressed(inbound),
            false => Arrival::Said(inbound),
        })
    });
    let mut response = serde_json::to_value(response)
        .map_err(|_| "the answer to an interaction has no JSON form".to_owned())?;
    if let Some(members) = response.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    Ok(Read {
        arrival,
        customer: user(&interaction).map(|user| user.id),
        callback: Callback {
            id: interaction.id.to_string(),
            token: interaction.token,
            response,
        },
    })
}

/// The channel that an interaction was made in.
pub(super) fn channel(payload: &Value) -> Option<ChannelId> {
    payload.get("channel_id")?.as_str()?.parse().ok()
}

/// The Developer Portal asks whether the address answers.
pub(super) fn is_ping(payload: &Value) -> bool {
    payload.get("type").and_then(Value::as_u64) == Some(u64::from(PING))
}

pub(super) fn pong() -> Value {
    json!({"type": PING})
}

fn place(interaction: &Interaction, in_channel: Option<Whose>) -> Option<Place> {
    let user = user(interaction)?;
    let channel = interaction.channel_id?;
    if let Some(whose) = in_channel
        && whose.customer == Some(user.id)
    {
        return Some(whose.place);
    }
    if interaction.guild_id.is_none() {
        return Some(Place::direct(channel));
    }
    let of_thread = interaction
        .channel
        .as_ref()
        .filter(|channel| THREADS.contains(&channel.r#type))
        .and_then(|channel| channel.parent_id);
    Some(Place::of(of_thread.unwrap_or(channel), user.id))
}

fn user(interaction: &Interaction) -> Option<&User> {
    let member = interaction.member.as_ref().map(|member| &member.user);
    member
        .or(interaction.user.as_ref())
        .filter(|user| !user.bot)
}

fn body(interaction: &Interaction) -> Option<InboundBody> {
    let data = interaction.data.as_ref()?;
    match interaction.r#type {
        COMMANDED if data.name.as_deref() == Some(COMMAND) => Some(match data.words() {
            "" => InboundBody::Choice(format!("start:{}", language(interaction))),
            text => InboundBody::Text(text.to_owned()),
        }),
        PRESSED => {
            let id = data.values.first().or(data.custom_id.as_ref())?;
            Some(InboundBody::Choice(id.clone()))
        }
        _ => None,
    }
}

/// The answer comes in the language of what was written; who sets Discord to English may write in Chinese all the same.
fn language(interaction: &Interaction) -> &'static str {
    let words = interaction.data.as_ref().map_or("", Data::words);
    if words
        .chars()
        .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    {
        return "zh";
    }
    match interaction.locale.as_deref() {
        Some(locale) if locale.starts_with("zh") => "zh",
        Some(_) => "en",
        None => "",
    }
}

/// A press is acknowledged and nothing changes; a command is answered by a word that only the customer sees. What the shop says follows as messages of its own.
fn response(interaction: &Interaction) -> CreateInteractionResponse {
    if interaction.r#type == COMPLETE {
        return CreateInteractionResponse::Autocomplete(Default::default());
    }
    if interaction.r#type != COMMANDED {
        return CreateInteractionResponse::Acknowledge;
    }
    let said = match (interaction.guild_id.is_some(), language(interaction)) {
        (true, "zh") => "收到。我会在一个只有您能看到的子区里回复您。",
        (true, _) => "Got it. I'll answer in a thread that only you can see.",
        (false, "zh") => "收到，请稍候。",
        (false, _) => "Got it, one moment.",
    };
    CreateInteractionResponse::Message(
        CreateInteractionResponseMessage::new()
            .content(said)
            .allowed_mentions(CreateAllowedMentions::new())
            .ephemeral(true),
    )
}

/// The command as it is registered, in servers and in direct messages.
pub(super) fn command() -> CreateCommand {
    CreateCommand::new(COMMAND)
        .description("Ask the shop")
        .description_localized("zh-CN", "咨询本店")
        .description_localized("zh-TW", "諮詢本店")
        .contexts(vec![InteractionContext::Guild, InteractionContext::BotDm])
        .integration_types(vec![InstallationContext::Guild])
        .add_option(
            CreateCommandOption::new(
                CommandOptionType::String,
                "text",
                "What you would like to know",
            )
            .description_localized("zh-CN", "您想了解什么")
            .description_localized("zh-TW", "您想瞭解什麼")
            .max_length(TEXT_CHARS_MAX)
            .required(false),
        )
}
