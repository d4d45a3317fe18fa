use std::path::{Path, PathBuf};

use super::file_name::file_name;
use super::surroundings::{Surroundings, System};
use super::*;

#[test]
fn the_environment_says_where_lies_what_may_be_lost() {
    use System::{Mac, Windows, Xdg};
    type Case = (System, [&'static str; 4], Option<&'static [&'static str]>);
    // URLSESSION_HOME, home, XDG_CACHE_HOME, LOCALAPPDATA -> folder
    #[rustfmt::skip]
    let cases: &[Case] = &[
        (Xdg,     ["",   "/h", "",     ""    ], Some(&["/h", ".cache", "urlsession"])),
        (Xdg,     ["",   "/h", "/x/c", "C:/L"], Some(&["/x/c", "urlsession"])),
        (Xdg,     ["",   "/h", "x/c",  ""    ], Some(&["/h", ".cache", "urlsession"])),
        (Xdg,     ["",   "",   "/x/c", ""    ], Some(&["/x/c", "urlsession"])),
        (Xdg,     ["",   "h",  "",     ""    ], None),
        (Xdg,     ["",   "",   "",     "C:/L"], None),
        (Xdg,     ["/u", "/h", "/x/c", ""    ], Some(&["/u", "cache"])),
        (Xdg,     ["/u", "",   "",     ""    ], Some(&["/u", "cache"])),
        (Mac,     ["",   "/h", "/x/c", ""    ], Some(&["/h", "Library", "Caches", "urlsession"])),
        (Mac,     ["/u", "/h", "",     ""    ], Some(&["/u", "cache"])),
        (Mac,     ["",   "",   "/x/c", ""    ], None),
        (Windows, ["",   "/h", "/x/c", "C:/L"], Some(&["C:/L", "urlsession"])),
        (Windows, ["",   "/h", "",     ""    ], Some(&["/h", "AppData", "Local", "urlsession"])),
        (Windows, ["/u", "/h", "",     "C:/L"], Some(&["/u", "cache"])),
        (Windows, ["",   "",   "",     ""    ], None),
    ];
    if !cfg!(unix) {
        // `/h` is no absolute path there, which is what XDG asks for.
        return;
    }
    for (system, variables, expected) in cases {
        for unset in [true, false] {
            let [urlsession_home, home, xdg_cache_home, local_app_data] =
                variables.map(|value| (!unset || !value.is_empty()).then(|| PathBuf::from(value)));
            let surroundings = Surroundings {
                urlsession_home,
                home,
                xdg_cache_home,
                local_app_data,
                ..Surroundings::default()
            };
            let expected = expected.map(|parts| parts.iter().collect::<PathBuf>());
            assert_eq!(surroundings.cache_folder(*system), expected, "{system:?} {variables:?}");
        }
    }
}

#[test]
fn the_environment_says_where_lies_what_lasts() {
    use System::{Mac, Windows, Xdg};
    type Case = (System, [&'static str; 4], Option<&'static [&'static str]>);
    // URLSESSION_HOME, home, XDG_STATE_HOME, LOCALAPPDATA -> folder
    #[rustfmt::skip]
    let cases: &[Case] = &[
        (Xdg,     ["",   "/h", "",     ""    ], Some(&["/h", ".local", "state", "urlsession"])),
        (Xdg,     ["",   "/h", "/x/s", "C:/L"], Some(&["/x/s", "urlsession"])),
        (Xdg,     ["",   "/h", "x/s",  ""    ], Some(&["/h", ".local", "state", "urlsession"])),
        (Xdg,     ["",   "",   "/x/s", ""    ], Some(&["/x/s", "urlsession"])),
        (Xdg,     ["",   "h",  "",     ""    ], None),
        (Xdg,     ["",   "",   "",     "C:/L"], None),
        (Xdg,     ["/u", "/h", "/x/s", ""    ], Some(&["/u", "state"])),
        (Mac,     ["",   "/h", "/x/s", ""    ], Some(&["/h", "Library", "Application Support", "urlsession"])),
        (Mac,     ["/u", "/h", "",     ""    ], Some(&["/u", "state"])),
        (Mac,     ["",   "",   "/x/s", ""    ], None),
        (Windows, ["",   "/h", "/x/s", "C:/L"], Some(&["C:/L", "urlsession", "state"])),
        (Windows, ["",   "/h", "",     ""    ], Some(&["/h", "AppData", "Local", "urlsession", "state"])),
        (Windows, ["/u", "/h", "",     "C:/L"], Some(&["/u", "state"])),
        (Windows, ["",   "",   "",     ""    ], None),
    ];
    if !cfg!(unix) {
        // `/h` is no absolute path there, which is what XDG asks for.
        return;
    }
    for (system, variables, expected) in cases {
        for is_build_script in [false, true] {
            let [urlsession_home, home, xdg_state_home, local_app_data] =
                variables.map(|value| Some(PathBuf::from(value)));
            let surroundings = Surroundings {
                urlsession_home,
                home,
                xdg_state_home,
                local_app_data,
                is_build_script,
                ..Surroundings::default()
            };
            let expected = expected.map(|parts| parts.iter().collect::<PathBuf>());
            let expected = expected.filter(|_| !is_build_script);
            assert_eq!(surroundings.state_folder(*system), expected, "{system:?} {variables:?}");
        }
    }
}

#[test]
fn a_program_without_a_name_has_that_of_its_file_and_one_for_its_place() {
    for (path, expected) in [
        ("/bin/fetch", "fetch-e224a2004d713424"),
        ("/opt/fetch", "fetch-e59000527edf7bc0"),
        ("/opt/fetch.exe", "fetch-6f54f53ad80b4c2e"),
        ("/", "-af63a24c860189fe"),
    ] {
        assert_eq!(name_of(Path::new(path)), expected);
    }
    let own = name(None).unwrap();
    assert_eq!(name(None).unwrap(), own);
    assert_eq!(name(Some("My program")).unwrap(), "My program");
}

/// As any reader of such names does it.
fn decoded(name: &str) -> String {
    percent_encoding::percent_decode_str(name).decode_utf8().unwrap().into_owned()
}

#[test]
fn what_names_a_folder_is_written_so_that_it_is_one_name_on_every_system() {
    for (text, expected) in [
        ("org.example.films", "org.example.films"),
        ("a-b_c.7", "a-b_c.7"),
        // A volume that does not tell upper from lower case still tells these apart.
        ("Films", "%46ilms"),
        ("films", "films"),
        ("a/b\\c", "a%2fb%5cc"),
        ("100%", "100%25"),
        ("\u{e4} b", "%c3%a4%20b"),
        // Of the system, hidden, or not to be told from others on Windows.
        (".", "%2e"),
        ("..", "%2e%2e"),
        (".a.", "%2ea%2e"),
        ("nul", "%6eul"),
        ("com1.log", "%63om1.log"),
        ("nuls", "nuls"),
        ("a\0b", "a%00b"),
    ] {
        assert_eq!(file_name(text), expected);
        assert_eq!(decoded(expected), text);
    }
    assert_eq!(file_name(""), "%");
}

#[test]
fn what_is_too_long_for_a_name_is_told_apart_by_its_hash() {
    let (long, other) = ("x".repeat(300), format!("{}y", "x".repeat(299)));
    for text in [&long, &other, &"\u{e4}".repeat(200)] {
        let name = file_name(text);
        assert!(name.len() <= 160, "{name}");
        assert!(name.contains('~'), "{name}");
    }
    assert_ne!(file_name(&long), file_name(&other));
    // No other text is written like that.
    assert_eq!(file_name("a~b"), "a%7eb");
    assert_eq!(file_name(&"x".repeat(120)), "x".repeat(120));
}
