//! When something is written and noticed, by a clock that is turned by hand.

use super::*;

/// Two programs whose clock is the same.
fn two(state: &Path) -> (Clock, Arc<File>, Arc<File>) {
    let clock = Clock::by_hand();
    let open = || File::at(place(state), clock.clone());
    (clock.clone(), open(), open())
}

#[test]
fn what_another_has_written_is_noticed_within_a_second_and_not_before() {
    let scratch = Scratch::new();
    let (clock, one, two) = two(scratch.path());
    assert_eq!(two.get("a"), None);
    for number in 1..5 {
        one.set("a", number);
        one.flush();
        assert_ne!(two.get("a"), Some(number));
        clock.advance(Duration::from_millis(999));
        assert_ne!(two.get("a"), Some(number));
        clock.advance(Duration::from_millis(1));
        assert_eq!(two.get("a"), Some(number));
    }
    fs::remove_file(scratch.path().join("program").join("numbers")).unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!((one.get("a"), two.get("a"), two.is_empty()), (None, None, true));
}

#[test]
fn its_own_changes_outlive_what_it_reads() {
    let scratch = Scratch::new();
    let (clock, one, two) = two(scratch.path());
    assert_eq!(two.get("a"), None);
    two.set("a", 2);
    two.set("-own", 3);
    one.set("a", 1);
    one.set("b", 1);
    one.flush();
    clock.advance(Duration::from_secs(1));
    assert_eq!((two.get("a"), two.get("b"), two.get("-own")), (Some(2), Some(1), Some(3)));
    two.flush();
    assert_eq!(on_disk(scratch.path()), numbers([("a", 2), ("b", 1)]));
}

#[test]
fn a_change_is_written_within_a_second_unasked() {
    let scratch = Scratch::new();
    let (clock, one, two) = two(scratch.path());
    one.set("a", 1);
    two.set("b", 2);
    assert_eq!(on_disk(scratch.path()), numbers([]));
    let until = |expected: BTreeMap<String, u64>| {
        while on_disk(scratch.path()) != expected {
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    clock.advance(Duration::from_millis(500));
    until(numbers([("a", 1), ("b", 2)]));
    one.set("a", 3);
    clock.advance(Duration::from_millis(500));
    until(numbers([("a", 3), ("b", 2)]));
    // Whoever is gone has nothing to write, and keeps nobody.
    two.set("b", 4);
    drop(two);
    one.set("c", 5);
    clock.advance(Duration::from_secs(1));
    until(numbers([("a", 3), ("b", 2), ("c", 5)]));
}
