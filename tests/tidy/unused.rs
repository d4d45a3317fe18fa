//! What the tables permit and nobody does: a row that is wider than the house says less than it
//! seems to.

use std::collections::{BTreeMap, BTreeSet};

use crate::tables::{DOORS, MAY_USE, SEAMS, SESSION_MAY_USE, STORES, VOCABULARY, WORDS};
use crate::{assert_none, files, named_at_root, names_crate, production, room_of, session};

/// Whole floors are for whoever stands above them, who need not name every room there.
const FLOORS: [&[&str]; 3] = [WORDS, STORES, SEAMS];

/// A row of a table: a room and what it may use, floor by floor.
type Row<'a> = (&'a str, Vec<&'a [&'a str]>);

/// What each room names.
type Uses = BTreeMap<String, BTreeSet<String>>;

fn unused_rooms(rows: &[Row<'_>], uses: &Uses) -> Vec<String> {
    let mut complaints = Vec::new();
    for (room, floors) in rows {
        let Some(named) = uses.get(*room) else {
            complaints.push(format!("`{room}` has a row and no file"));
            continue;
        };
        for floor in floors {
            let unused: Vec<&str> =
                floor.iter().copied().filter(|name| !named.contains(*name)).collect();
            // A floor is permitted as a whole.
            if !FLOORS.contains(floor) || unused.len() == floor.len() {
                let complain = |name| format!("`{room}` may use `{name}`, and does not");
                complaints.extend(unused.into_iter().map(complain));
            }
        }
    }
    complaints
}

fn unused_doors(doors: &[(&str, &[&str])], sources: &[(String, String)]) -> Vec<String> {
    let is_used = |krate: &str, door: &str| {
        sources.iter().any(|(path, code)| path.starts_with(door) && names_crate(code, krate))
    };
    let pairs = doors.iter().flat_map(|(krate, doors)| doors.iter().map(move |door| (krate, door)));
    pairs
        .filter(|(krate, door)| !is_used(krate, door))
        .map(|(krate, door)| format!("`{door}` is a door of `{krate}`, and nobody goes through"))
        .collect()
}

/// The code of every source file that is compiled for users.
fn sources() -> Vec<(String, String)> {
    let rust = files("src").into_iter().filter(|(path, _)| path.ends_with(".rs"));
    rust.map(|(path, text)| (path.clone(), production(&path, &text))).collect()
}

#[test]
fn whatever_a_room_may_use_it_uses() {
    let (mut uses, mut inside) = (Uses::new(), Uses::new());
    for (path, code) in sources() {
        if let Some((room, depth)) = room_of(&path) {
            uses.entry(room.into()).or_default().extend(named_at_root(&code, depth));
        }
        if let Some((room, depth)) = session::room_of(&path) {
            inside.entry(room.into()).or_default().extend(session::named(&code, depth));
        }
    }
    let house: Vec<Row<'_>> =
        MAY_USE.iter().map(|(room, floors)| (*room, floors.to_vec())).collect();
    // Inside the session there are no floors that a row permits as a whole.
    let rooms: Vec<Vec<[&str; 1]>> = SESSION_MAY_USE
        .iter()
        .map(|(_, rooms)| rooms.iter().map(|room| [*room]).collect())
        .collect();
    let session: Vec<Row<'_>> = SESSION_MAY_USE
        .iter()
        .zip(&rooms)
        .map(|((room, _), rooms)| (*room, rooms.iter().map(|room| &room[..]).collect()))
        .collect();
    assert_none([unused_rooms(&house, &uses), unused_rooms(&session, &inside)].concat());
}

#[test]
fn every_door_is_gone_through() {
    let sources = sources();
    let words: Vec<(&str, &[&str])> = VOCABULARY.iter().map(|krate| (*krate, &[""][..])).collect();
    assert_none([unused_doors(DOORS, &sources), unused_doors(&words, &sources)].concat());
}

#[test]
fn what_is_permitted_and_not_done_is_found() {
    let uses = Uses::from([("a".into(), BTreeSet::from(["error".into(), "x".into()]))]);
    let cases: [(Row<'_>, usize); 6] = [
        (("a", vec![&["x"]]), 0),
        (("a", vec![&["x", "y"]]), 1),
        (("a", vec![WORDS, &["x"]]), 0),
        (("a", vec![STORES]), STORES.len()),
        (("a", vec![&["x"], &["y", "z"]]), 2),
        (("attic", vec![]), 1),
    ];
    for (row, complaints) in cases {
        let found = unused_rooms(std::slice::from_ref(&row), &uses);
        assert_eq!(found.len(), complaints, "{row:?}: {found:?}");
    }
    let sources = [("load/a.rs".to_owned(), "use socket2::Socket;".to_owned())];
    for (doors, complaints) in [(&["load/"][..], 0), (&["load/", "engine/"], 1), (&["load/b"], 1)] {
        assert_eq!(unused_doors(&[("socket2", doors)], &sources).len(), complaints, "{doors:?}");
    }
}
