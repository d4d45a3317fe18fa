//! Sockets that lie in the file system, and who is at their other end.

use std::io;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::error::{Error, ErrorKind};

/// Listens at `path`, where nothing may be.
///
/// The permissions of the socket are what the process's mask leaves: its folder is what keeps
/// others away, as not every system asks for the socket's own (unix(7)).
pub(super) fn listen(path: &Path) -> Result<UnixListener, Error> {
    let listener = with_address(path, |address| UnixListener::bind(address));
    listener.map_err(|error| failed("listen at", path, error))
}

/// Connects to who listens at `path`, who has to be this user; none if nobody does.
///
/// It does not wait for somebody who does not accept.
///
/// # Errors
///
/// [`ErrorKind::OutOfResources`] if too many wait to be accepted.
pub(super) fn connect(path: &Path) -> Result<Option<UnixStream>, Error> {
    let connected = with_address(path, |address| {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(address)?)?;
        socket.set_nonblocking(false)?;
        Ok(UnixStream::from(socket))
    });
    let stream = match connected {
        Ok(stream) => stream,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
                io::ErrorKind::WouldBlock => {
                    let detail = format!("the daemon at {} takes nobody", path.display());
                    Err(Error::new(ErrorKind::OutOfResources, detail).because(error))
                }
                _ => Err(failed("connect to", path, error)),
            };
        }
    };
    check_peer(&stream)?;
    Ok(Some(stream))
}

/// Has the kernel say who is at the other end.
///
/// # Errors
///
/// [`ErrorKind::CannotOpenFile`] if that is another user.
pub(super) fn check_peer(stream: &UnixStream) -> Result<(), Error> {
    let user = peer(stream).map_err(|error| {
        let detail = "the system does not tell whose the other end of a socket is";
        Error::new(ErrorKind::NotSupported, detail).because(error)
    })?;
    let own = rustix::process::geteuid().as_raw();
    if user == own {
        return Ok(());
    }
    let detail = format!(
        "the other end of a socket belongs to the user with number {user}, not to {own}: nothing \
         is said to it"
    );
    Err(Error::new(ErrorKind::CannotOpenFile, detail))
}

/// Returns the number of the user who has made the other end.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn peer(stream: &UnixStream) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw())
}

#[cfg(any(
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
))]
fn peer(stream: &UnixStream) -> io::Result<u32> {
    Ok(nix::unistd::getpeereid(stream)?.0.as_raw())
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
fn peer(_stream: &UnixStream) -> io::Result<u32> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Calls with a path that leads to the same, and fits into an address of a socket, which holds
/// 107 bytes on Linux and 103 on macOS.
fn with_address<T>(path: &Path, call: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    if SocketAddr::from_pathname(path).is_ok() {
        return call(path);
    }
    with_short_address(path, call)
}

/// By the folder, which is open here: what `/proc` calls it is short.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn with_short_address<T>(path: &Path, call: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{Mode, OFlags};
    let (folder, name) = path.parent().zip(path.file_name()).ok_or(io::ErrorKind::InvalidInput)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder, flags, Mode::empty())?;
    call(&Path::new(&format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn with_short_address<T>(
    _path: &Path,
    _call: impl FnOnce(&Path) -> io::Result<T>,
) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidFilename, "its path is too long for a socket"))
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    let detail = format!("cannot {what} {}", path.display());
    if error.kind() == io::ErrorKind::InvalidFilename {
        let detail = format!(
            "{detail}: the path is too long for a socket of this system; choose a state folder \
             with a shorter one"
        );
        return Error::new(ErrorKind::NotSupported, detail).because(error);
    }
    Error::new(ErrorKind::CannotOpenFile, detail).by_system(error)
}
