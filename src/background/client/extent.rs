//! How much a task of a background session may say of itself.

use crate::background::form;
use crate::background::host::Settings;
use crate::background::job::Work;
use crate::error::Error;
use crate::request::Request;

/// How long the JSON of a request may be, and the description of its task with its place. Both go
/// to a daemon and come from it in one message, with all that becomes of the task, of which a
/// server may say 256 KiB more than once.
const MOST: usize = 128 * 1024;

/// Why a request is not taken, if it says too much.
pub(super) fn refusal(request: &Request) -> Option<Error> {
    let length = form::write_request(request, true).to_string().len();
    (length > MOST).then(|| too_long("its URL, its header fields and its key", length))
}

/// Why a task is not taken with these settings, if they say too much.
pub(super) fn refusal_of_settings(settings: &Settings) -> Option<Error> {
    let place = match &settings.work {
        Some(Work::Download { place: Some((place, _)), .. }) => place.as_os_str().len(),
        _ => 0,
    };
    let length = settings.description.as_ref().map_or(0, String::len) + place;
    (length > MOST).then(|| too_long("its description and its place", length))
}

fn too_long(what: &str, length: usize) -> Error {
    super::refused(&format!("{what} have {length} bytes, and {MOST} are the most"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Schedule;

    #[test]
    fn what_says_too_much_is_refused_in_words() {
        let request =
            |length: usize| Request::get("https://a.test/").header("X", "a".repeat(length));
        assert!(refusal(&request(MOST - 200)).is_none());
        let said = refusal(&request(MOST)).unwrap().to_string();
        assert!(said.contains("header fields") && said.contains("131072 are the most"), "{said}");
        let settings = |length: usize| Settings {
            work: None,
            description: Some("a".repeat(length)),
            priority: 0.5,
            schedule: Schedule::default(),
        };
        assert!(refusal_of_settings(&settings(MOST)).is_none());
        assert!(refusal_of_settings(&settings(MOST + 1)).is_some());
    }
}
