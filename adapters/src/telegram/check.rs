//! What `doctor` finds at Telegram: whose token it is, and what the webhook lacks.

use super::{Mode, Telegram, client};
use crate::Check;
use teloxide_core::{ApiError, RequestError};
use url::Url;

/// Updates that wait without having been delivered: more is a sign that something is wrong.
const PENDING_MAX: u32 = 100;

impl Telegram {
    pub(super) async fn checked(&self) -> Vec<Check> {
        let me = match client::me(&self.bot).await {
            Ok(me) => me,
            Err(error @ RequestError::Api(ApiError::InvalidToken)) => {
                return vec![Check::wrong(
                    client::told(&error),
                    "take the token from @BotFather and set channels.telegram.token or token_file",
                )];
            }
            Err(error) => return vec![self.unreached(&error)],
        };
        let mut found = vec![Check::fine(format!(
            "the token is that of @{}",
            me.user.username.as_deref().unwrap_or("?")
        ))];
        match client::webhook(&self.bot).await {
            Ok(hook) => found.push(self.hook(&hook)),
            Err(error) => found.push(Check::wrong(client::told(&error), "try again")),
        }
        found
    }

    /// The host is named: the machine may reach the web and not this.
    fn unreached(&self, error: &RequestError) -> Check {
        let url = self.bot.api_url();
        let host = url.host_str().unwrap_or("?");
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        match error {
            RequestError::Network(_) | RequestError::InvalidJson { .. } => Check::wrong(
                match error {
                    RequestError::Network(error) if error.is_connect() => {
                        format!("no connection to {host}")
                    }
                    error => format!("{} from {host}", client::told(error)),
                },
                format!(
                    "see that this machine reaches {host} (name, firewall, proxy), or set channels.telegram.api_url to a Bot API server that it reaches"
                ),
            ),
            error => Check::wrong(client::told(error), "try again"),
        }
    }

    fn hook(&self, hook: &client::Webhook) -> Check {
        let Ok(url) = Url::parse(&hook.url) else {
            return match self.mode {
                Mode::Polling => Check::fine("no webhook is set, as polling needs it"),
                Mode::Webhook => Check::wrong(
                    "no webhook is set, so nothing arrives",
                    "call setWebhook with https://YOUR.SHOP/webhooks/telegram and the secret, or set channels.telegram.mode to polling",
                ),
            };
        };
        let host = url.host_str().unwrap_or("?");
        if self.mode == Mode::Polling {
            return Check::wrong(
                format!("a webhook is set at {host}, so polling is refused"),
                "call deleteWebhook, or set channels.telegram.mode to webhook",
            );
        }
        if url.path() != "/webhooks/telegram" {
            return Check::wrong(
                format!("the webhook at {host} has the path {}", url.path()),
                "call setWebhook with a URL that ends in /webhooks/telegram",
            );
        }
        let state = format!(
            "the webhook is at {host}; {} updates wait",
            hook.pending_update_count
        );
        let kinds = &hook.allowed_updates;
        let is_missing = |kind: &&str| !kinds.is_empty() && !kinds.iter().any(|it| it == kind);
        let missing: Vec<&str> = client::KINDS.into_iter().filter(is_missing).collect();
        match &hook.last_error_message {
            _ if !missing.is_empty() => Check::wrong(
                format!("{state}; it is not sent {}", missing.join(", ")),
                format!(
                    "call setWebhook again with allowed_updates of {}, or with an empty list",
                    client::KINDS.join(", ")
                ),
            ),
            Some(error) if hook.pending_update_count > 0 => Check::wrong(
                format!("{state}; Telegram was last told: {error}"),
                "401 means another secret here than at setWebhook; else see whether the URL is reachable from outside",
            ),
            _ if hook.pending_update_count > PENDING_MAX => Check::wrong(
                state,
                "see whether the URL is reachable and the server keeps up",
            ),
            _ => Check::fine(state),
        }
    }
}
