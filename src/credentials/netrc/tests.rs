use std::fs;

use super::*;

/// What `text` has for `a.test`, as `user:password`.
fn found(text: &str, user: Option<&str>) -> Result<Option<String>, Unusable> {
    let netrc = Netrc::parse(text)?;
    let credential = netrc.credential("a.test", user);
    Ok(credential.map(|one| format!("{}:{}", one.user().unwrap(), one.password().unwrap())))
}

#[test]
fn the_entry_of_the_exact_host_is_found() {
    for (text, expected) in [
        ("machine a.test login ann password pw", Some("ann:pw")),
        ("machine\n\ta.test\r\n  login ann\n\n password\npw\n", Some("ann:pw")),
        ("MACHINE A.Test Login ann PASSWORD pw", Some("ann:pw")),
        ("machine a.test password pw login ann account x", Some("ann:pw")),
        ("machine a.test password pw", Some(":pw")),
        ("machine a.test login ann", None),
        ("machine a.test", None),
        ("", None),
        // Other hosts, and those that only look alike.
        ("machine b.test login bob password no", None),
        ("machine test login bob password no", None),
        ("machine .a.test login bob password no", None),
        ("machine *.test login bob password no", None),
        ("machine x.a.test login bob password no", None),
        ("machine a.test. login bob password no", None),
        ("machine b.test password no machine a.test login ann password pw", Some("ann:pw")),
        // The first one that has a password.
        ("machine a.test login x machine a.test login ann password pw", Some("ann:pw")),
        ("machine a.test login ann password 1 machine a.test login ann password 2", Some("ann:1")),
        // No default, neither instead nor behind.
        ("default login any password no", None),
        ("machine a.test login ann default password no", None),
        ("default login any password no machine a.test login ann password pw", Some("ann:pw")),
        // Values that look like words of the format.
        ("machine a.test login password password login", Some("password:login")),
        ("machine a.test login machine password default", Some("machine:default")),
        ("login x password y machine a.test login ann password pw", Some("ann:pw")),
        // Words of other programs.
        ("machine a.test port 80 login ann password pw", Some("ann:pw")),
        // Comments, where a word could begin.
        ("# machine a.test password no\nmachine a.test login ann password p#w", Some("ann:p#w")),
        ("machine a.test # password no\nlogin ann password pw", Some("ann:pw")),
        // Where a value is expected there is no comment, which would end in the next entry.
        (
            "machine a.test login ann password #pw\nmachine b.test login bob password no",
            Some("ann:#pw"),
        ),
        ("machine a.test login #ann password pw", Some("#ann:pw")),
        // Macros.
        ("macdef m\nmachine a.test password no\n\nmachine a.test password pw", Some(":pw")),
        ("machine a.test password pw\nmacdef init\nmachine a.test login no", Some(":pw")),
        ("macdef m\r\nmachine a.test password no\r\n\r\nmachine a.test password pw", Some(":pw")),
        // Quotes.
        ("machine \"a.test\" login \"ann b\" password \"\"", Some("ann b:")),
        ("machine a.test login ann password \"p\\\"\\\\\\n\\r\\t\\w#\"", Some("ann:p\"\\\n\r\tw#")),
        ("machine a.test login ann password p\"w", Some("ann:p\"w")),
    ] {
        assert_eq!(found(text, None), Ok(expected.map(str::to_owned)), "{text:?}");
    }
}

#[test]
fn nothing_of_a_broken_file_is_used() {
    for text in [
        "machine a.test login ann password \"pw",
        "machine a.test login ann password \"pw\\",
        "machine a.test password pw machine",
        "machine a.test password pw login",
        "machine a.test login ann password",
    ] {
        assert_eq!(found(text, None), Err(Unusable::Broken), "{text:?}");
    }
}

#[test]
fn a_named_user_gets_no_other_users_password() {
    const TEXT: &str = "machine a.test login ann password 1 machine a.test password 2 \
                        machine a.test login bob password 3 machine a.test login eve";
    for (user, expected) in [
        (None, Some("ann:1")),
        (Some("ann"), Some("ann:1")),
        (Some("bob"), Some("bob:3")),
        (Some("Ann"), None),
        (Some("eve"), None),
        (Some(""), None),
    ] {
        assert_eq!(found(TEXT, user), Ok(expected.map(str::to_owned)), "{user:?}");
    }
}

#[test]
fn the_environment_says_where_the_file_is() {
    let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let name = if cfg!(windows) { "_netrc" } else { ".netrc" };
    for (variables, expected) in [
        (&[("NETRC", "n"), (home, "h")][..], Some(PathBuf::from("n"))),
        (&[("NETRC", ""), (home, "h")], Some(Path::new("h").join(name))),
        (&[(home, "h")], Some(Path::new("h").join(name))),
        (&[(home, "")], None),
        (&[], None),
    ] {
        let value = |wanted: &str| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| OsString::from(value))
        };
        assert_eq!(Netrc::path(value), expected, "{variables:?}");
    }
}

#[test]
fn a_file_is_read_up_to_its_limit() {
    let folder = std::env::temp_dir().join(format!("urlsession-netrc-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("netrc");
    let entry = "machine a.test login ann password pw ";
    let padded = |length: u64| {
        let spaces = usize::try_from(length).unwrap() - entry.len();
        entry.to_owned() + &" ".repeat(spaces)
    };
    for (bytes, expected) in [
        (entry.as_bytes().to_vec(), Ok(())),
        (padded(LARGEST).into_bytes(), Ok(())),
        (padded(LARGEST + 1).into_bytes(), Err(Unusable::TooLarge)),
        (b"machine a.test password \xff".to_vec(), Err(Unusable::NotText)),
        (b"machine \"a.test".to_vec(), Err(Unusable::Broken)),
    ] {
        fs::write(&file, &bytes).unwrap();
        let read = Netrc::read(&file).map(|(netrc, _)| assert_eq!(netrc.entries.len(), 1));
        assert_eq!(read, expected, "{} bytes", bytes.len());
        assert_eq!(Netrc::open(&file).is_some(), expected.is_ok());
    }
    assert!(Netrc::open(&folder.join("none")).is_none());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::write(&file, entry).unwrap();
        for (mode, exposed) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Netrc::read(&file).unwrap().1, exposed, "{mode:o}");
        }
    }
    fs::remove_dir_all(&folder).unwrap();
}
