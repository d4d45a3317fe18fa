//! What a server thinks of an answer: it takes it, and may prove that it knows the password
//! too (RFC 7616 §3.5).

use std::borrow::Cow;

use super::signature::{Sent, SentSignature};
use super::{Authentication, Hop, Means};
use crate::credentials::{Asker, Hasher, Proof, Proven};
use crate::error::{Error, ErrorKind, Stage};
use crate::log;
use crate::wire::{WireBody, WireResponse};

/// The nonce that the server wants next, and the proof that it came with.
type NextNonce = (Proof, Box<[u8]>);

impl Authentication {
    /// Keeps what was accepted, and checks the server's proof if it has one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadServerResponse`] for a proof that is missing or wrong, if the program
    /// requires one. Otherwise the server has acted on the request, and the response is worth
    /// more.
    pub(super) fn accepted(
        &self,
        hop: &Hop,
        sent: Sent,
        response: WireResponse,
        means: &Means<'_>,
    ) -> Result<WireResponse, Error> {
        let Sent::Signed(sent) = sent else { return Ok(response) };
        let SentSignature { signer, proof, source } = *sent;
        let asker = Asker::Server(&hop.url);
        let (response, next) = match proof {
            Some(proof) => proven(asker, proof, response, means)?,
            None => (response, None),
        };
        means.authenticator().keep(signer, source, asker, next);
        Ok(response)
    }
}

/// Checks the proof of a response; returns the nonce to use next, if it names one.
fn proven(
    asker: Asker<'_>,
    proof: Proof,
    mut response: WireResponse,
    means: &Means<'_>,
) -> Result<(WireResponse, Option<NextNonce>), Error> {
    let demand = Demand { requires: means.authenticator().requires_proof };
    let name = asker.info_field();
    let Some(info) = response.head.headers.get_bytes(name).map(Cow::into_owned) else {
        demand.unmet(|| format!("it sent no {name}"))?;
        return Ok((response, None));
    };
    let verified = proof.verify(&info, None);
    let proven = match verified.map_err(|error| error.at(Stage::WaitingForResponse)) {
        Ok(proven) => proven,
        // Nothing that it says is used, the next nonce neither.
        Err(error) => return demand.wrong(error).map(|()| (response, None)),
    };
    let next = Proof::next_nonce(&info).map(|nonce| (proof.clone(), nonce));
    match proven {
        Proven::Server => {}
        Proven::Nothing => demand.unmet(|| format!("its {name} has no proof"))?,
        Proven::OnceHashed(algorithm) => {
            let (body, hasher) = (response.body, Some(algorithm.hasher()));
            let mut proven = ProvenBody { body, hasher, proof, info, demand };
            // A body without a byte may never be read.
            if proven.remaining() == Some(0) {
                proven.check()?;
            }
            response.body = Box::new(proven);
        }
    }
    Ok((response, next))
}

/// What the program wants of servers.
#[derive(Clone, Copy)]
struct Demand {
    requires: bool,
}

impl Demand {
    /// There is no proof.
    fn unmet(self, why: impl FnOnce() -> String) -> Result<(), Error> {
        if !self.requires {
            return Ok(());
        }
        let why = why();
        let detail = format!(
            "the server does not prove that it knows the password, which requires_digest_proof \
             asks for: {why}"
        );
        Err(Error::new(ErrorKind::BadServerResponse, detail).at(Stage::WaitingForResponse))
    }

    /// There is one, and it is wrong.
    fn wrong(self, error: Error) -> Result<(), Error> {
        if self.requires {
            return Err(error);
        }
        log::warn!("a response is delivered whose sender is in doubt: {error}");
        Ok(())
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
    demand: Demand,
}

impl ProvenBody {
    fn check(&mut self) -> Result<(), Error> {
        let Some(hasher) = self.hasher.take() else { return Ok(()) };
        match self.proof.verify(&self.info, Some(&hasher.finish())) {
            Ok(_) => Ok(()),
            Err(error) => self.demand.wrong(error.at(Stage::Receiving)),
        }
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
