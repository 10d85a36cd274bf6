//! What the bot is to Discord: its command, and what an operator should know of the connection.

use super::api::Failed;
use super::{Discord, interaction};
use crate::Check;
use serde::Deserialize;
use serde_json::{Value, json};
use serenity::model::gateway::BotGateway;
use serenity::model::permissions::Permissions;

/// Flags of an application: the Message Content intent, granted or on trial in few servers.
const MESSAGE_CONTENT_FLAGS: u64 = 1 << 18 | 1 << 19;
/// Fewer sessions left of a day's is a sign that something begins them again and again.
const STARTS_LOW: u64 = 100;

#[derive(Deserialize)]
struct Me {
    id: Value,
    username: Option<String>,
}

/// What the bot may do, each with its name in Discord's settings.
const NEEDED: [(Permissions, &str); 6] = [
    (Permissions::VIEW_CHANNEL, "View Channels"),
    (Permissions::SEND_MESSAGES, "Send Messages"),
    (
        Permissions::CREATE_PRIVATE_THREADS,
        "Create Private Threads",
    ),
    (
        Permissions::SEND_MESSAGES_IN_THREADS,
        "Send Messages in Threads",
    ),
    (Permissions::READ_MESSAGE_HISTORY, "Read Message History"),
    (Permissions::EMBED_LINKS, "Embed Links"),
];
/// Longest name of a server that is shown, in characters.
const NAME_CHARS_MAX: usize = 40;

/// A server that the bot is in, and what its roles let it do; single channels may allow less.
#[derive(Deserialize)]
struct Server {
    name: String,
    permissions: Permissions,
}

#[derive(Deserialize)]
struct Application {
    id: String,
    #[serde(default)]
    flags: u64,
    verify_key: Option<String>,
    interactions_endpoint_url: Option<String>,
}

impl Discord {
    /// The command is there as it should be, whoever registered it.
    pub(super) async fn registered(&self) -> Result<(), Failed> {
        let application: Application = self.api.get("applications/@me").await?;
        let path = format!("applications/{}/commands", application.id);
        let wanted = json!(interaction::command());
        // Its texts in other languages are told only where they are asked for.
        let there: Vec<Value> = self
            .api
            .get(&format!("{path}?with_localizations=true"))
            .await?;
        if !there.iter().any(|command| is_same(command, &wanted)) {
            // One of the same name is replaced.
            self.api.post(&path, &wanted).await?;
        }
        Ok(())
    }

    pub(super) async fn checked(&self) -> Vec<Check> {
        let me: Me = match self.api.get("users/@me").await {
            Ok(me) => me,
            Err(Failed::Token) => {
                return vec![Check::wrong(
                    Failed::Token.told(),
                    "reset the token on the Bot page of the Developer Portal and set channels.discord.token",
                )];
            }
            Err(failed) => {
                return vec![Check::wrong(
                    failed.told(),
                    "check channels.discord.api_url and that this machine reaches it",
                )];
            }
        };
        let name = me.username.unwrap_or_else(|| me.id.to_string());
        let mut found = vec![Check::fine(format!("the token is that of {name}"))];
        match self.api.get::<BotGateway>("gateway/bot").await {
            Ok(gateway) => found.push(connection(&gateway)),
            Err(failed) => found.push(Check::wrong(failed.told(), "try again")),
        }
        match self.api.get::<Application>("applications/@me").await {
            Ok(application) => {
                found.push(self.content(&application));
                found.push(self.endpoint(&application));
            }
            Err(failed) => found.push(Check::wrong(failed.told(), "try again")),
        }
        match self.api.get::<Vec<Server>>("users/@me/guilds").await {
            Ok(servers) => found.extend(servers.iter().map(allowed)),
            Err(failed) => found.push(Check::wrong(failed.told(), "try again")),
        }
        found
    }

    fn content(&self, application: &Application) -> Check {
        let is_allowed = application.flags & MESSAGE_CONTENT_FLAGS != 0;
        match (self.message_content, is_allowed) {
            (true, false) => Check::wrong(
                "the Message Content intent is asked for and not allowed, so the gateway refuses the bot",
                "switch it on under Bot - Privileged Gateway Intents in the Developer Portal, or set channels.discord.message_content to false",
            ),
            (true, true) => {
                Check::fine("what customers say in their threads is read also without a mention")
            }
            (false, _) => Check::fine(
                "direct messages, mentions, buttons and the command are read; in threads only what mentions the bot",
            ),
        }
    }

    fn endpoint(&self, application: &Application) -> Check {
        let url = application.interactions_endpoint_url.as_deref();
        let url = url.filter(|url| !url.is_empty());
        let is_ours = |key: &str| super::proof::key(key) == self.key;
        match (&self.key, url, &application.verify_key) {
            (Some(_), _, Some(theirs)) if !is_ours(theirs) => Check::wrong(
                "channels.discord.public_key is not this application's",
                "copy the Public Key from General Information in the Developer Portal",
            ),
            (None, Some(_), _) => Check::wrong(
                "Discord delivers interactions to an address, and nothing is taken without channels.discord.public_key",
                "set it, or remove the Interactions Endpoint URL in the Developer Portal",
            ),
            (Some(_), Some(url), _) if !url.ends_with("/webhooks/discord") => Check::wrong(
                "the Interactions Endpoint URL does not end in /webhooks/discord",
                "set it to https://YOUR.SHOP/webhooks/discord in the Developer Portal",
            ),
            (Some(_), Some(_), _) => Check::fine("buttons and the command come signed over HTTP"),
            (Some(_), None, _) => Check::fine(
                "buttons and the command come over the gateway; with the Interactions Endpoint URL they would come signed over HTTP",
            ),
            (None, None, _) => {
                Check::fine("no public key is set; buttons and the command come over the gateway")
            }
        }
    }
}

fn allowed(server: &Server) -> Check {
    let name: String = server.name.chars().take(NAME_CHARS_MAX).collect();
    let missing: Vec<&str> = NEEDED
        .iter()
        .filter(|(needed, _)| {
            !server.permissions.administrator() && !server.permissions.contains(*needed)
        })
        .map(|(_, name)| *name)
        .collect();
    match missing.is_empty() {
        true => Check::fine(format!(
            "in the server {name} the bot has the permissions that it needs"
        )),
        false => Check::wrong(
            format!("in the server {name} the bot lacks: {}", missing.join(", ")),
            "give them to the bot's role under Server Settings - Roles, or invite it again with them",
        ),
    }
}

fn connection(gateway: &BotGateway) -> Check {
    let starts = &gateway.session_start_limit;
    let state = format!(
        "the gateway answers; {} of {} sessions are left today",
        starts.remaining, starts.total
    );
    if gateway.shards > 1 {
        return Check::wrong(
            format!(
                "{state}; Discord advises {} connections, and one is made",
                gateway.shards
            ),
            "the bot is in many servers; leave those that are not the shop's",
        );
    }
    match starts.remaining {
        few if few < STARTS_LOW => Check::wrong(
            state,
            "see in the log why sessions end; Discord resets the token where all are used up",
        ),
        _ => Check::fine(state),
    }
}

/// Discord adds members of its own, and leaves out what says nothing.
fn is_same(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => wanted.iter().all(|(key, value)| {
            let says_nothing = value.is_null()
                || *value == json!(false)
                || *value == json!({})
                || *value == json!([]);
            match there.get(key) {
                Some(there) => is_same(there, value) || (says_nothing && there.is_null()),
                None => says_nothing || (key == "type" && *value == json!(1)),
            }
        }),
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() == wanted.len()
                && there
                    .iter()
                    .zip(wanted)
                    .all(|(there, wanted)| is_same(there, wanted))
        }
        (there, wanted) => there == wanted,
    }
}
