use super::*;
use crate::files::folder::{Surroundings, System, first_of};

#[test]
fn the_environment_says_where_temporary_files_go() {
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
            let surroundings =
                Surroundings { urlsession_home, home, xdg_cache_home, local_app_data };
            let expected = expected.map(|parts| parts.iter().collect::<PathBuf>());
            assert_eq!(surroundings.cache_folder(*system), expected, "{system:?} {variables:?}");
        }
    }
}

#[test]
fn a_missing_folder_is_made_for_this_user_only() {
    let scratch = Scratch::new();
    let preferred = scratch.join("a").join("b");
    let file = first_of(Some(&preferred), scratch.path(), create).unwrap();
    assert_eq!(file.path().parent(), Some(&*preferred));
    #[cfg(unix)]
    for folder in [scratch.join("a"), preferred] {
        assert_eq!(mode(&folder), 0o700, "{folder:?}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_replaced_by_the_systems() {
    let scratch = Scratch::new();
    let fallback = scratch.folder("fallback");
    let preferred = scratch.file("file", "").join("folder");
    for preferred in [Some(&*preferred), None] {
        let file = first_of(preferred, &fallback, create).unwrap();
        assert_eq!(file.path().parent(), Some(&*fallback), "{preferred:?}");
    }
}

#[test]
fn a_full_disk_is_not_escaped_from_into_memory() {
    let scratch = Scratch::new();
    for kind in [ErrorKind::StorageFull, ErrorKind::OutOfResources] {
        let outcome = first_of::<()>(Some(&scratch.join("full")), scratch.path(), |folder| {
            assert_ne!(folder, scratch.path());
            Err(Error::new(kind, "full, on purpose"))
        });
        assert_eq!(super::kind(outcome), Some(kind));
    }
}

fn create(folder: &Path) -> Result<PartialFile, Error> {
    let mut file = temporaries::create(Some(folder), &Census::default())?;
    file.name(&temporaries::name)?;
    Ok(file)
}
