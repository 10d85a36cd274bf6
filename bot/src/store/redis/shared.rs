//! What replicas have in common besides conversations: jobs of one holder, rates, pointers, facts that one of several keeps.

use super::Inner;
use super::hints::Told;
use super::link::Again;
use super::wire::broken;
use crate::store::{Pointer, Rate, Spent, StoreError};
use redis::FromRedisValue as _;

impl Inner {
    pub(super) async fn hold(
        &self,
        job: &str,
        holder: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> Result<Option<u64>, StoreError> {
        self.meet().await?;
        let key = self.keys.job(job);
        let answer = self
            .link
            .run(&self.scripts.hold, &key, 0, Again::Once, |command| {
                command.arg(1).arg(&key);
                command.arg(holder).arg(now_ms).arg(until_ms);
            })
            .await?;
        Ok(number(answer)?.filter(|token| *token > 0))
    }

    pub(super) async fn release(&self, job: &str, holder: &str) -> Result<(), StoreError> {
        self.meet().await?;
        let key = self.keys.job(job);
        self.link
            .run(&self.scripts.release, &key, 0, Again::Once, |command| {
                command.arg(1).arg(&key).arg(holder);
            })
            .await
            .map(|_| ())
    }

    pub(super) async fn replace(
        &self,
        key: &str,
        seen: Option<&str>,
        value: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> Result<bool, StoreError> {
        self.meet().await?;
        let key = self.keys.fact(key);
        let kept_ms = self.fact_kept_ms(until_ms);
        // Done twice, it answers as it did at first.
        let answer = self
            .link
            .run(&self.scripts.replace, &key, 0, Again::Once, |command| {
                command.arg(1).arg(&key);
                command.arg(u8::from(seen.is_some()));
                command.arg(seen.unwrap_or_default()).arg(value);
                command.arg(now_ms).arg(until_ms).arg(kept_ms);
            })
            .await?;
        Ok(number(answer)? == Some(1))
    }

    pub(super) async fn spend(
        &self,
        key: &str,
        rate: Rate,
        now_ms: i64,
    ) -> Result<Spent, StoreError> {
        self.meet().await?;
        let key = self.keys.rate(key);
        // Not sent again: one use would be counted twice.
        let answer = self
            .link
            .run(&self.scripts.spend, &key, 0, Again::Never, |command| {
                command.arg(1).arg(&key);
                command.arg(now_ms).arg(rate.every_ms).arg(rate.burst);
            })
            .await?;
        Ok(match number(answer)? {
            None | Some(0) => Spent::Allowed,
            Some(ms) => Spent::Wait { ms },
        })
    }

    pub(super) async fn pointer(&self, name: &str) -> Result<Option<Pointer>, StoreError> {
        self.meet().await?;
        let mut get = redis::cmd("HMGET");
        get.arg(self.keys.pointer(name)).arg("number").arg("to");
        let (number, to): (Option<u64>, Option<String>) = self.link.ask(&get).await?;
        Ok(number.zip(to).map(|(number, to)| Pointer { number, to }))
    }

    pub(super) async fn point(
        &self,
        name: &str,
        from: u64,
        to: &str,
    ) -> Result<Option<u64>, StoreError> {
        self.meet().await?;
        let key = self.keys.pointer(name);
        let answer = self
            .link
            .run(
                &self.scripts.point,
                &key,
                self.wait_replicas,
                Again::Never,
                |command| {
                    command.arg(1).arg(&key).arg(from).arg(to);
                    command.arg(self.keys.hints()).arg(&self.origin);
                },
            )
            .await?;
        let moved = number(answer)?.filter(|number| *number > 0);
        if moved.is_some() {
            self.hear(Told::Pointer);
        }
        Ok(moved)
    }
}

fn number(answer: redis::Value) -> Result<Option<u64>, StoreError> {
    Option::<u64>::from_redis_value(answer).map_err(|_| broken("answer"))
}
