//! Whether a file that lies there is the whole that was downloaded.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::answer::StartOver;
use super::entity::Entity;
use super::expected::Expected;
use crate::response::Response;

const PIECE: usize = 256 * 1024;

/// Returns why the file at `path` is not the whole: by the length and the digest that were
/// expected, or without both by the length that the last answer has told of. What nothing says
/// anything of is taken as it is.
///
/// # Errors
///
/// It cannot be read.
pub(crate) fn flaw(
    path: &Path,
    expected: &Expected,
    response: Option<&Response>,
) -> io::Result<Option<StartOver>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let told = || total(response?).filter(|_| expected.digest.is_none());
    if expected.length.or_else(told).is_some_and(|expected| expected != length) {
        return Ok(Some(StartOver::Lost));
    }
    // One for which there is no hash here was none that was compared before.
    let Some((digest, mut hasher)) =
        expected.digest.as_ref().and_then(|digest| Some((digest, digest.hasher().ok()?)))
    else {
        return Ok(None);
    };
    let mut buffer = vec![0; PIECE];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    Ok((!digest.is(&hasher.finish())).then_some(StartOver::WrongDigest))
}

/// Returns how long the whole is that an answer was of, if what lies in the file is as it was sent.
fn total(response: &Response) -> Option<u64> {
    let entity = Entity::of(response.headers(), response.expected_content_length());
    entity.total.filter(|_| entity.coding.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::download::Digest;
    use crate::headers::Headers;

    fn answer(status: u16, headers: &[(&str, &str)], length: Option<u64>) -> Response {
        let mut all = Headers::new();
        headers.iter().for_each(|(name, value)| all.add(name, value).unwrap());
        let status = http::StatusCode::from_u16(status).unwrap();
        let url = url::Url::parse("https://shop.test/film").unwrap();
        Response::new(url, (status, http::Version::HTTP_11), all, length, None)
    }

    #[test]
    fn a_file_is_whole_if_nothing_that_is_known_speaks_against_it() {
        let path = std::env::temp_dir().join(format!("urlsession-proof-{}", std::process::id()));
        std::fs::write(&path, "abc").unwrap();
        let of_length = |length| Expected { length: Some(length), digest: None };
        let of_digest = |digits: &str| {
            let digest = Some(Digest::sha256(digits).unwrap());
            Expected { length: None, digest }
        };
        let none = Expected::default();
        let whole = |length| answer(200, &[], Some(length));
        let part = answer(206, &[("Content-Range", "bytes 1-2/3")], Some(2));
        let longer = answer(206, &[("Content-Range", "bytes 1-3/4")], Some(3));
        let coded = answer(200, &[("Content-Encoding", "gzip")], Some(9));
        for (expected, response, flawed) in [
            (&none, None, None),
            (&none, Some(whole(3)), None),
            (&none, Some(whole(4)), Some(StartOver::Lost)),
            (&none, Some(part), None),
            (&none, Some(longer), Some(StartOver::Lost)),
            (&none, Some(coded), None),
            (&none, Some(answer(200, &[], None)), None),
            (&of_length(3), Some(whole(4)), None),
            (&of_length(2), Some(whole(3)), Some(StartOver::Lost)),
        ] {
            let found = flaw(&path, expected, response.as_ref()).unwrap();
            assert_eq!(found, flawed, "{expected:?} {response:?}");
        }
        if cfg!(any(feature = "tls", feature = "digest")) {
            let right = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
            assert_eq!(flaw(&path, &of_digest(right), None).unwrap(), None);
            let wrong = right.replace('b', "c");
            let found = flaw(&path, &of_digest(&wrong), None).unwrap();
            assert_eq!(found, Some(StartOver::WrongDigest));
        }
        std::fs::remove_file(&path).unwrap();
        assert!(flaw(&path, &none, None).is_err());
    }
}
