//! Loads that block, one for each stage.

use std::any::Any;
use std::io;
#[cfg(feature = "tls")]
use std::io::Read;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
#[cfg(feature = "tls")]
use std::thread;

use urlsession::testing::{Answer, Counters, ExpectPolicy, Server};
use urlsession::{Body, Clock, Configuration, Request, Resolver, Session, Stage};

use crate::support::running::{HANG, all_have_left, nothing_is_left, wait_for};

/// Where a load blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    LookUp,
    #[cfg(target_os = "linux")]
    Connect,
    #[cfg(feature = "tls")]
    Handshake,
    Head,
    /// Behind so many bytes of the body.
    Body(u64),
    Upload,
    ChunkedUpload,
    /// Until the server says 100 (Continue); for ever, as the clock stands still.
    Leave,
}

/// A load that will block, and how to see that it does.
pub(crate) struct Scene {
    pub(crate) configuration: Configuration,
    pub(crate) request: Request,
    server: Option<Server>,
    until: Until,
    /// What makes it block.
    _kept: Box<dyn Any>,
}

enum Until {
    /// What makes it block says so.
    Told(Receiver<()>),
    /// The session has a socket.
    Connecting,
    /// The server stalls.
    Stalled,
    /// The server has a head.
    Head,
}

impl Block {
    /// All places where a load can block.
    pub(crate) const ALL: &[Self] = &[
        Self::LookUp,
        #[cfg(target_os = "linux")]
        Self::Connect,
        #[cfg(feature = "tls")]
        Self::Handshake,
        Self::Head,
        Self::Body(5),
        Self::Upload,
        Self::ChunkedUpload,
        Self::Leave,
    ];

    /// Returns the stage that an error there names.
    pub(crate) fn stage(self) -> Stage {
        match self {
            Self::LookUp => Stage::LookingUp,
            #[cfg(target_os = "linux")]
            Self::Connect => Stage::Connecting,
            #[cfg(feature = "tls")]
            Self::Handshake => Stage::Securing,
            Self::Head | Self::Leave => Stage::WaitingForResponse,
            Self::Body(_) => Stage::Receiving,
            Self::Upload | Self::ChunkedUpload => Stage::Sending,
        }
    }

    /// Sets the scene.
    pub(crate) fn scene(self) -> Scene {
        match self {
            Self::LookUp => looking_up(),
            #[cfg(target_os = "linux")]
            Self::Connect => connecting(),
            #[cfg(feature = "tls")]
            Self::Handshake => shaking_hands(),
            Self::Head => stalled(Answer::ok("never").stall_before_head(), Request::get),
            Self::Body(before) => {
                let answer = Answer::status(200).body_of_size(before + 10);
                stalled(answer.stall_in_body_after(before), Request::get)
            }
            Self::Upload => {
                let body = Body::opened_by(|| Ok(io::repeat(b'x'))).with_length(1 << 40);
                uploading(body)
            }
            Self::ChunkedUpload => uploading(Body::reader(io::repeat(b'x'))),
            Self::Leave => waiting_for_leave(),
        }
    }
}

impl Scene {
    fn new(server: Option<Server>, request: Request, until: Until) -> Self {
        let configuration = Configuration::ephemeral();
        Self { configuration, request, server, until, _kept: Box::new(()) }
    }

    pub(crate) fn session(&self) -> Session {
        Session::new(self.configuration.clone()).unwrap()
    }

    pub(crate) fn wait_until_blocked(&self, session: &Session) {
        match (&self.until, &self.server) {
            (Until::Told(told), _) => told.recv_timeout(HANG).unwrap(),
            (Until::Connecting, _) => {
                let counters = Counters::of(session);
                wait_for("a socket", || counters.sockets() == 1);
            }
            (Until::Stalled, Some(server)) => server.wait_until(|stats| stats.stalled == 1),
            (Until::Head, Some(server)) => server.wait_until(|stats| stats.heads == 1),
            (_, None) => panic!("a scene without a server"),
        }
    }

    /// Sees that nothing is left of the load, although the session lives, and then that
    /// nothing is left of the session.
    pub(crate) fn end(self, session: Session) {
        let counters = Counters::of(&session);
        wait_for("no socket", || counters.sockets() == 0);
        if let Some(server) = &self.server {
            all_have_left(server);
        }
        drop(self._kept);
        drop(self.configuration);
        nothing_is_left(session, &self.server.iter().collect::<Vec<_>>());
    }
}

fn looking_up() -> Scene {
    let (asks, asked) = channel();
    let (answers, answer) = channel::<()>();
    let shared = Mutex::new((asks, answer));
    let resolver = Resolver::new(move |_, _| {
        let shared = shared.lock().unwrap();
        shared.0.send(()).unwrap();
        // Ends when the sender is dropped.
        let _ = shared.1.recv();
        Err(io::Error::other("too late"))
    });
    let mut scene = Scene::new(None, Request::get("http://shop.test/"), Until::Told(asked));
    scene.configuration.resolver = Some(resolver);
    scene._kept = Box::new(answers);
    scene
}

#[cfg(target_os = "linux")]
fn connecting() -> Scene {
    let hole = urlsession::testing::BlackHole::start();
    let mut scene = Scene::new(None, Request::get(hole.url("/")), Until::Connecting);
    scene._kept = Box::new(hole);
    scene
}

#[cfg(feature = "tls")]
fn shaking_hands() -> Scene {
    use urlsession::Certificate;
    use urlsession::testing::Authority;

    // It tells when the client has spoken: then the connection is made for certain.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let request = Request::get(format!("https://{}/", listener.local_addr().unwrap()));
    let (hears, heard) = channel();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.read_exact(&mut [0]).unwrap();
        hears.send(()).unwrap();
        let _ = io::copy(&mut client, &mut io::sink());
    });
    let root = Certificate::from_der(Authority::new().certificate_der());
    let mut scene = Scene::new(None, request, Until::Told(heard));
    scene.configuration.trusts_system_roots = false;
    scene.configuration.additional_roots = vec![root];
    scene
}

fn stalled(answer: Answer, request: impl FnOnce(String) -> Request) -> Scene {
    let server = Server::start();
    server.enqueue(answer);
    let request = request(server.url("/"));
    Scene::new(Some(server), request, Until::Stalled)
}

fn uploading(body: Body) -> Scene {
    stalled(Answer::ok("").stall_reading_after(0), |url| Request::put(url).body(body))
}

fn waiting_for_leave() -> Scene {
    let server = Server::start();
    server.enqueue(Answer::ok("").on_expect(ExpectPolicy::Never));
    let request =
        Request::put(server.url("/")).header("Expect", "100-continue").body(vec![b'x'; 100_000]);
    let mut scene = Scene::new(Some(server), request, Until::Head);
    // By the system's clock the body would go out after a second.
    scene.configuration.clock = Clock::by_hand();
    scene
}
