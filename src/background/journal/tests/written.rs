//! Writing, and finding again.

use std::sync::Barrier;
use std::thread;

use super::*;
use crate::error::ErrorKind;

#[test]
fn a_new_journal_is_empty_and_this_users_alone() {
    let scratch = Scratch::new();
    assert_eq!(whole(&journal_in(&scratch)), [Value::Null; 0]);
    assert_eq!(scratch.names(), ["journal"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(journal_in(&scratch)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
    assert_eq!(whole(&journal_in(&scratch)), [Value::Null; 0]);
}

#[test]
fn what_was_written_is_there_at_the_next_start_and_numbers_go_on() {
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    filled(&path, 3);
    let (journal, found, _) = opened(&path).unwrap();
    assert_eq!(found, records(0..3));
    assert_eq!(journal.append(&record(3)).unwrap(), 4);
    journal.commit(4).unwrap();
    assert_eq!(journal.size(), fs::metadata(&path).unwrap().len());
    drop(journal);
    assert_eq!(whole(&path), records(0..4));
}

#[test]
fn it_counts_as_one_file_for_as_long_as_it_is_open() {
    use crate::census::Kind;
    let (scratch, census) = (Scratch::new(), Census::default());
    let (journal, _) = Journal::open(&journal_in(&scratch), &census).unwrap();
    journal.compact([]).unwrap();
    #[cfg(feature = "test-util")]
    assert_eq!(census.alive(Kind::File), 1);
    drop(journal);
    #[cfg(feature = "test-util")]
    assert_eq!(census.alive(Kind::File), 0);
    let _ = Kind::File;
}

#[test]
fn several_threads_write_and_commit_and_nothing_is_lost() {
    const THREADS: u64 = 8;
    const EACH: u64 = 50;
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    let (journal, ..) = opened(&path).unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let journal = &journal;
            scope.spawn(move || {
                for number in 0..EACH {
                    let sequence = journal.append(&json!([thread, number])).unwrap();
                    journal.commit(sequence).unwrap();
                }
            });
        }
    });
    drop(journal);
    let found = whole(&path);
    assert_eq!(found.len() as u64, THREADS * EACH);
    for thread in 0..THREADS {
        let of_thread = found.iter().filter(|record| record[0] == thread);
        let numbers: Vec<_> = of_thread.map(|record| record[1].as_u64().unwrap()).collect();
        assert_eq!(numbers, (0..EACH).collect::<Vec<_>>());
    }
}

#[test]
fn threads_that_wait_for_an_error_all_get_it_and_a_compaction_heals() {
    const THREADS: usize = 4;
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    let (journal, ..) = opened(&path).unwrap();
    let first = journal.append(&record(0)).unwrap();
    journal.commit(first).unwrap();
    journal.fail_syncs(true);
    let all_have_written = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let sequence = journal.append(&record(1)).unwrap();
                all_have_written.wait();
                let error = journal.commit(sequence).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::CannotCloseFile);
            });
        }
    });
    // The system would say that all is well now.
    journal.fail_syncs(false);
    assert!(journal.wants_compaction());
    let refused = [journal.append(&record(2)).unwrap_err(), journal.commit(first).unwrap_err()];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::CannotCloseFile);
    }
    journal.compact(records(0..2)).unwrap();
    assert!(!journal.wants_compaction());
    let sequence = journal.append(&record(2)).unwrap();
    journal.commit(sequence).unwrap();
    drop(journal);
    assert_eq!(whole(&path), records(0..3));
}

#[test]
fn a_number_that_was_never_given_is_not_waited_for() {
    let scratch = Scratch::new();
    let (journal, ..) = opened(&journal_in(&scratch)).unwrap();
    journal.commit(1_000_000).unwrap();
}

#[cfg(unix)]
#[test]
fn nothing_but_a_file_of_this_users_is_opened() {
    use std::os::unix::fs::symlink;
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    let target = scratch.join("target");
    fs::write(&target, "others'").unwrap();
    symlink(&target, &path).unwrap();
    assert_eq!(opened(&path).unwrap_err().kind(), ErrorKind::CannotOpenFile);
    assert_eq!(fs::read_to_string(&target).unwrap(), "others'");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(opened(&path).unwrap_err().kind(), ErrorKind::FileIsDirectory);
}
