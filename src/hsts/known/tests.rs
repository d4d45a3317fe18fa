use std::time::{Duration, UNIX_EPOCH};

use super::*;

const NOW: u64 = 1_800_000_000;

fn policy(max_age: u64, includes_subdomains: bool) -> Policy {
    Policy { max_age, includes_subdomains }
}

/// Has a host send a policy; returns whether that has changed something.
fn hear(known: &mut KnownHosts, host: &str, policy: Policy, now: u64) -> bool {
    let change = known.change(host, policy, now);
    change.inspect(|change| known.merge(change)).is_some()
}

fn text(known: &KnownHosts) -> String {
    known.to_text(UNIX_EPOCH + Duration::from_secs(NOW))
}

#[test]
fn a_host_is_covered_by_itself_and_by_those_above_that_include_it() {
    let mut known = KnownHosts::default();
    hear(&mut known, "shop.test", policy(60, true), NOW);
    hear(&mut known, "plain.test", policy(60, false), NOW);
    for (host, expected) in [
        ("shop.test", true),
        ("shop.test.", true),
        ("a.shop.test", true),
        ("b.a.shop.test", true),
        ("b.a.shop.test.", true),
        ("plain.test", true),
        ("a.plain.test", false),
        ("test", false),
        ("ashop.test", false),
        ("shop.test.other", false),
        ("", false),
        (".", false),
    ] {
        assert_eq!(known.covers(host, NOW), expected, "{host}");
    }
}

#[test]
fn time_ends_it_and_so_does_the_host() {
    let mut known = KnownHosts::default();
    assert!(hear(&mut known, "shop.test", policy(60, false), NOW));
    assert!(known.covers("shop.test", NOW + 59));
    assert!(!known.covers("shop.test", NOW + 60));
    // Each time it says so, it begins anew; with less as well.
    assert!(hear(&mut known, "shop.test", policy(60, false), NOW + 30));
    assert!(known.covers("shop.test", NOW + 89));
    assert!(hear(&mut known, "shop.test", policy(10, false), NOW + 30));
    assert!(!known.covers("shop.test", NOW + 40));
    assert!(hear(&mut known, "shop.test", policy(60, true), NOW));
    assert!(hear(&mut known, "shop.test", policy(0, true), NOW));
    assert!(!known.covers("shop.test", NOW));
    assert!(known.is_empty());
    // It is not known: nothing changes.
    assert!(!hear(&mut known, "shop.test", policy(0, false), NOW));
    // As long as can be, not longer.
    assert!(hear(&mut known, "shop.test", policy(u64::MAX, false), NOW));
    assert!(known.covers("shop.test", u64::MAX - 1));
}

#[test]
fn a_sub_domain_says_nothing_of_the_host_above() {
    let mut known = KnownHosts::default();
    hear(&mut known, "shop.test", policy(1000, true), NOW);
    hear(&mut known, "a.shop.test", policy(10, false), NOW);
    assert!(known.covers("a.shop.test", NOW + 500), "by the one above");
    assert!(known.covers("b.a.shop.test", NOW + 500), "by the one above that");
    hear(&mut known, "a.shop.test", policy(0, false), NOW);
    assert!(known.covers("a.shop.test", NOW));
    // Nor the other way round.
    hear(&mut known, "a.shop.test", policy(1000, false), NOW);
    hear(&mut known, "shop.test", policy(0, false), NOW);
    assert!(known.covers("a.shop.test", NOW));
    assert!(!known.covers("shop.test", NOW));
    // What it included before is not included any more.
    hear(&mut known, "shop.test", policy(1000, true), NOW);
    assert!(known.covers("c.shop.test", NOW));
    hear(&mut known, "shop.test", policy(1000, false), NOW);
    assert!(!known.covers("c.shop.test", NOW));
}

#[test]
fn what_says_the_same_is_no_change() {
    const YEAR: u64 = 365 * 86_400;
    let mut known = KnownHosts::default();
    assert!(hear(&mut known, "shop.test", policy(YEAR, true), NOW));
    assert!(!hear(&mut known, "shop.test", policy(YEAR, true), NOW));
    assert!(!hear(&mut known, "shop.test.", policy(YEAR, true), NOW + YEAR / 100));
    assert!(hear(&mut known, "shop.test", policy(YEAR, true), NOW + YEAR / 100 + 1));
    assert!(hear(&mut known, "shop.test", policy(YEAR, false), NOW + YEAR / 100 + 1));
    assert!(hear(&mut known, "shop.test", policy(YEAR, false), NOW + 2 * YEAR), "it had ended");
}

#[test]
fn what_is_written_is_read_again_and_what_has_ended_is_not_written() {
    let mut known = KnownHosts::default();
    hear(&mut known, "shop.test", policy(60, true), NOW);
    hear(&mut known, "a.test", policy(61, false), NOW);
    hear(&mut known, "gone.test", policy(61, false), NOW - 61);
    let written = text(&known);
    assert_eq!(written, "a.test 1800000061\nshop.test 1800000060 sub-domains\n");
    assert_eq!(text(&KnownHosts::from_text(&written).unwrap()), written);
    assert!(KnownHosts::from_text("").unwrap().is_empty());
    for wrong in
        ["\n", "a.test\n", "a.test x\n", "a.test 1 x\n", " 1\n", "a.test 1 sub-domains x\n", "a  1"]
    {
        assert!(KnownHosts::from_text(wrong).is_none(), "{wrong:?}");
    }
}

#[test]
fn changes_follow_each_other() {
    let set = |host: &str, until: u64| Change {
        clears: false,
        hosts: BTreeMap::from([(
            host.into(),
            (until > 0).then_some(Entry { expires: until, includes_subdomains: false }),
        )]),
    };
    let all = [
        set("a", NOW + 1),
        set("b", NOW + 2),
        set("a", NOW + 3),
        set("b", 0),
        Change::clear(),
        set("c", NOW + 4),
        set("b", NOW + 5),
    ];
    // One by one, and as one after each of them.
    for count in 0..=all.len() {
        let mut known = KnownHosts::from_text("a 1900000000\nz 1900000000\n").unwrap();
        let (mut same, mut sum) =
            (KnownHosts::from_text(&text(&known)).unwrap(), Change::default());
        assert!(sum.is_empty());
        for change in &all[..count] {
            known.merge(change);
            sum.then(Change { clears: change.clears, hosts: change.hosts.clone() });
            assert!(!sum.is_empty());
        }
        same.merge(&sum);
        assert_eq!(text(&same), text(&known), "{count}");
    }
}

#[test]
fn no_more_are_known_than_there_is_room_for() {
    let mut known = KnownHosts::default();
    let hosts = (0..=MOST as u64)
        .map(|number| {
            let entry = Entry { expires: NOW + number + 1, includes_subdomains: false };
            (format!("{number}.test").into(), Some(entry))
        })
        .collect();
    known.merge(&Change { clears: false, hosts });
    assert_eq!(known.0.len(), MOST);
    assert!(!known.covers("0.test", NOW) && known.covers("1.test", NOW));
}
