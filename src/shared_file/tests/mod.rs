//! Files of numbers, each with a name, which are shared.

#[cfg(all(unix, feature = "test-util"))]
mod crashes;
#[cfg(unix)]
mod processes;
#[cfg(feature = "test-util")]
mod seen;
#[cfg(unix)]
mod systems;
mod whole;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::*;
use crate::tests::Scratch;

/// Numbers by their name; those whose name begins with `-` are never written.
#[derive(Debug, Default)]
struct Numbers(BTreeMap<String, u64>);

impl Content for Numbers {
    const NAME: &'static str = "numbers";
    const VERSION: u32 = 3;

    type Changes = BTreeMap<String, Option<u64>>;

    fn from_text(text: &str) -> Option<Self> {
        let read = |line: &str| {
            let (name, number) = line.split_once(' ')?;
            Some((name.to_owned(), number.parse().ok()?))
        };
        text.lines().map(read).collect::<Option<_>>().map(Self)
    }

    fn to_text(&self, _date: SystemTime) -> String {
        let lasting = self.0.iter().filter(|(name, _)| !name.starts_with('-'));
        lasting.map(|(name, number)| format!("{name} {number}\n")).collect()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn merge(&mut self, changes: &Self::Changes) {
        for (name, number) in changes {
            match number {
                Some(number) => self.0.insert(name.clone(), *number),
                None => self.0.remove(name),
            };
        }
    }

    fn keep_unwritten(&mut self, before: Self) {
        self.0.extend(before.0.into_iter().filter(|(name, _)| name.starts_with('-')));
    }
}

impl Changes for BTreeMap<String, Option<u64>> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn then(&mut self, later: Self) {
        self.extend(later);
    }
}

type File = SharedFile<Numbers>;

fn place(state: &Path) -> Place {
    Place::of(Some(state), Some("program")).unwrap()
}

/// The file of a program in that folder, as another process would have it.
fn another(state: &Path) -> Arc<File> {
    File::at(place(state), Clock::system())
}

impl File {
    fn set(&self, name: &str, number: impl Into<Option<u64>>) {
        self.change(BTreeMap::from([(name.to_owned(), number.into())]));
    }

    fn get(&self, name: &str) -> Option<u64> {
        self.refresh();
        self.read(|numbers| numbers.0.get(name).copied())
    }

    /// Whether something is wrong, and not on the disk.
    fn has_trouble(&self) -> bool {
        let state = self.state.lock();
        state.has_complained || !state.changes.is_empty()
    }
}

/// What lies on the disk, which is whole.
fn on_disk(state: &Path) -> BTreeMap<String, u64> {
    let file = Disk::new(place(state), Numbers::NAME);
    match file.read::<Numbers>().unwrap() {
        Found::Nothing => BTreeMap::new(),
        Found::Content(_, numbers) => numbers.0,
        Found::Newer(_) | Found::Damaged(_) => {
            panic!("{:?}", fs::read_to_string(file.path()))
        }
    }
}

fn numbers<const N: usize>(all: [(&str, u64); N]) -> BTreeMap<String, u64> {
    all.map(|(name, number)| (name.to_owned(), number)).into()
}
