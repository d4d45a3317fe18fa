//! What a server thinks of an answer: it takes it, and may prove that it knows the password
//! too (RFC 7616 §3.5).

use std::borrow::Cow;

use super::signature::{Sent, SentSignature};
use super::{Authentication, Hop};
use crate::credentials::{Asker, Hasher, Proof, Proven};
use crate::error::{Error, Stage};
use crate::wire::{WireBody, WireResponse};

impl Authentication<'_> {
    /// Keeps what was accepted, and checks the server's proof if it has one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadServerResponse`](crate::ErrorKind::BadServerResponse) for a proof that
    /// is wrong: somebody else has answered.
    pub(super) fn accepted(
        &self,
        hop: &Hop,
        sent: Sent,
        mut response: WireResponse,
    ) -> Result<WireResponse, Error> {
        let Sent::Signed(sent) = sent else { return Ok(response) };
        let SentSignature { signer, proof, source } = *sent;
        let asker = Asker::Server(&hop.url);
        let info = response.head.headers.get_bytes(asker.info_field()).map(Cow::into_owned);
        let mut next = None;
        if let Some((info, proof)) = info.zip(proof) {
            let proven =
                proof.verify(&info, None).map_err(|error| error.at(Stage::WaitingForResponse))?;
            next = Proof::next_nonce(&info).map(|nonce| (proof.clone(), nonce));
            if let Proven::OnceHashed(algorithm) = proven {
                let body = response.body;
                let hasher = Some(algorithm.hasher());
                let mut proven = ProvenBody { body, hasher, proof, info };
                // A body without a byte may never be read.
                if proven.remaining() == Some(0) {
                    proven.check()?;
                }
                response.body = Box::new(proven);
            }
        }
        self.authenticator.keep(signer, source, asker, next);
        Ok(response)
    }
}

/// A body that is checked against the server's proof at its end.
///
/// Where the body breaks off, or nobody reads it to its end, nothing is checked.
struct ProvenBody {
    body: Box<dyn WireBody>,
    /// None once it was checked.
    hasher: Option<Hasher>,
    proof: Proof,
    info: Vec<u8>,
}

impl ProvenBody {
    fn check(&mut self) -> Result<(), Error> {
        let Some(hasher) = self.hasher.take() else { return Ok(()) };
        let verified = self.proof.verify(&self.info, Some(&hasher.finish()));
        verified.map(drop).map_err(|error| error.at(Stage::Receiving))
    }
}

impl WireBody for ProvenBody {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let count = self.body.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..count]);
        }
        // Whoever knows how much there is does not ask for more.
        if count == 0 || self.body.remaining() == Some(0) {
            self.check()?;
        }
        Ok(count)
    }

    fn remaining(&self) -> Option<u64> {
        self.body.remaining()
    }

    fn discard(self: Box<Self>) {
        self.body.discard();
    }
}
