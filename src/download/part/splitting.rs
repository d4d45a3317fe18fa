//! Downloads that come in several parts at once.

use std::sync::Arc;

use http::StatusCode;

use super::Part;
use crate::download::shares::{LEAST, Shares};
use crate::download::sink::Parts;
use crate::download::split::{Joined, Keeper, Kept, SplitFile};
use crate::error::Error;
use crate::headers::Headers;
use crate::response::Response;

/// Whether a server says that it answers requests for parts (RFC 9110 §14.3).
fn accepts_ranges(headers: &Headers) -> bool {
    let mut units = headers.get_all("accept-ranges").flat_map(|value| value.split(','));
    units.any(|unit| unit.trim().eq_ignore_ascii_case("bytes"))
}

impl Part {
    /// Notes whether other parts of what an answer is about can be asked for: if it proves that
    /// they would fit, and that the server sends them.
    pub(super) fn learn_of_parts(&mut self, response: &Response) {
        self.comes_in_parts = false;
        if self.segments < 2 {
            return;
        }
        let sends_parts =
            response.status() == StatusCode::PARTIAL_CONTENT || accepts_ranges(response.headers());
        let is_proven = self.entity.total.is_some() && self.entity.validator().is_some();
        self.comes_in_parts = self.has_parts && sends_parts && is_proven;
    }

    /// Has it written by several at once, if it comes in parts and more than one is worth it.
    /// Begins with what comes by the answer that is there, if it `has_body` still.
    pub(super) fn begin_split(&mut self, has_body: bool) -> Result<Option<Parts>, Error> {
        let total = self.entity.total.filter(|_| self.comes_in_parts);
        let Some(total) = total.filter(|total| total.saturating_sub(self.count()) >= 2 * LEAST)
        else {
            return Ok(None);
        };
        let received = self.received();
        let mut there = self.behind.clone();
        there.add(0..received);
        let writer = self.file()?.writer(there.end().unwrap_or(received))?;
        let kept = self
            .durable
            .as_ref()
            .map_or_else(Kept::default, |durable| Kept { count: durable.synced, at: durable.at });
        let keeper = self.keeper()?;
        let shares = Shares::new(total, there);
        let entity = self.entity.clone();
        let split = Arc::new(SplitFile::new(writer, entity, shares, (keeper, kept)));
        let end = self.coming.map_or(total, |(_, end)| end.min(total));
        let first = (has_body && received < end).then(|| split.taken(received..end));
        self.split = Some(split.clone());
        Ok(Some(Parts { split, first, most: self.segments }))
    }

    /// Returns what writes down what has come, if a later start of the program may go on with it.
    fn keeper(&self) -> Result<Option<Keeper>, Error> {
        let (Some(durable), Some(file)) = (&self.durable, &self.file) else { return Ok(None) };
        let record = self.record(&durable.request, file.stamp()?);
        let (beside, census) = (durable.beside.clone(), self.census.clone());
        Ok(record.map(|record| Keeper { beside, record, census }))
    }

    /// Goes on with what has come, when nobody else writes any more.
    pub(super) fn end_split(&mut self) -> Result<(), Error> {
        let Some(split) = self.split.take() else { return Ok(()) };
        let Joined { mut there, kept, is_refused, is_cut } = split.joined();
        self.is_cut |= is_cut;
        let received = there.take_before(0);
        self.behind = there;
        self.file()?.go_to(received)?;
        if let Some(durable) = &mut self.durable {
            (durable.synced, durable.at) = (kept.count, kept.at);
        }
        if is_refused {
            (self.segments, self.comes_in_parts) = (1, false);
        }
        // What is missing now is asked for, whatever has come by the answer.
        let whole = (0, self.entity.total.unwrap_or(received));
        let (start, end) = self.coming.unwrap_or(whole);
        self.coming = Some((start, end.max(received)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_sends_parts_if_bytes_is_among_what_it_accepts() {
        for (values, accepts) in [
            (&[][..], false),
            (&["bytes"], true),
            (&["Bytes"], true),
            (&["none"], false),
            (&["lines, bytes"], true),
            (&["lines", "bytes"], true),
            (&["bytes=1"], false),
        ] {
            let mut headers = Headers::new();
            for value in values {
                headers.add("Accept-Ranges", value).unwrap();
            }
            assert_eq!(accepts_ranges(&headers), accepts, "{values:?}");
        }
    }
}
