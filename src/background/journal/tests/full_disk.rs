//! A disk without room, which is a volume of the test's own.

use serde_json::json;

use super::*;
use crate::error::ErrorKind;
use crate::tests::anew::{passes_on_volume, place};
use crate::tests::names_in;

/// Writes records until the disk is full; returns how many are there.
fn fill(journal: &Journal) -> u64 {
    let mut count = 0;
    loop {
        // 100 bytes and more, so that none ends where the disk does.
        match journal.append(&json!([count, "x".repeat(100)])) {
            Ok(_) => count += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
                return count;
            }
        }
    }
}

fn numbers(records: &[Value]) -> Vec<u64> {
    records.iter().map(|record| record[0].as_u64().unwrap()).collect()
}

#[test]
fn what_does_not_fit_leaves_nothing_and_more_goes_on_when_there_is_room() {
    let Some(volume) = place() else {
        let test = "background::journal::tests::full_disk::\
                    what_does_not_fit_leaves_nothing_and_more_goes_on_when_there_is_room";
        return passes_on_volume("size=64k", test);
    };
    let path = volume.join("journal");
    let (journal, ..) = opened(&path).unwrap();
    fs::write(volume.join("ballast"), [0; 20 * 1024]).unwrap();
    let count = fill(&journal);
    assert!(count > 100, "{count}");
    let size = journal.size();
    assert_eq!(fs::metadata(&path).unwrap().len(), size);
    assert_eq!(fs::read(&path).unwrap().last(), Some(&b'\n'));
    // As long as there is none it is refused, and nothing grows.
    journal.append(&json!("x".repeat(5000))).unwrap_err();
    assert_eq!(journal.size(), size);
    // Nor is there room for a compaction that has to keep all of it; what there is stays.
    let all = || (0..count).map(|number| json!([number, "x".repeat(100)]));
    let error = journal.compact(all()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(names_in(&volume), ["ballast", "journal"]);
    assert!(!journal.wants_compaction());
    fs::remove_file(volume.join("ballast")).unwrap();
    assert_eq!(journal.append(&json!([count])).unwrap(), count + 1);
    journal.commit(count + 1).unwrap();
    drop(journal);
    assert_eq!(numbers(&whole(&path)), (0..=count).collect::<Vec<_>>());
    // One that keeps little needs little, and makes room.
    let (journal, ..) = opened(&path).unwrap();
    fs::write(volume.join("ballast"), [0; 4 * 1024]).unwrap();
    fill(&journal);
    fs::remove_file(volume.join("ballast")).unwrap();
    journal.compact([json!([7])]).unwrap();
    drop(journal);
    assert_eq!(numbers(&whole(&path)), [7]);
}

#[test]
fn a_damaged_journal_is_not_repaired_before_it_is_kept() {
    let Some(volume) = place() else {
        let test = "background::journal::tests::full_disk::\
                    a_damaged_journal_is_not_repaired_before_it_is_kept";
        return passes_on_volume("size=64k", test);
    };
    let path = volume.join("journal");
    let (journal, ..) = opened(&path).unwrap();
    for number in 0..300 {
        journal.append(&json!([number, "x".repeat(100)])).unwrap();
    }
    drop(journal);
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 32 * 1024, "there is room for a copy");
    bytes[1000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(opened(&path).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(names_in(&volume), ["journal"]);
}
