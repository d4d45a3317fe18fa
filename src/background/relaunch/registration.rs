//! The command of a program in its file: `launch`, in the program's folder of the state folder.
//!
//! A JSON object; `command` is the executable and its arguments, each a text, or a list of its
//! bytes. Whoever can write it has the daemon run what they like, so it is this user's alone, and
//! what is not is refused.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{self, Path, PathBuf};

use serde_json::{Value, json};

use crate::background::form;
use crate::census::Census;
use crate::configuration::Configuration;
use crate::error::{Error, ErrorKind};
use crate::files::{check_own_folder, make_own_folder, private};
use crate::program::{self, file_name};

/// What a command may take in its file.
const LONGEST: u64 = 64 * 1024;

const NAME: &str = "launch";

/// Where the command of one program stands.
#[derive(Debug)]
pub(in crate::background) struct Registration {
    state: PathBuf,
    /// The folder of the program in it.
    program: String,
}

impl Registration {
    /// Returns where that of the program with this configuration stands.
    pub(super) fn of(configuration: &Configuration) -> Result<Self, Error> {
        let state = configuration.state_directory.clone().or_else(program::state_folder);
        let (state, program) =
            state.zip(program::name(configuration.program.as_deref())).ok_or_else(nothing_lasts)?;
        let state = path::absolute(&state).unwrap_or(state);
        Ok(Self::at(&state, &program))
    }

    /// Returns where that of a program stands in a state folder.
    pub(in crate::background) fn at(state: &Path, program: &str) -> Self {
        Self { state: state.to_owned(), program: file_name(program) }
    }

    fn folder(&self) -> PathBuf {
        self.state.join(&self.program)
    }

    fn path(&self) -> PathBuf {
        self.folder().join(NAME)
    }

    /// Writes a command down, in place of another one.
    pub(super) fn write(&self, executable: &Path, arguments: Vec<OsString>) -> Result<(), Error> {
        let command: Vec<OsString> = [executable.into()].into_iter().chain(arguments).collect();
        if let Some(words) = refusal(&command) {
            return Err(invalid(&words));
        }
        let words: Vec<Value> =
            command.iter().map(|word| form::path_value(word.as_ref())).collect();
        let text = json!({ "command": words }).to_string();
        if text.len() as u64 > LONGEST {
            return Err(invalid("it is longer than 64 KiB"));
        }
        let census = Census::default();
        let (base, name) =
            self.state.parent().zip(self.state.file_name()).ok_or_else(nothing_lasts)?;
        make_own_folder(base, &[name, self.program.as_ref()], &census)?;
        let path = self.path();
        private::replace(&path, &path.with_extension("new"), text.as_bytes())?;
        private::sync_folder_of(&path, &census);
        Ok(())
    }

    /// Removes it, if there is one.
    pub(super) fn remove(&self) -> Result<(), Error> {
        let path = self.path();
        private::try_remove(&path).map_err(|error| {
            let detail = format!("cannot remove {}", path.display());
            Error::new(ErrorKind::CannotOpenFile, detail).by_system(error)
        })
    }

    /// Returns the command, the executable first; `None` if nothing was registered.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::CannotOpenFile`] if somebody else may have written it;
    /// [`ErrorKind::InvalidRequest`] if it is no command that can be run; those of files.
    pub(in crate::background) fn read(&self) -> Result<Option<Vec<OsString>>, Error> {
        if !check_own_folder(&self.state)? || !check_own_folder(&self.folder())? {
            return Ok(None);
        }
        let path = self.path();
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(found) if strangeness(&found).is_some() => return Err(strange(&path, &found)),
            // Those of what lies there are those of reading it.
            Ok(_) | Err(_) => {}
        }
        let Some(text) = private::read(&path, LONGEST)? else { return Ok(None) };
        let command = parse(&text).ok_or_else(|| invalid("its file does not hold one"))?;
        match refusal(&command) {
            Some(words) => Err(invalid(&words)),
            None => Ok(Some(command)),
        }
    }
}

fn parse(text: &str) -> Option<Vec<OsString>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let words = value.get("command")?.as_array()?.iter();
    words.map(|word| form::path(word).map(PathBuf::into_os_string)).collect()
}

/// Returns why a command cannot be run, if so.
fn refusal(command: &[OsString]) -> Option<String> {
    if command.iter().any(|word| word.as_bytes().contains(&0)) {
        return Some("one of its words has a zero byte".to_owned());
    }
    let Some(executable) = command.first().map(Path::new) else {
        return Some("it names no executable".to_owned());
    };
    let name = executable.display();
    if !executable.is_absolute() {
        // It would be another one in each working directory.
        return Some(format!("{name} is no absolute path"));
    }
    let found = fs::metadata(executable);
    let can_be_run =
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    (!can_be_run).then(|| format!("{name} is no executable file"))
}

/// Returns why what lies in place of a registration may be somebody else's, if so.
fn strangeness(found: &Metadata) -> Option<&'static str> {
    let is_own = found.uid() == rustix::process::geteuid().as_raw();
    match found.file_type() {
        kind if kind.is_symlink() => Some("is a symbolic link"),
        kind if !kind.is_file() => Some("is no file"),
        _ if !is_own => Some("belongs to another user"),
        _ if found.mode() & 0o022 != 0 => Some("may be written by others"),
        _ => None,
    }
}

fn strange(path: &Path, found: &Metadata) -> Error {
    let what = strangeness(found).unwrap_or_default();
    let detail = format!("{} {what}: remove it, and register the command anew", path.display());
    Error::new(ErrorKind::CannotOpenFile, detail)
}

fn invalid(words: &str) -> Error {
    let detail = format!("a command by which a program is started again cannot be run: {words}");
    Error::new(ErrorKind::InvalidRequest, detail)
}

fn nothing_lasts() -> Error {
    let detail = "a command by which a program is started again needs a place that lasts: this user \
                  has no home folder, or this is a build script; set URLSESSION_HOME";
    Error::new(ErrorKind::NotSupported, detail)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::tests::Scratch;

    fn registration(scratch: &Scratch) -> Registration {
        let configuration =
            Configuration::default().program("a/b").state_directory(scratch.join("s"));
        Registration::of(&configuration).unwrap()
    }

    #[test]
    fn a_command_is_kept_for_this_user_as_it_is() {
        let scratch = Scratch::new();
        let registration = registration(&scratch);
        assert_eq!(registration.read().unwrap(), None);
        registration.remove().unwrap();
        for arguments in [
            vec![],
            vec![OsString::new(), "$(id) \"; ".into(), OsString::from_vec(b"\xff\n".to_vec())],
        ] {
            registration.write("/bin/sh".as_ref(), arguments.clone()).unwrap();
            let command = registration.read().unwrap().unwrap();
            assert_eq!((command[0].as_bytes(), &command[1..]), (&b"/bin/sh"[..], &arguments[..]));
        }
        let mode = |path: PathBuf| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(registration.path()), mode(registration.folder())), (0o600, 0o700));
        registration.remove().unwrap();
        assert_eq!(registration.read().unwrap(), None);
    }

    #[test]
    fn what_cannot_be_run_is_not_registered() {
        let scratch = Scratch::new();
        let (registration, file) = (registration(&scratch), scratch.join("file"));
        fs::write(&file, "").unwrap();
        let long = vec!["a".repeat(LONGEST as usize).into()];
        for (executable, arguments, words) in [
            ("sh".as_ref(), vec![], "sh is no absolute path"),
            ("".as_ref(), vec![], " is no absolute path"),
            ("/bin/no-such".as_ref(), vec![], "/bin/no-such is no executable file"),
            ("/bin".as_ref(), vec![], "/bin is no executable file"),
            (&*file, vec![], "is no executable file"),
            ("/bin/sh".as_ref(), vec!["a\0b".into()], "one of its words has a zero byte"),
            ("/bin/sh".as_ref(), long, "it is longer than 64 KiB"),
        ] {
            let error = registration.write(executable, arguments).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(error.to_string().contains(words), "{error}");
        }
        assert!(!registration.folder().exists());
    }

    #[test]
    fn what_others_may_have_written_is_refused() {
        let scratch = Scratch::new();
        let registration = registration(&scratch);
        registration.write("/bin/sh".as_ref(), vec![]).unwrap();
        let (path, other) = (registration.path(), scratch.join("other"));
        let refused = |words: &str| {
            let error = registration.read().unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        };
        for mode in [0o620, 0o602, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            refused("may be written by others");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(&path, &other).unwrap();
        symlink(&other, &path).unwrap();
        refused("is a symbolic link");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        refused("is no file");
        fs::remove_dir(&path).unwrap();
        for text in ["", "{}", "{\"command\":[]}", "{\"command\":\"/bin/sh\"}", "[\"/bin/sh\"]"] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            refused("cannot be run");
        }
        let folder = registration.folder();
        fs::rename(&folder, scratch.join("elsewhere")).unwrap();
        symlink(scratch.join("elsewhere"), &folder).unwrap();
        refused("is a symbolic link");
    }
}
