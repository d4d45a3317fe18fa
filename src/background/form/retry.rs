//! What is tried again.

use serde_json::Value;

use super::{Fields, duration, exact, is_set, number, put, text};
use crate::retry::RetryPolicy;

pub(super) fn write(policy: &RetryPolicy) -> Value {
    let RetryPolicy {
        maximum_attempts,
        statuses,
        broken_connections,
        timeouts,
        forgets_after_progress,
        first_delay,
        growth,
        jitter,
        maximum_delay,
        maximum_retry_after,
    } = policy;
    let mut fields = Fields::new();
    put(&mut fields, "attempts", Some(*maximum_attempts));
    put(&mut fields, "statuses", Some(statuses.clone()));
    put(&mut fields, "broken-connections", Some(*broken_connections));
    put(&mut fields, "timeouts", Some(*timeouts));
    put(&mut fields, "forgets-after-progress", Some(*forgets_after_progress));
    put(&mut fields, "first-delay", Some(exact(*first_delay)));
    // As texts, which are read as they were written, whatever number it is.
    put(&mut fields, "growth", Some(growth.to_string()));
    put(&mut fields, "jitter", Some(jitter.to_string()));
    put(&mut fields, "maximum-delay", Some(exact(*maximum_delay)));
    put(&mut fields, "maximum-retry-after", Some(exact(*maximum_retry_after)));
    fields.into()
}

pub(super) fn read(value: &Value) -> Option<RetryPolicy> {
    let fields = value.as_object()?;
    let status = |value: &Value| u16::try_from(value.as_u64()?).ok();
    let mut policy = RetryPolicy::attempts(u32::try_from(number(fields, "attempts")?).ok()?);
    policy.statuses =
        fields.get("statuses")?.as_array()?.iter().map(status).collect::<Option<_>>()?;
    policy.broken_connections = is_set(fields, "broken-connections");
    policy.timeouts = is_set(fields, "timeouts");
    policy.forgets_after_progress = is_set(fields, "forgets-after-progress");
    policy.first_delay = duration(fields, "first-delay")?;
    policy.growth = text(fields, "growth")?.parse().ok()?;
    policy.jitter = text(fields, "jitter")?.parse().ok()?;
    policy.maximum_delay = duration(fields, "maximum-delay")?;
    policy.maximum_retry_after = duration(fields, "maximum-retry-after")?;
    Some(policy)
}
