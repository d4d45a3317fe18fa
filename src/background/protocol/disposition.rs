//! [`Disposition`]: what is done about a challenge.

use serde_json::Value;

use super::credential;
use crate::background::form::{Fields, put, text};
use crate::credentials::{Challenge, Disposition};

pub(super) fn write(disposition: &Disposition) -> Value {
    let (name, given) = match disposition {
        Disposition::UseCredential(given) => ("use", Some(given)),
        Disposition::PerformDefaultHandling => ("default", None),
        Disposition::ContinueWithoutCredential => ("without", None),
        Disposition::Cancel => ("cancel", None),
        Disposition::RejectProtectionSpace => ("reject", None),
    };
    let mut fields = Fields::new();
    put(&mut fields, "do", Some(name));
    put(&mut fields, "credential", given.map(credential::write));
    fields.into()
}

/// Reads one, which answers this challenge. What is not understood, and a credential that cannot
/// be used, turns down what was offered: the default might send a password.
pub(super) fn read(value: &Value, asked: Option<Challenge>) -> Disposition {
    let understood = || {
        let fields = value.as_object()?;
        Some(match text(fields, "do")? {
            "use" => {
                let shown =
                    asked.as_ref().and_then(|asked| asked.protection_space().server_trust());
                Disposition::UseCredential(credential::read(fields.get("credential")?, shown)?)
            }
            "default" => Disposition::PerformDefaultHandling,
            "without" => Disposition::ContinueWithoutCredential,
            "cancel" => Disposition::Cancel,
            _ => return None,
        })
    };
    understood().unwrap_or(Disposition::RejectProtectionSpace)
}
