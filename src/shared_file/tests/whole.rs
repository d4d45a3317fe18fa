//! What becomes of what is on the disk, by one process.

use super::*;

#[test]
fn nothing_is_opened_before_it_is_needed_and_what_is_written_is_read() {
    let scratch = Scratch::new();
    let state = scratch.join("state");
    let file = another(&state);
    assert_eq!(file.get("a"), None);
    file.flush();
    assert!(!state.exists(), "there was nothing to write");
    file.set("a", 1);
    file.set("b", 2);
    file.set("b", None);
    file.set("-c", 3);
    file.flush();
    assert!(!file.has_trouble());
    assert_eq!(on_disk(&state), numbers([("a", 1)]));
    assert_eq!(another(&state).get("a"), Some(1));
    assert_eq!((file.get("-c"), another(&state).get("-c")), (Some(3), None));
    let names = crate::tests::names_in(&state.join("program"));
    assert_eq!(names, ["numbers", "numbers.lock"]);
}

#[test]
fn what_two_have_changed_is_there_from_both() {
    let scratch = Scratch::new();
    let (one, two) = (another(scratch.path()), another(scratch.path()));
    one.set("-own", 1);
    assert_eq!((one.get("a"), two.get("b")), (None, None));
    one.set("a", 1);
    two.set("b", 2);
    two.set("both", 2);
    one.set("both", 1);
    one.flush();
    two.flush();
    assert_eq!(on_disk(scratch.path()), numbers([("a", 1), ("b", 2), ("both", 2)]));
    // Who writes has taken in what the other had written; what is never written stays.
    assert_eq!(two.read(|numbers| numbers.0.get("a").copied()), Some(1));
    one.set("b", None);
    one.flush();
    assert_eq!(on_disk(scratch.path()), numbers([("a", 1), ("both", 2)]));
    assert_eq!(one.get("-own"), Some(1));
}

#[test]
fn a_damaged_file_is_set_aside() {
    for damage in ["", "urlsession numbers 3 00000000\na 1\n", "urlsession numbers 3"] {
        for reads_first in [true, false] {
            let scratch = Scratch::new();
            let program = scratch.folder("program");
            fs::write(program.join("numbers"), damage).unwrap();
            let file = another(scratch.path());
            if reads_first {
                assert_eq!(file.get("a"), None);
                assert_eq!(crate::tests::names_in(&program), ["numbers.damaged", "numbers.lock"]);
            }
            file.set("b", 2);
            file.flush();
            assert!(!file.has_trouble());
            assert_eq!(on_disk(scratch.path()), numbers([("b", 2)]));
            assert_eq!(fs::read_to_string(program.join("numbers.damaged")).unwrap(), damage);
        }
    }
}

#[test]
fn what_a_newer_version_has_written_is_left_alone_as_long_as_it_is_there() {
    let scratch = Scratch::new();
    let path = scratch.folder("program").join("numbers");
    let newer = "urlsession numbers 4 what ever\n";
    fs::write(&path, newer).unwrap();
    let file = another(scratch.path());
    assert_eq!(file.get("a"), None);
    file.set("a", 1);
    file.flush();
    assert_eq!((file.get("a"), file.has_trouble()), (Some(1), true));
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
    fs::remove_file(&path).unwrap();
    file.flush();
    assert!(!file.has_trouble());
    assert_eq!(on_disk(scratch.path()), numbers([("a", 1)]));
}

#[test]
fn each_file_is_younger_than_the_one_before() {
    let scratch = Scratch::new();
    let file = another(scratch.path());
    let mut before = None;
    for number in 0..50 {
        file.set("a", number % 10);
        file.flush();
        let stamp = file.state.lock().known.unwrap();
        assert!(before.is_none_or(|before| stamp.modified > before), "{number}");
        before = Some(stamp.modified);
    }
}

#[test]
fn one_in_memory_writes_nothing() {
    let file = File::in_memory(Clock::system());
    assert!(file.is_empty());
    file.set("a", 1);
    file.flush();
    assert_eq!((file.get("a"), file.has_trouble(), file.is_empty()), (Some(1), false, false));
}

#[test]
fn sessions_of_a_process_share_one_unless_their_clock_is_their_own() {
    let scratch = Scratch::new();
    let open = |program: &str, clock: &Clock| {
        opened::<Numbers>(Some(scratch.path()), Some(program), clock)
    };
    let clock = Clock::system();
    let one = open("one", &clock);
    assert!(Arc::ptr_eq(&one, &open("one", &clock)));
    assert!(!Arc::ptr_eq(&one, &open("two", &clock)));
    #[cfg(feature = "test-util")]
    assert!(!Arc::ptr_eq(&one, &open("one", &Clock::by_hand())));
    let weak = Arc::downgrade(&one);
    drop(one);
    assert!(weak.upgrade().is_none());
}
