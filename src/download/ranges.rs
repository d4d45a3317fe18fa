//! Which bytes of a whole are there.

use std::ops::Range;

/// Ranges of bytes, in their order; no two of them touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<Range<u64>>);

impl Ranges {
    /// Adds what has come.
    pub(super) fn add(&mut self, mut range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let first = self.0.partition_point(|known| known.end < range.start);
        let behind = self.0.partition_point(|known| known.start <= range.end);
        for known in &self.0[first..behind] {
            range.start = range.start.min(known.start);
            range.end = range.end.max(known.end);
        }
        self.0.splice(first..behind, [range]);
    }

    /// Returns how many bytes that is.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Range<u64>> {
        self.0.iter()
    }

    /// Returns where the first begins.
    pub(super) fn start(&self) -> Option<u64> {
        self.0.first().map(|range| range.start)
    }

    /// Returns where the last ends.
    pub(super) fn end(&self) -> Option<u64> {
        self.0.last().map(|range| range.end)
    }

    /// Returns what is missing of so many bytes.
    pub(super) fn missing(&self, total: u64) -> Vec<Range<u64>> {
        let starts = self.0.iter().map(|range| range.start).chain([total]);
        let ends = [0].into_iter().chain(self.0.iter().map(|range| range.end));
        ends.zip(starts).map(|(end, start)| end..start).filter(|gap| !gap.is_empty()).collect()
    }

    /// Takes out what lies before `at`, or touches that, and returns where it ends.
    pub(super) fn take_before(&mut self, at: u64) -> u64 {
        let behind = self.0.partition_point(|range| range.start <= at);
        self.0.drain(..behind).map(|range| range.end).fold(at, u64::max)
    }

    /// Takes so many bytes off the last, or all of it.
    pub(super) fn shorten(&mut self, bytes: u64) {
        if let Some(mut last) = self.0.pop() {
            last.end = last.end.saturating_sub(bytes);
            self.add(last);
        }
    }
}

impl FromIterator<Range<u64>> for Ranges {
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(ranges: I) -> Self {
        ranges.into_iter().fold(Self::default(), |mut all, range| {
            all.add(range);
            all
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(all: &[(u64, u64)]) -> Ranges {
        all.iter().map(|(start, end)| *start..*end).collect()
    }

    fn pairs(ranges: &Ranges) -> Vec<(u64, u64)> {
        ranges.iter().map(|range| (range.start, range.end)).collect()
    }

    #[test]
    fn what_touches_becomes_one() {
        type Pairs = &'static [(u64, u64)];
        let rows: [(Pairs, (u64, u64), Pairs); 10] = [
            (&[], (3, 5), &[(3, 5)]),
            (&[(3, 5)], (4, 4), &[(3, 5)]),
            (&[(3, 5)], (0, 2), &[(0, 2), (3, 5)]),
            (&[(3, 5)], (0, 3), &[(0, 5)]),
            (&[(3, 5)], (5, 7), &[(3, 7)]),
            (&[(3, 5)], (6, 7), &[(3, 5), (6, 7)]),
            (&[(0, 2), (4, 6), (8, 9)], (2, 8), &[(0, 9)]),
            (&[(0, 2), (4, 6), (8, 9)], (3, 7), &[(0, 2), (3, 7), (8, 9)]),
            (&[(0, 2), (4, 6), (8, 9)], (1, 5), &[(0, 6), (8, 9)]),
            (&[(0, 9)], (2, 3), &[(0, 9)]),
        ];
        for (before, added, after) in rows {
            let mut all = ranges(before);
            all.add(added.0..added.1);
            assert_eq!(pairs(&all), after, "{before:?} and {added:?}");
            let count: u64 = after.iter().map(|(start, end)| end - start).sum();
            assert_eq!((all.count(), all.is_empty()), (count, false));
            assert_eq!(all.start(), after.first().map(|(start, _)| *start));
            assert_eq!(all.end(), after.last().map(|(_, end)| *end));
        }
    }

    #[test]
    fn what_is_missing_lies_between_before_and_behind() {
        type Pairs = &'static [(u64, u64)];
        let rows: [(Pairs, Pairs); 5] = [
            (&[], &[(0, 10)]),
            (&[(0, 10)], &[]),
            (&[(0, 4)], &[(4, 10)]),
            (&[(2, 4), (6, 10)], &[(0, 2), (4, 6)]),
            (&[(2, 4), (6, 7)], &[(0, 2), (4, 6), (7, 10)]),
        ];
        for (there, missing) in rows {
            let found = ranges(there).missing(10);
            let found: Vec<_> = found.iter().map(|gap| (gap.start, gap.end)).collect();
            assert_eq!(found, missing, "{there:?}");
        }
    }

    #[test]
    fn the_beginning_is_taken_out_as_far_as_it_goes_on() {
        for (at, end, left) in [
            (0, 0, vec![(2, 4), (6, 7)]),
            (1, 1, vec![(2, 4), (6, 7)]),
            (2, 4, vec![(6, 7)]),
            (3, 4, vec![(6, 7)]),
            (5, 5, vec![(6, 7)]),
            (6, 7, vec![]),
            (9, 9, vec![]),
        ] {
            let mut all = ranges(&[(2, 4), (6, 7)]);
            assert_eq!((all.take_before(at), pairs(&all)), (end, left), "{at}");
        }
    }

    #[test]
    fn the_last_is_shortened_or_gone() {
        for (bytes, left) in [(1, vec![(2, 4), (6, 8)]), (3, vec![(2, 4)]), (9, vec![(2, 4)])] {
            let mut all = ranges(&[(2, 4), (6, 9)]);
            all.shorten(bytes);
            assert_eq!(pairs(&all), left, "{bytes}");
        }
        let mut none = Ranges::default();
        none.shorten(1);
        assert!(none.is_empty());
    }
}
