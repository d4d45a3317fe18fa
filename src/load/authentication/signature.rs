//! Signing a request before it goes out.

use url::Position;

use super::choice::Source;
use super::{Authentication, Hop, Means};
use crate::body::Body;
use crate::credentials::{Algorithm, Asker, Outgoing, Proof, Signed, Signer};
use crate::error::{Error, ErrorKind};
use crate::random;
use crate::wire::Context;

/// As much as is read of a body at a time.
const PIECE: usize = 16 * 1024;

/// What went along with a request.
pub(super) enum Sent {
    /// What stood in the URL, by Basic, before the server has asked for anything.
    UserInfo,
    Signed(Box<SentSignature>),
}

pub(super) struct SentSignature {
    pub(super) signer: Signer,
    /// Checks the server's.
    pub(super) proof: Option<Proof>,
    pub(super) source: Source,
}

impl Authentication {
    /// Returns what the request says about who sends it, in this one sending.
    ///
    /// What answers a challenge comes first; then what the program has set itself, what
    /// stood in the URL, and what the server has accepted earlier.
    pub(in crate::load) fn sign(
        &mut self,
        hop: &Hop,
        means: &Means<'_>,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.sent = None;
        let mut hashed = None;
        if let Some(next) = &self.signer {
            // Whoever leaves the thread meanwhile signs later.
            let hash = next.0.body_hash().map(|algorithm| hash(hop, algorithm, means.context));
            hashed = hash.transpose()?;
        }
        if let Some((mut signer, source)) = self.signer.take().map(|signer| *signer) {
            let signed = signer.sign(&outgoing(hop, hashed.as_deref(), &random::digits()))?;
            return Ok(Some(self.signed(signed, signer, source)));
        }
        let may_be_unasked =
            !hop.has_crossed_origins && means.authenticator().has_accepted_something();
        if hop.user_info.is_none() && !may_be_unasked || hop.headers.contains("authorization") {
            return Ok(None);
        }
        if may_be_unasked && let Some((signed, signer)) = sign_unasked(hop, means)? {
            return Ok(Some(self.signed(signed, signer, Source::Accepted)));
        }
        let Some(user_info) = &hop.user_info else { return Ok(None) };
        self.sent = Some(Sent::UserInfo);
        Ok(Some(user_info.basic().into()))
    }

    fn signed(&mut self, signed: Signed, signer: Signer, source: Source) -> Vec<u8> {
        let Signed { value, proof } = signed;
        self.sent = Some(Sent::Signed(Box::new(SentSignature { signer, proof, source })));
        value
    }
}

/// Signs with an answer that the server has accepted earlier, of the user whom the URL
/// names if it does.
fn sign_unasked(hop: &Hop, means: &Means<'_>) -> Result<Option<(Signed, Signer)>, Error> {
    let asker = Asker::Server(&hop.url);
    let wanted = |signer: &Signer| {
        let (user, password) = (signer.credential().user(), signer.credential().password());
        hop.user_info.as_ref().is_none_or(|info| info.is_of(user, password))
    };
    let hashed = means
        .authenticator()
        .with_accepted(asker, |signer| wanted(signer).then(|| signer.body_hash()));
    let Some(algorithm) = hashed.flatten() else { return Ok(None) };
    if algorithm.is_some() && !hop.can_send_again() {
        return Ok(None);
    }
    let hash = algorithm.map(|algorithm| hash(hop, algorithm, means.context)).transpose()?;
    let cnonce = random::digits();
    let request = outgoing(hop, hash.as_deref(), &cnonce);
    // It may have become another one meanwhile.
    let signed = means.authenticator().with_accepted(asker, |signer| {
        let fits = wanted(signer) && signer.body_hash() == algorithm;
        let signed = fits.then(|| signer.sign(&request).ok()).flatten()?;
        Some((signed, signer.clone()))
    });
    Ok(signed.flatten())
}

/// Returns the hash of the hop's body, which is read for it from its beginning to its end.
fn hash(hop: &Hop, algorithm: Algorithm, context: &Context) -> Result<String, Error> {
    let mut hasher = algorithm.hasher();
    let Some(mut body) = hop.body.as_ref().map(Body::open).transpose()? else {
        return Ok(hasher.finish());
    };
    let mut piece = vec![0; PIECE];
    loop {
        // It may be long, or have no end.
        context.wait().look()?;
        match body.read(&mut piece)? {
            Some(0) => return Ok(hasher.finish()),
            Some(count) => hasher.update(&piece[..count]),
            // What cannot be sent again is not hashed; this has become a pipe since.
            None => {
                let detail = "a pipe cannot be read for a signature and then be sent";
                return Err(Error::new(ErrorKind::RequestBodyStreamExhausted, detail));
            }
        }
    }
}

fn outgoing<'a>(hop: &'a Hop, body_hash: Option<&'a str>, cnonce: &'a str) -> Outgoing<'a> {
    let target = &hop.url[Position::BeforePath..Position::AfterQuery];
    Outgoing { method: hop.method.as_str(), target, body_hash, cnonce }
}
