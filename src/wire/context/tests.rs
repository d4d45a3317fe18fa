use super::*;

fn whole_of(clock: &Clock, length: Duration) -> Option<Deadline> {
    let at = clock.now().checked_add(length)?;
    Some(Deadline { at, timer: Timer::Resource, length })
}

#[test]
fn making_a_connection_has_its_own_timer_if_that_ends_first() {
    let second = Duration::from_secs(1);
    // The whole, the connection; after how long it ends, and what the error says.
    for (whole, connect, ends, expected) in [
        (Some(100), Some(5), 5, "it took longer than connect_timeout, 5s"),
        (None, Some(5), 5, "it took longer than connect_timeout, 5s"),
        (Some(5), Some(100), 5, "it took longer than timeout_for_resource, 5s"),
        (Some(7), None, 7, "it took longer than timeout_for_resource, 7s"),
        (None, None, 60, "no byte either way for 60s"),
    ] {
        let clock = Clock::by_hand();
        let context = Context {
            cancel: None,
            deadline: whole.and_then(|whole| whole_of(&clock, whole * second)),
            connect: connect.map(|connect| connect * second),
            clock: clock.clone(),
            idle: 60 * second,
            dialogue: None,
        };
        let bounded = context.connecting();
        let wait = bounded.as_ref().unwrap_or(&context).wait();
        wait.slice().unwrap();
        clock.advance((ends - 1) * second);
        assert!(wait.slice().is_ok(), "{expected}");
        clock.advance(second);
        let error = wait.slice().unwrap_err();
        assert!(error.is_timeout() && error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_wait_ends_by_the_timer_that_passes_first_and_says_which() {
    let second = Duration::from_secs(1);
    for (idle, whole, turned, expected) in [
        (10, 100, 9, None),
        (10, 100, 10, Some("no byte either way for 10s, its timeout_for_request")),
        (100, 10, 10, Some("longer than timeout_for_resource, 10s")),
    ] {
        let clock = Clock::by_hand();
        let context = Context {
            cancel: Some(CancelToken::new()),
            deadline: whole_of(&clock, whole * second),
            connect: None,
            clock: clock.clone(),
            idle: idle * second,
            dialogue: None,
        };
        let wait = context.wait();
        assert!(wait.slice().unwrap().is_some());
        clock.advance(turned * second);
        match (wait.slice(), expected) {
            (Ok(_), None) => {}
            (Err(error), Some(text)) => {
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                assert!(error.to_string().contains(text), "{error}");
            }
            (result, _) => panic!("idle {idle}, whole {whole}, {turned}: {result:?}"),
        }
    }
}

#[test]
fn a_cancel_beats_every_timer() {
    let context = Context {
        cancel: Some(CancelToken::new()),
        clock: Clock::by_hand(),
        idle: Duration::ZERO,
        deadline: None,
        connect: None,
        dialogue: None,
    };
    context.cancel.as_ref().unwrap().cancel();
    assert_eq!(context.wait().slice().unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn a_pause_stops_both_timers() {
    let clock = Clock::by_hand();
    let second = Duration::from_secs(1);
    let context = Context {
        cancel: None,
        deadline: whole_of(&clock, 100 * second),
        connect: None,
        clock: clock.clone(),
        idle: 10 * second,
        dialogue: None,
    };
    let began = clock.now();
    // Seconds since the wait began; the pauses: in all, when the last ended, whether one
    // is on; what is left of each timer.
    for (now, total, ended, is_on, idle, whole) in [
        (9, 0, None, false, 1, 91),
        (9, 5, None, true, 10, 96),
        (30, 26, None, true, 10, 96),
        (30, 26, Some(30), false, 10, 96),
        (39, 26, Some(30), false, 1, 87),
        (40, 26, Some(30), false, 0, 86),
        (126, 26, Some(30), false, 0, 0),
    ] {
        let at = |seconds: u32| began + seconds * second;
        let pauses = Pauses { total: total * second, ended: ended.map(at), is_on, leaves: false };
        let expected = Left { idle: Some(idle * second), whole: Some(whole * second) };
        assert_eq!(left(&context, began, at(now), pauses), expected, "{now} s, {pauses:?}");
    }
}
