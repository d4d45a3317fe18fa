//! Fields as those of the crate `http`.

use super::{Headers, bytes_of};

impl From<&http::HeaderMap> for Headers {
    /// Values that are marked as sensitive there are hidden here.
    fn from(map: &http::HeaderMap) -> Self {
        let mut headers = Self::with_capacity(map.len(), 32 * map.len());
        for (name, value) in map {
            headers.push_bytes(name.as_str(), value.as_bytes());
            if let Some(line) = headers.lines.last_mut() {
                line.hidden = value.is_sensitive();
            }
        }
        headers
    }
}

impl From<&Headers> for http::HeaderMap {
    /// Names become lower-case, as that crate's names are; a field it cannot hold, which
    /// no field of a valid head is, is left out.
    fn from(headers: &Headers) -> Self {
        let mut map = Self::with_capacity(headers.len());
        for line in &headers.lines {
            let value = bytes_of(&headers.text[line.value()], line.latin1);
            let value = http::HeaderValue::from_bytes(&value);
            let name = http::HeaderName::from_bytes(headers.text[line.name()].as_bytes());
            if let (Ok(name), Ok(mut value)) = (name, value) {
                value.set_sensitive(line.hidden);
                // Fails for more fields than that crate can hold.
                let _ = map.try_append(name, value);
            }
        }
        map
    }
}
