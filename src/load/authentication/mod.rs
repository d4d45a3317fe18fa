//! Who a load says it is: credentials sent along, and answers to a 401.
//!
//! [`Authenticator`] is what a session knows, and [`Authentication`] what one of its loads
//! does about it. Before a request goes out it is signed: with the answer to the challenge
//! just before, with what stood in the URL, or with an answer that the server has accepted
//! earlier. After a 401 it is decided who answers what: the same credential with a new nonce,
//! the delegate, or the default.
//!
//! What is signed is one sending of a request, never the request: a redirect finds nothing
//! to carry along. After the first change of origin nothing is sent unasked any more, not
//! even back at the first origin, as a redirect of a stranger is no wish of the user's
//! (CVE-2024-45336 of Go's client).
//!
//! Nobody is asked, and no body is read, while the session's lock is held.

mod authenticator;
mod choice;
mod proof;
mod proposal;
mod refusal;
mod signature;

use std::collections::VecDeque;

use http::StatusCode;

use self::choice::{Choice, Source, choose};
use self::proposal::Proposal;
use self::refusal::{Refusal, refusal};
use self::signature::Sent;
use super::prepare::Hop;
use super::{Means, response_to};
use crate::credentials::{self, Asker, Challenge, Credential, Offer, ProtectionSpace, Signer};
use crate::error::Error;
use crate::log;
use crate::response::Response;
use crate::wire::{Question, WireResponse};

pub(crate) use self::authenticator::Authenticator;

/// How often a hop asks, or tries what it knows, before the response is delivered: a server
/// that changes its realm with every answer asks for ever.
const MOST_QUESTIONS: u32 = 10;

/// What a load does about who it is.
#[derive(Default)]
pub(super) struct Authentication {
    /// What the server has asked for just now.
    signer: Option<Box<(Signer, Source)>>,
    /// The answering of a 401 that was left.
    answering: Option<Box<Answering>>,
    /// What went along with the request that is under way.
    sent: Option<Sent>,
    /// What was turned down during the load.
    failed: Vec<(ProtectionSpace, Credential)>,
    /// What the program does not want to be asked about again.
    rejected: Vec<ProtectionSpace>,
    /// The program's own `Authorization` was there, and has been replaced.
    has_replaced_own: bool,
    /// Of this hop: how often somebody was asked, and whether a nonce was followed.
    questions: u32,
    has_renewed: bool,
}

impl Authentication {
    /// Begins another hop. What was turned down stays so.
    pub(super) fn redirected(&mut self) {
        (self.signer, self.sent) = (None, None);
        (self.questions, self.has_renewed) = (0, false);
    }

    /// Checks and keeps what the server thinks of what was sent, unless it asks again.
    #[inline]
    pub(super) fn keep(
        &mut self,
        hop: &Hop,
        response: WireResponse,
        means: &Means<'_>,
    ) -> Result<WireResponse, Error> {
        let is_open = |status| match status {
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => true,
            // Nobody has looked at what was sent yet.
            StatusCode::EXPECTATION_FAILED => hop.expects_leave(),
            _ => false,
        };
        match self.sent.take_if(|_| !is_open(response.head.status)) {
            Some(sent) => self.accepted(hop, sent, response, means),
            None => Ok(response),
        }
    }

    /// Answers a 401; returns whether the request is to be sent again, or the response
    /// is delivered.
    pub(super) fn answers(
        &mut self,
        hop: &mut Hop,
        response: &WireResponse,
        means: &Means<'_>,
    ) -> Result<bool, Error> {
        let mut answering = match self.answering.take() {
            Some(left) => left,
            None => Box::new(self.begin_to_answer(hop, response, means)),
        };
        let answered = self.go_on_answering(&mut answering, hop, response, means);
        if answered.as_ref().is_err_and(|error| means.context.leaves(error)) {
            self.answering = Some(answering);
        }
        answered
    }

    fn begin_to_answer(
        &mut self,
        hop: &Hop,
        response: &WireResponse,
        means: &Means<'_>,
    ) -> Answering {
        let offers = credentials::offers(&response.head.headers, Asker::Server(&hop.url));
        let found = self.renewed(hop, &offers, means);
        let turns = if found.is_none() { offers.len() } else { 0 };
        let turns = (0..turns).map(Turn::of).collect();
        Answering { offers, turns, is_default: false, found, body: Question::default() }
    }

    fn go_on_answering(
        &mut self,
        answering: &mut Answering,
        hop: &mut Hop,
        response: &WireResponse,
        means: &Means<'_>,
    ) -> Result<bool, Error> {
        if answering.found.is_none() {
            answering.found = self.answered(hop, &response_to(hop, response), answering, means)?;
        }
        if answering.found.is_none() {
            return Ok(false);
        }
        if !hop.rewind(&mut answering.body, means.context)? {
            log::debug!("a challenge asks for a body that cannot be sent again");
            return Ok(false);
        }
        let Some((mut signer, source)) = answering.found.take() else { return Ok(false) };
        means.authenticator().share_count(&mut signer);
        log::debug!("answering a challenge of {:?}", signer.space().method());
        self.has_replaced_own |= hop.headers.remove("authorization");
        self.signer = Some(Box::new((signer, source)));
        Ok(true)
    }

    /// Has the request say again who sends it, as it was not looked at. What is sent unasked is
    /// found again.
    pub(super) fn say_again(&mut self) {
        if let Some(Sent::Signed(sent)) = self.sent.take()
            && sent.source != Source::Accepted
        {
            self.signer = Some(Box::new((sent.signer, sent.source)));
        }
    }

    /// Whether what goes out next holds for the connection that it goes over.
    pub(super) fn binds_connection(&self) -> bool {
        self.signer.as_ref().is_some_and(|next| next.0.is_token())
    }

    /// Notes that what was sent was turned down; returns it again if it was only its nonce
    /// that is too old.
    fn renewed(
        &mut self,
        hop: &Hop,
        offers: &[Offer],
        means: &Means<'_>,
    ) -> Option<(Signer, Source)> {
        let (sent, source) = match self.sent.take()? {
            Sent::UserInfo => {
                self.user_info_failed(hop, offers);
                return None;
            }
            Sent::Signed(sent) => (sent.signer, sent.source),
        };
        match refusal(&sent, offers, self.has_renewed) {
            // What cannot be read ahead cannot be signed.
            Refusal::Renewed(renewed) if renewed.body_hash().is_some() && !hop.can_send_again() => {
                log::debug!("the new nonce asks for a signed body, which cannot be read ahead");
            }
            Refusal::Renewed(renewed) => {
                self.has_renewed = true;
                // What was accepted has to be kept with its new nonce.
                return Some((renewed, source.made_anew()));
            }
            Refusal::Failed => {
                means.authenticator().forget(&sent);
                self.failed.push((sent.space().clone(), sent.credential().clone()));
            }
            Refusal::None => {}
        }
        None
    }

    /// Decides what a response's offers are answered with, strongest first.
    ///
    /// An answer that does not fit turns its offer down, and the next one is asked about. Where
    /// nothing else is answered, what could be sent if it were written otherwise is asked for
    /// once more, with the reason.
    fn answered(
        &mut self,
        hop: &Hop,
        response: &Response,
        answering: &mut Answering,
        means: &Means<'_>,
    ) -> Result<Option<(Signer, Source)>, Error> {
        let Answering { offers, turns, is_default, .. } = answering;
        while let Some(turn) = turns.front_mut() {
            let (at, is_again) = (turn.offer, turn.wrong.is_some());
            let offer = &offers[at];
            let proposal = self.proposal(hop, offer, means);
            // What was asked about has had its turn before.
            let is_new = !is_again && !turn.question.is_open();
            if is_new && self.passes_over(hop, &proposal, *is_default) {
                turns.pop_front();
                continue;
            }
            let asked = self.ask(&proposal, response, turn, means)?;
            turns.pop_front();
            match asked {
                Asked::Answered(signer, source) => {
                    if is_again {
                        self.rejected.retain(|space| space != offer.space());
                    }
                    return Ok(Some((signer, source)));
                }
                Asked::GoesOn => return Ok(None),
                _ if is_again => {}
                Asked::Rejected => self.rejected.push(offer.space().clone()),
                Asked::Unfit(error, may_be_mended) => {
                    // Until then, the same space is not asked about under another name.
                    self.rejected.push(offer.space().clone());
                    let again = Turn { wrong: Some(error), ..Turn::of(at) };
                    turns.extend(may_be_mended.then_some(again));
                }
                // A token is nothing that the default could have.
                Asked::Default => *is_default |= !offer.needs_token(),
            }
        }
        Ok(None)
    }

    /// Whether an offer is not asked about, where there `is_default` for another one.
    fn passes_over(&self, hop: &Hop, proposal: &Proposal<'_>, is_default: bool) -> bool {
        let offer = proposal.offer;
        // What cannot be read ahead cannot be signed.
        let cannot_sign = offer.signs_body() && !hop.can_send_again();
        let has_no_use = is_default && proposal.usable.is_none();
        cannot_sign || has_no_use || self.rejected.contains(offer.space())
    }

    /// Asks about one offer, with what was wrong with an answer before if it was not the server
    /// that turned it down.
    fn ask(
        &mut self,
        proposal: &Proposal<'_>,
        response: &Response,
        turn: &mut Turn,
        means: &Means<'_>,
    ) -> Result<Asked, Error> {
        let offer = proposal.offer;
        if self.questions == MOST_QUESTIONS {
            return Ok(Asked::Default);
        }
        let mut challenge = Challenge::new(offer.space().clone())
            .proposing(proposal.shown.clone())
            .after_failures(self.failures(offer.space()))
            .with_token(offer.token())
            .asked_by(response.clone());
        if let Some(error) = &turn.wrong {
            challenge = challenge.failed_with(error.clone());
        }
        let answered = means.context.ask(challenge, &mut turn.question)?;
        self.questions += 1;
        let answered = answered.map(|answered| answered.disposition);
        let (credential, source) = match choose(answered, proposal.usable.as_ref()) {
            Choice::Use(credential, source) => (credential, source),
            Choice::Reject => return Ok(Asked::Rejected),
            Choice::GoOn => return Ok(Asked::GoesOn),
            Choice::Nothing => return Ok(Asked::Default),
            Choice::Cancel => return Err(Error::cancelled()),
        };
        let error = match offer.answer(&credential) {
            Ok(signer) => return Ok(Asked::Answered(signer, source)),
            Err(error) => error,
        };
        let method = offer.space().method();
        if source != Source::Delegate {
            log::debug!("the proposed credential is not used for {method:?}: {error}");
            return Ok(Asked::Default);
        }
        log::warn!("the answer to a challenge of {method:?} is not used: {error}");
        let may_be_mended = offer.takes(&credential);
        self.failed.push((offer.space().clone(), credential));
        Ok(Asked::Unfit(error, may_be_mended))
    }

    fn failures(&self, space: &ProtectionSpace) -> u32 {
        let count = self.failed.iter().filter(|(failed, _)| failed == space).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

/// How far the answering of one 401 has come.
struct Answering {
    offers: Vec<Offer>,
    /// Those that are still to be asked about.
    turns: VecDeque<Turn>,
    /// One of those that were has nothing but the default.
    is_default: bool,
    /// What answers.
    found: Option<(Signer, Source)>,
    /// Which body is sent with it.
    body: Question,
}

/// An offer that is asked about.
struct Turn {
    /// Which one it is.
    offer: usize,
    /// What was wrong with an answer to it.
    wrong: Option<Error>,
    question: Question,
}

impl Turn {
    fn of(offer: usize) -> Self {
        Self { offer, wrong: None, question: Question::default() }
    }
}

/// What came of a question.
enum Asked {
    Answered(Signer, Source),
    Rejected,
    /// Nobody is to be asked any more.
    GoesOn,
    /// The answer cannot be sent, for this reason; whether another one of its kind could be.
    Unfit(Error, bool),
    /// There is no answer, and no credential to use without one.
    Default,
}
