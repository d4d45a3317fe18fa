use super::*;
use crate::files::folder::first_of;

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
