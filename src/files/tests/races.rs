use std::thread;

use super::*;
use crate::files::moving::WAYS;

const THREADS: usize = 4;
const ROUNDS: usize = 50;

/// Runs `attempt` on several threads at once and returns which of them succeeded.
fn winners(attempt: impl Fn(usize) -> bool + Sync) -> Vec<usize> {
    let start = std::sync::Barrier::new(THREADS);
    thread::scope(|scope| {
        let (start, attempt) = (&start, &attempt);
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    attempt(number)
                })
            })
            .collect();
        let outcomes = threads.into_iter().map(|thread| thread.join().unwrap());
        outcomes.enumerate().filter(|(_, won)| *won).map(|(number, _)| number).collect()
    })
}

#[test]
fn of_several_files_for_one_target_exactly_one_comes_there() {
    for _ in 0..ROUNDS {
        let (scratch, folder) = (Scratch::new(), Scratch::new());
        let target = folder.join("a");
        let winners = winners(|number| {
            let mut file = downloaded(scratch.path(), &number.to_string());
            let before = file.path().to_owned();
            let outcome = file.persist(&target);
            if let Err(error) = &outcome {
                assert_eq!(error.kind(), ErrorKind::FileAlreadyExists);
                assert_eq!((file.path(), content(&before)), (&*before, number.to_string()));
            }
            outcome.is_ok()
        });
        let [winner] = winners.as_slice() else { panic!("{winners:?}") };
        assert_eq!(content(target), winner.to_string());
        assert_eq!((scratch.names(), folder.names()), (vec![], vec!["a".to_owned()]));
    }
}

#[test]
fn of_several_files_that_replace_a_target_a_whole_one_stays() {
    let scratch = Scratch::new();
    let target = scratch.file("a", "old");
    for _ in 0..ROUNDS {
        let winners = winners(|number| {
            let text = number.to_string().repeat(1000);
            begun(&target, Existing::Replace, &text).finish().is_ok()
        });
        assert_eq!(winners.len(), THREADS);
        let text = content(&target);
        assert_eq!(text, text[..1].repeat(1000));
        assert_eq!(scratch.names(), ["a"]);
    }
}

#[test]
fn each_way_to_a_new_name_replaces_nothing() {
    for (number, way) in WAYS.iter().enumerate() {
        let scratch = Scratch::new();
        let (from, free) = (scratch.file("from", "new"), scratch.join("free"));
        let taken = scratch.file("taken", "old");
        scratch.folder("folder");
        let mut there = vec![taken.clone(), scratch.join("folder")];
        #[cfg(unix)]
        for to in ["taken", "nothing"] {
            let link = scratch.join(&format!("link to {to}"));
            std::os::unix::fs::symlink(scratch.join(to), &link).unwrap();
            there.push(link);
        }
        let before = scratch.names();
        for to in there {
            let error = way(&from, &to).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists, "way {number}, {to:?}");
        }
        assert_eq!(scratch.names(), before, "way {number}");
        assert_eq!(content(&taken), "old", "way {number}");
        way(&from, &free).unwrap();
        assert_eq!(content(&free), "new", "way {number}");
        assert!(!from.exists(), "way {number}");
        let error = way(&from, &scratch.join("other")).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "way {number}");
        assert!(!scratch.join("other").exists(), "way {number}");
    }
}

#[test]
fn each_way_to_a_new_name_lets_one_of_several_win() {
    for (number, way) in WAYS.iter().enumerate() {
        for _ in 0..ROUNDS {
            let scratch = Scratch::new();
            let to = scratch.join("to");
            let winners = winners(|thread| {
                let from = scratch.file(&format!("from {thread}"), &thread.to_string());
                way(&from, &to).is_ok()
            });
            let [winner] = winners.as_slice() else { panic!("way {number}: {winners:?}") };
            assert_eq!(content(to), winner.to_string(), "way {number}");
            assert_eq!(scratch.names().len(), THREADS, "way {number}");
        }
    }
}
