//! Where programs come in: waits for them, for a bell, and for nothing.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::watch::Watched;
use crate::background::place::{Place, remove_socket};
use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::log;

/// The socket that a daemon listens at, which is removed with this.
#[derive(Debug)]
pub(super) struct Door {
    listener: UnixListener,
    socket: Watched,
    place: Place,
    census: Census,
    heard: Heard,
    is_there: bool,
}

/// What came first.
#[derive(Debug)]
pub(super) enum Knock {
    Guest(UnixStream),
    Bell,
    /// The socket was taken away.
    Lost,
    /// Nothing, for as long as was waited.
    Silence,
    /// The system has nothing to let somebody in with.
    Failed(io::Error),
}

/// Wakes who waits at the door.
#[derive(Debug)]
pub(super) struct Bell(UnixStream);

/// The other end of a bell.
#[derive(Debug)]
pub(super) struct Heard(UnixStream);

/// Makes a bell.
pub(super) fn bell() -> Result<(Bell, Heard), Error> {
    let pair = UnixStream::pair().and_then(|(bell, heard)| {
        bell.set_nonblocking(true)?;
        heard.set_nonblocking(true)?;
        Ok((Bell(bell), Heard(heard)))
    });
    pair.map_err(|error| Error::new(ErrorKind::OutOfResources, "no socket pair").by_system(error))
}

impl Bell {
    pub(super) fn ring(&self) {
        // One that is full has been rung.
        let _ = (&self.0).write(&[0]);
    }
}

impl Heard {
    fn forget(&self) {
        while matches!((&self.0).read(&mut [0; 64]), Ok(1..)) {}
    }
}

impl Door {
    /// Opens it, for whoever has the lock.
    pub(super) fn open(place: &Place, census: &Census, heard: Heard) -> Result<Self, Error> {
        let (listener, socket) = listen(place, census)?;
        let (place, census) = (place.clone(), census.clone());
        Ok(Self { listener, socket, place, census, heard, is_there: true })
    }

    /// Waits for what comes first, for at most `timeout`.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> Knock {
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        loop {
            let mut fds = vec![
                PollFd::new(&self.listener, PollFlags::IN),
                PollFd::new(&self.heard.0, PollFlags::IN),
            ];
            let notices = self.socket.notices();
            fds.extend(notices.map(|notices| PollFd::new(notices, PollFlags::IN)));
            match poll(&mut fds, timeout.as_ref()) {
                Ok(0) => return Knock::Silence,
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Knock::Failed(error.into()),
            }
            if !fds[1].revents().is_empty() {
                self.heard.forget();
                return Knock::Bell;
            }
            if let (Some(notices), Some(fd)) = (notices, fds.get(2))
                && !fd.revents().is_empty()
            {
                notices.forget();
                if !self.socket.is_there() {
                    return Knock::Lost;
                }
            }
            match self.accept() {
                Ok(Some(stream)) => return Knock::Guest(stream),
                Ok(None) => {}
                Err(error) => return Knock::Failed(error),
            }
        }
    }

    /// Removes the socket, and looks who has come before that; if somebody has, they are let in
    /// after all, with the door open again.
    pub(super) fn last_look(&mut self) -> Result<Vec<UnixStream>, Error> {
        self.remove();
        let mut came = Vec::new();
        loop {
            match self.accept() {
                Ok(Some(stream)) => came.push(stream),
                Ok(None) => break,
                Err(error) => {
                    let detail = "cannot let a program in";
                    return Err(Error::new(ErrorKind::OutOfResources, detail).by_system(error));
                }
            }
        }
        if !came.is_empty() {
            self.reopen()?;
        }
        Ok(came)
    }

    /// Listens anew, for whoever still has the lock.
    pub(super) fn reopen(&mut self) -> Result<(), Error> {
        self.is_there = false;
        (self.listener, self.socket) = listen(&self.place, &self.census)?;
        self.is_there = true;
        Ok(())
    }

    fn accept(&self) -> io::Result<Option<UnixStream>> {
        match self.listener.accept() {
            Ok((stream, _)) => {
                // On some systems it is as the listener is.
                stream.set_nonblocking(false)?;
                Ok(Some(stream))
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(error),
            },
        }
    }

    fn remove(&mut self) {
        // What lies there otherwise may be another daemon's.
        if self.is_there && self.socket.is_there() {
            self.is_there = false;
            if let Err(error) = remove_socket(self.socket.path()) {
                log::warn!("{error}");
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.remove();
    }
}

fn listen(place: &Place, census: &Census) -> Result<(UnixListener, Watched), Error> {
    let (listener, path) = place.listen(census)?;
    let detail = format!("cannot listen at {}", path.display());
    let socket = listener.set_nonblocking(true).and_then(|()| Watched::new(path));
    let socket =
        socket.map_err(|error| Error::new(ErrorKind::CannotOpenFile, detail).by_system(error))?;
    Ok((listener, socket))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Scratch;

    #[test]
    fn who_comes_as_it_closes_is_let_in_after_all() {
        let scratch = Scratch::new();
        let (place, census) = (Place::of(Some(&scratch.join("state"))).unwrap(), Census::default());
        place.make(&census).unwrap();
        let (_bell, heard) = bell().unwrap();
        let mut door = Door::open(&place, &census, heard).unwrap();
        // They came after the last wait.
        let mut far = [(); 3].map(|()| place.connect().unwrap().unwrap());
        let mut near = door.last_look().unwrap();
        assert_eq!(near.len(), far.len());
        for (far, near) in far.iter_mut().zip(&mut near) {
            far.write_all(&[7]).unwrap();
            near.read_exact(&mut [0]).unwrap();
        }
        // And others may come.
        let _far = place.connect().unwrap().unwrap();
        assert!(matches!(door.wait(None), Knock::Guest(_)));
        assert!(door.last_look().unwrap().is_empty());
        assert!(place.connect().unwrap().is_none());
        assert!(!door.socket.path().exists());
    }

    #[test]
    fn it_waits_for_a_bell_and_for_nothing() {
        let scratch = Scratch::new();
        let (place, census) = (Place::of(Some(&scratch.join("state"))).unwrap(), Census::default());
        place.make(&census).unwrap();
        let (bell, heard) = bell().unwrap();
        let door = Door::open(&place, &census, heard).unwrap();
        // Once it is heard, it is over, however often it was rung.
        for _ in 0..1000 {
            bell.ring();
        }
        assert!(matches!(door.wait(None), Knock::Bell));
        assert!(matches!(door.wait(Some(Duration::ZERO)), Knock::Silence));
    }
}
