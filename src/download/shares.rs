//! Who fetches what of a file that comes in several parts at once.

use std::ops::Range;

use super::ranges::Ranges;

/// The least that another connection is worth: at 20 MB/s, a request that has to go 50 ms for its
/// first byte costs as much time as so many bytes take.
pub(super) const LEAST: u64 = 1024 * 1024;

/// What is there of a file, and what of the rest is fetched by whom.
#[derive(Debug)]
pub(super) struct Shares {
    total: u64,
    there: Ranges,
    taken: Vec<Share>,
    next: u64,
}

/// What one fetches.
#[derive(Debug)]
struct Share {
    id: u64,
    /// Where it writes next.
    at: u64,
    /// What lies before this is its own: it may be written at this moment.
    held: u64,
    /// Where what it is to fetch ends.
    end: u64,
    /// Where what its answer brings ends.
    comes: u64,
    /// Its answer is there, and fits.
    is_answered: bool,
}

impl Share {
    /// Returns how much of it somebody else could fetch.
    fn left(&self) -> u64 {
        self.end - self.held
    }

    /// Holds so much at most, of what ends here.
    fn hold_up_to(&mut self, end: u64, most: u64) -> u64 {
        self.end = end;
        self.held = self.held.max(end.min(self.at.saturating_add(most)));
        self.held - self.at
    }
}

impl Shares {
    pub(super) fn new(total: u64, there: Ranges) -> Self {
        Self { total, there, taken: Vec::new(), next: 0 }
    }

    pub(super) fn there(&self) -> &Ranges {
        &self.there
    }

    /// Takes what comes by an answer that is there already, as far as that is missing.
    pub(super) fn take(&mut self, comes: Range<u64>) -> u64 {
        let end = self.free_from(comes.start).min(comes.end);
        let id = self.add(comes.start..end, comes.end);
        self.comes(id, comes.end);
        id
    }

    /// Takes a share for somebody who fetches it next, of as many as come for one now: of what
    /// nobody fetches, else of what somebody else has left. None is smaller than what another
    /// connection is worth, unless so little is missing.
    pub(super) fn claim(&mut self, sharers: u64) -> Option<(u64, Range<u64>)> {
        let gap = match self.unclaimed().into_iter().next() {
            Some(gap) => gap,
            None => self.part_with(sharers)?,
        };
        let length = gap.end - gap.start;
        let pieces = sharers.min(length / LEAST).max(1);
        let share = gap.start..gap.start + length.div_ceil(pieces);
        Some((self.add(share.clone(), share.end), share))
    }

    /// Returns for how many more there is something to fetch.
    pub(super) fn room(&self) -> u64 {
        let unclaimed = self.unclaimed().into_iter().map(|gap| (gap.end - gap.start) / LEAST);
        let shared = self.taken.iter().map(|share| (share.left() / LEAST).saturating_sub(1));
        unclaimed.map(|pieces| pieces.max(1)).chain(shared).sum()
    }

    /// The answer for a share is there, and ends here. Returns whether it is wanted: somebody else
    /// may have come by, and fetch it.
    pub(super) fn comes(&mut self, id: u64, end: u64) -> bool {
        let Some(at) = self.find(id) else { return false };
        let share = &mut self.taken[at];
        (share.end, share.comes, share.is_answered) = (share.end.min(end), end, true);
        true
    }

    /// Has nobody else get so much of what comes next, and returns how much that is; nothing if
    /// the share is fetched. It goes on behind its end if that is missing still, and whoever is to
    /// fetch it has no answer: he may never have one.
    pub(super) fn hold(&mut self, id: u64, most: u64) -> u64 {
        let Some(at) = self.find(id) else { return 0 };
        let share = &self.taken[at];
        let (end, comes) = (share.end, share.comes);
        if share.at == end && end < comes {
            self.taken.retain(|other| other.id == id || other.at != end || other.is_answered);
            let free = self.free_from(end).min(comes);
            return self.find(id).map_or(0, |at| self.taken[at].hold_up_to(free, most));
        }
        let share = &mut self.taken[at];
        share.hold_up_to(end, most)
    }

    /// So much more of a share is there.
    pub(super) fn wrote(&mut self, id: u64, count: u64) {
        let Some(at) = self.find(id) else { return };
        let share = &mut self.taken[at];
        let range = share.at..share.at + count;
        share.at = range.end;
        share.held = share.held.max(range.end);
        self.there.add(range);
    }

    /// What is missing of a share is nobody's.
    pub(super) fn release(&mut self, id: u64) {
        self.taken.retain(|share| share.id != id);
    }

    fn find(&self, id: u64) -> Option<usize> {
        self.taken.iter().position(|share| share.id == id)
    }

    fn add(&mut self, share: Range<u64>, comes: u64) -> u64 {
        let id = self.next;
        self.next += 1;
        let Range { start, end } = share;
        self.taken.push(Share { id, at: start, held: start, end, comes, is_answered: false });
        id
    }

    /// Returns up to where nobody fetches what is missing from `at` on.
    fn free_from(&self, at: u64) -> u64 {
        self.unclaimed().into_iter().find(|gap| gap.start == at).map_or(at, |gap| gap.end)
    }

    /// Returns what nobody fetches of what is missing.
    fn unclaimed(&self) -> Vec<Range<u64>> {
        let taken = self.taken.iter().map(|share| share.at..share.end);
        let all: Ranges = self.there.iter().cloned().chain(taken).collect();
        all.missing(self.total)
    }

    /// Takes from whoever has most left what so many are to fetch with him, if it is worth it.
    fn part_with(&mut self, sharers: u64) -> Option<Range<u64>> {
        let share = self.taken.iter_mut().max_by_key(|share| share.left())?;
        let left = share.left();
        let pieces = (sharers + 1).min(left / LEAST);
        if pieces < 2 {
            return None;
        }
        let end = share.end;
        share.end = share.held + left / pieces;
        Some(share.end..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(mib: u64) -> Shares {
        Shares::new(mib * LEAST, Ranges::default())
    }

    /// In MiB.
    fn claimed(shares: &mut Shares, sharers: u64) -> Option<(u64, u64)> {
        shares.claim(sharers).map(|(_, range)| (range.start / LEAST, range.end / LEAST))
    }

    #[test]
    fn what_comes_is_shared_alike_by_all_who_come_at_once() {
        for (mib, others, split) in [
            (40, 3, &[(10, 20), (20, 30), (30, 40)][..]),
            (40, 1, &[(20, 40)]),
            (9, 2, &[(3, 6), (6, 9)]),
            (2, 1, &[(1, 2)]),
            // More than there is work for.
            (3, 5, &[(1, 2), (2, 3)]),
            (1, 3, &[]),
        ] {
            let mut shares = shares(mib);
            let main = shares.take(0..mib * LEAST);
            let others = u64::min(others, shares.room());
            let found: Vec<_> =
                (0..others).rev().filter_map(|left| claimed(&mut shares, left + 1)).collect();
            assert_eq!(found, split, "{mib} MiB for {others}");
            let first = split.first().map_or(mib, |(start, _)| *start);
            assert_eq!(shares.hold(main, u64::MAX / 2), first * LEAST);
            // Nobody gets what another holds.
            shares.taken.iter_mut().for_each(|share| share.held = share.end);
            assert_eq!((shares.claim(1), shares.room()), (None, 0));
        }
    }

    #[test]
    fn whoever_is_done_takes_half_of_what_the_slowest_has_left() {
        let mut shares = shares(8);
        let main = shares.take(0..8 * LEAST);
        let (other, range) = shares.claim(1).unwrap();
        assert_eq!(range, 4 * LEAST..8 * LEAST);
        assert!(shares.comes(other, 8 * LEAST));
        assert_eq!(shares.hold(other, 2 * LEAST), 2 * LEAST);
        shares.wrote(other, LEAST);
        shares.wrote(main, 4 * LEAST);
        assert_eq!(shares.hold(main, LEAST), 0);
        shares.release(main);
        // The first two of its four are held.
        let (third, range) = shares.claim(1).unwrap();
        assert_eq!(range, 7 * LEAST..8 * LEAST);
        assert!(shares.comes(third, 8 * LEAST));
        assert_eq!(shares.hold(other, 9 * LEAST), 2 * LEAST);
        // Less is left than two are worth.
        assert_eq!(shares.claim(1), None);
        shares.wrote(other, 2 * LEAST);
        shares.wrote(third, LEAST);
        assert_eq!(shares.there().missing(8 * LEAST), []);
    }

    #[test]
    fn what_is_given_back_is_fetched_by_whoever_comes_to_it() {
        let mut shares = shares(8);
        let main = shares.take(0..8 * LEAST);
        let (other, _) = shares.claim(1).unwrap();
        assert!(shares.comes(other, 8 * LEAST));
        shares.wrote(other, 5);
        shares.release(other);
        let (another, range) = shares.claim(1).unwrap();
        assert_eq!(range, 4 * LEAST + 5..8 * LEAST);
        shares.wrote(another, 7);
        shares.release(another);
        // The first goes on up to what is there, and ends then, as it would come once more.
        assert_eq!(shares.hold(main, u64::MAX / 2), 4 * LEAST);
        shares.wrote(main, 4 * LEAST);
        assert_eq!(shares.hold(main, u64::MAX / 2), 0);
        shares.release(main);
        assert_eq!(shares.claim(1).unwrap().1, 4 * LEAST + 12..8 * LEAST);
    }

    #[test]
    fn an_answer_goes_on_as_far_as_it_comes_if_nobody_else_does() {
        let mut shares = shares(8);
        let main = shares.take(0..8 * LEAST);
        let (other, _) = shares.claim(1).unwrap();
        shares.release(other);
        assert_eq!(shares.hold(main, 4 * LEAST), 4 * LEAST);
        shares.wrote(main, 4 * LEAST);
        assert_eq!(shares.hold(main, u64::MAX / 2), 4 * LEAST);
    }

    #[test]
    fn an_answer_ends_where_what_is_there_begins_or_is_fetched() {
        for written in [0, LEAST, 4 * LEAST] {
            let mut shares = shares(8);
            let main = shares.take(0..8 * LEAST);
            let (other, _) = shares.claim(1).unwrap();
            assert!(shares.comes(other, 8 * LEAST));
            shares.wrote(other, written);
            shares.wrote(main, 4 * LEAST);
            assert_eq!(shares.hold(main, u64::MAX / 2), 0, "{written}");
        }
    }

    #[test]
    fn an_answer_goes_on_through_what_somebody_has_no_answer_for() {
        let mut shares = shares(9);
        let main = shares.take(0..9 * LEAST);
        let (one, _) = shares.claim(2).unwrap();
        let (other, _) = shares.claim(1).unwrap();
        assert!(shares.comes(other, 9 * LEAST));
        shares.wrote(main, 3 * LEAST);
        assert_eq!(shares.hold(main, LEAST), LEAST);
        // It comes too late, and he fetches something else.
        assert!(!shares.comes(one, 6 * LEAST));
        assert_eq!(shares.hold(one, LEAST), 0);
        shares.release(one);
        shares.wrote(main, LEAST);
        assert_eq!(shares.hold(main, u64::MAX), 2 * LEAST);
        shares.wrote(main, 2 * LEAST);
        assert_eq!(shares.hold(main, u64::MAX), 0);
    }

    #[test]
    fn what_an_answer_does_not_bring_is_left_to_others() {
        let mut shares = shares(8);
        let main = shares.take(0..8 * LEAST);
        assert!(shares.comes(main, 3 * LEAST));
        assert_eq!(shares.hold(main, u64::MAX / 2), 3 * LEAST);
        assert_eq!(shares.claim(1).unwrap().1, 3 * LEAST..8 * LEAST);
    }

    #[test]
    fn what_was_there_before_is_left_out() {
        let there = [0..LEAST, 3 * LEAST..4 * LEAST].into_iter().collect();
        let mut shares = Shares::new(6 * LEAST, there);
        let main = shares.take(LEAST..3 * LEAST);
        assert_eq!(claimed(&mut shares, 2), Some((4, 5)));
        assert_eq!(claimed(&mut shares, 1), Some((5, 6)));
        assert_eq!(claimed(&mut shares, 1), Some((2, 3)));
        assert_eq!(shares.hold(main, u64::MAX / 2), LEAST);
    }
}
