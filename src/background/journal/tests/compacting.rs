//! Journals that are written anew.

use super::*;
use crate::background::journal::compact::is_mostly_garbage;

#[test]
fn what_lies_there_in_vain_has_to_be_much_and_most_of_it() {
    const MIB: u64 = 1024 * 1024;
    for (size, live, expected) in [
        (0, 0, false),
        (MIB, 0, false),
        (MIB + 1, 0, true),
        (MIB + 100, 100, false),
        (4 * MIB, MIB, false),
        (4 * MIB + 8, MIB, true),
        (100 * MIB, 50 * MIB, false),
        (100 * MIB, 24 * MIB, true),
        (MIB, 2 * MIB, false),
        (u64::MAX, 0, true),
    ] {
        assert_eq!(is_mostly_garbage(size, live), expected, "{size} {live}");
    }
}

#[test]
fn a_compaction_leaves_what_counts_and_numbers_go_on() {
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    filled(&path, 100);
    let (journal, ..) = opened(&path).unwrap();
    let before = journal.size();
    journal.compact(records(90..95)).unwrap();
    assert!(journal.size() < before / 10, "{} of {before}", journal.size());
    assert_eq!(journal.size(), fs::metadata(&path).unwrap().len());
    assert_eq!(journal.append(&record(95)).unwrap(), 106);
    drop(journal);
    assert_eq!(whole(&path), records(90..96));
    assert_eq!(scratch.names(), ["journal"]);
    // To nothing at all, too.
    let (journal, ..) = opened(&path).unwrap();
    journal.compact([]).unwrap();
    drop(journal);
    let (journal, found, damage) = opened(&path).unwrap();
    assert_eq!((found, damage), (Vec::new(), Vec::new()));
    assert_eq!(journal.append(&record(0)).unwrap(), 107);
}

#[test]
fn it_asks_to_be_compacted_when_it_is_mostly_garbage() {
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    let (journal, ..) = opened(&path).unwrap();
    let large = json!("x".repeat(100 * 1024));
    let mut count = 0;
    while !journal.wants_compaction() {
        journal.append(&large).unwrap();
        count += 1;
    }
    assert_eq!(count, 11);
    journal.compact((0..count).map(|_| large.clone())).unwrap();
    // All of it counts.
    assert!(!journal.wants_compaction());
}

#[test]
fn what_a_compaction_has_left_that_was_killed_is_removed() {
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    filled(&path, 2);
    fs::write(scratch.join("journal.new"), "half").unwrap();
    assert_eq!(whole(&path), records(0..2));
    assert_eq!(scratch.names(), ["journal"]);
}

#[test]
fn a_compaction_that_fails_changes_nothing() {
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    filled(&path, 3);
    let (journal, ..) = opened(&path).unwrap();
    fs::create_dir(scratch.join("journal.new")).unwrap();
    journal.compact(records(0..1)).unwrap_err();
    assert_eq!(journal.append(&record(3)).unwrap(), 4);
    journal.commit(4).unwrap();
    fs::remove_dir(scratch.join("journal.new")).unwrap();
    drop(journal);
    assert_eq!(whole(&path), records(0..4));
}
