//! [`Hello`] and [`Welcome`], which every version understands.

use serde_json::Value;

use super::message::{message, parts};
use super::{Hello, Welcome};
use crate::background::form::{Fields, number, put, text};

const HELLO: &str = "hello";
const WELCOME: &str = "welcome";

impl Hello {
    pub(in crate::background) fn to_json(&self) -> Value {
        message(HELLO, |fields| {
            put(fields, "oldest", Some(self.oldest));
            put(fields, "newest", Some(self.newest));
            put(fields, "release", Some(&*self.release));
        })
    }

    pub(in crate::background) fn from_json(value: &Value) -> Option<Self> {
        let (HELLO, fields) = parts(value)? else { return None };
        Some(Self {
            oldest: read(fields, "oldest")?,
            newest: read(fields, "newest")?,
            release: text(fields, "release")?.to_owned(),
        })
    }
}

impl Welcome {
    pub(in crate::background) fn to_json(&self) -> Value {
        message(WELCOME, |fields| {
            put(fields, "protocol", Some(self.protocol));
            put(fields, "release", Some(&*self.release));
            put(fields, "process", Some(self.process));
        })
    }

    pub(in crate::background) fn from_json(value: &Value) -> Option<Self> {
        let (WELCOME, fields) = parts(value)? else { return None };
        Some(Self {
            protocol: read(fields, "protocol")?,
            release: text(fields, "release")?.to_owned(),
            process: read(fields, "process")?,
        })
    }
}

fn read(fields: &Fields, name: &str) -> Option<u32> {
    u32::try_from(number(fields, name)?).ok()
}
