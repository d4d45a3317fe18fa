//! Something of everything that is said.

use std::path::PathBuf;
use std::time::Duration;

use http::{StatusCode, Version};
use serde_json::Value;
use url::Url;

use super::super::{Hello, Hosted, Note, Order, Question, Reply, Welcome};
use crate::background::engine::Hands;
use crate::background::form;
use crate::background::host::{Command, Settings};
use crate::background::job::{Ending, Event, Job, Outcome, Phase, Work};
use crate::background::report::WaitsFor;
use crate::configuration::Configuration;
use crate::credentials::{
    AuthenticationMethod, Challenge, Credential, Disposition, ProtectionSpace,
};
use crate::download::{Digest, Expected, StartOver};
use crate::error::{Error, ErrorKind, Stage};
use crate::files::Existing;
use crate::headers::Headers;
use crate::request::Request;
use crate::response::Response;
use crate::retry::RetryPolicy;
use crate::session::{NewRequestReason, Progress, Schedule};

/// Returns what is said, one of each kind at least.
pub(super) fn all() -> Vec<Value> {
    let hello = Hello { oldest: 1, newest: 2, release: "0.1.0".to_owned() };
    let welcome = Welcome { protocol: 1, release: "0.1.0".to_owned(), process: 7 };
    let mut all = vec![hello.to_json(), welcome.to_json()];
    all.extend(orders().iter().map(Order::to_json));
    all.extend(notes().iter().map(Note::to_json));
    all.push(form::write_configuration(&Configuration::background("films"), true));
    all
}

/// Returns what a message is called.
pub(super) fn kind_of(message: &Value) -> String {
    message.as_object().unwrap().keys().next().unwrap().clone()
}

pub(super) fn orders() -> Vec<Order> {
    let open = Order::Open {
        program: "shop-1f".to_owned(),
        identifier: "films".to_owned(),
        configuration: form::write_configuration(&Configuration::background("films"), true),
        hands: Hands { coming: vec![3], held: vec![1, 2] },
    };
    let mut orders = vec![
        open,
        Order::GoOn { untold: vec![] },
        Order::GoOn { untold: vec![3, u64::MAX] },
        Order::Create { call: None, job: Box::new(job(1)), besides: None },
        Order::Dispose { question: 4, disposition: None },
        Order::CompleteLaunch,
        Order::Leave,
    ];
    for (number, job) in jobs().into_iter().enumerate() {
        let (call, besides) = (Some(number as u64), Some(9));
        orders.push(Order::Create { call, job: Box::new(job), besides });
    }
    for question in [Question::Flush, Question::Close, Question::Look, Question::Status] {
        orders.push(Order::Ask { call: 2, question });
    }
    for disposition in [
        Disposition::UseCredential(Credential::new("ann", "open \u{e4}")),
        Disposition::PerformDefaultHandling,
        Disposition::ContinueWithoutCredential,
        Disposition::Cancel,
        Disposition::RejectProtectionSpace,
    ] {
        orders.push(Order::Dispose { question: 4, disposition: Some(disposition) });
    }
    orders.extend(commands().into_iter().map(Order::Obey));
    orders
}

pub(super) fn commands() -> Vec<Command> {
    let mut commands = vec![
        Command::Withdraw(1),
        Command::Resume(3, None),
        Command::Suspend(4),
        Command::Cancel(5, None),
        Command::Interrupt(5),
        Command::Cancel(5, Some(error())),
        Command::Prioritize(6, 0.1),
        Command::Renew(7, None, error()),
        Command::Heard(8),
        Command::Acknowledge(9),
        Command::Taken(10),
        Command::Halt,
        Command::Forget,
        Command::RenewConnections,
        Command::Begin(11, None),
        Command::Begin(11, requests().pop()),
    ];
    let settings = |work, description: Option<&str>| Settings {
        work,
        description: description.map(str::to_owned),
        priority: 0.75,
        schedule: schedule(),
    };
    for settings in works().into_iter().map(|work| settings(Some(work), Some("a film"))) {
        commands.push(Command::Update(2, settings.clone()));
        commands.push(Command::Resume(2, Some(settings)));
    }
    commands.push(Command::Update(2, settings(None, None)));
    for request in requests() {
        commands.push(Command::Renew(7, Some(request), error()));
    }
    commands
}

pub(super) fn notes() -> Vec<Note> {
    let waits = [
        None,
        Some((WaitsFor::Retry(error()), Some(Duration::from_millis(1500)))),
        Some((WaitsFor::Connectivity, None)),
        Some((WaitsFor::Room, Some(Duration::ZERO))),
        Some((WaitsFor::Place(error()), None)),
        Some((WaitsFor::Request(NewRequestReason::Refused), None)),
        Some((WaitsFor::Request(NewRequestReason::SecretsLost), None)),
    ];
    let seen = waits.into_iter().zip(1..).map(|(wait, number)| (job(number), wait));
    let hosted = |identifier: &str, is_connected| Hosted {
        program: "shop-1f".to_owned(),
        identifier: identifier.to_owned(),
        is_connected,
        tasks: 3,
    };
    let status = vec![hosted("films", true), hosted("", false)];
    let damage = vec!["a line".to_owned(), "another".to_owned()];
    let mut progress = Progress::default();
    (progress.bytes_sent, progress.bytes_received) = (1, u64::MAX);
    progress.bytes_expected_to_receive = Some(0);
    let mut notes = vec![
        Note::Refused(error()),
        Note::Served {
            folder: PathBuf::from("/state/urlsession/shop/films"),
            untold: vec![1, 2],
            last_task: 7,
            damage,
        },
        Note::Served { folder: odd_path(), untold: vec![], last_task: 0, damage: vec![] },
        Note::Done(7),
        Note::Known { call: 1, task: None },
        Note::Known { call: 1, task: Some(2) },
        Note::Seen { call: 1, jobs: vec![(job(1), None), (job(2), None)] },
        Note::MayBegin { task: 1, request: Box::new(requests().remove(2)) },
        Note::Answered { call: 1, reply: Reply::Done },
        Note::Answered { call: 1, reply: Reply::Seen(vec![]) },
        Note::Answered { call: 1, reply: Reply::Seen(seen.collect()) },
        Note::Answered { call: 1, reply: Reply::Status(status) },
        Note::Progress { task: 1, progress },
        Note::Progress { task: 1, progress: Progress::default() },
        Note::Responded { task: 1, response: Box::new(response(206)) },
    ];
    for job in jobs() {
        notes.push(Note::Job(Box::new(job.clone())));
        notes.push(Note::Ended(Box::new(job)));
    }
    for event in events() {
        notes.push(Note::Happened { number: 9, task: 1, event });
    }
    for (task, challenge) in [None, Some(7)].into_iter().cycle().zip(challenges()) {
        notes.push(Note::Challenged { question: 1, task, challenge: Box::new(challenge) });
    }
    for reason in [NewRequestReason::Refused, NewRequestReason::SecretsLost] {
        notes.push(Note::NeedsRequest { task: 1, reason, error: error() });
    }
    notes
}

fn events() -> Vec<Event> {
    let reasons = [
        StartOver::Changed,
        StartOver::NoRanges,
        StartOver::NoValidator,
        StartOver::WrongDigest,
        StartOver::Lost,
    ];
    let mut events: Vec<_> = reasons.into_iter().map(Event::StartedOver).collect();
    events.extend([
        Event::Moved { response: response(302), to: "https://cdn.test/film?a=b".to_owned() },
        Event::Resumed { offset: 7, total: None },
        Event::Resumed { offset: 7, total: Some(9) },
        Event::WillRetry { attempt: 2, delay: Duration::from_secs(5), cause: error() },
    ]);
    events
}

/// Returns challenges of every method but what takes certificates.
pub(super) fn challenges() -> Vec<Challenge> {
    use AuthenticationMethod::{Basic, ClientCertificate, Default, Digest, Negotiate, Ntlm};
    let space = |method| ProtectionSpace::new("[::1]", 8443, "https", method);
    let mut challenges: Vec<_> = [Default, Basic, Digest, Ntlm, Negotiate, ClientCertificate]
        .map(|method| Challenge::new(space(method).with_realm("the \u{e4} shop")))
        .into();
    challenges.push(Challenge::new(space(Basic).for_proxy()));
    challenges.push(
        Challenge::new(space(Basic))
            .proposing(Some(Credential::new("ann", "pw")))
            .after_failures(3)
            .asked_by(response(401))
            .failed_with(error())
            .with_token(Some("YII=")),
    );
    challenges
}

/// Returns jobs in every phase, of every work, with every kind of request.
pub(super) fn jobs() -> Vec<Job> {
    let ending =
        |outcome, is_told, is_taken| Phase::Ended(Ending { number: 4, outcome, is_told, is_taken });
    let phases = [
        Phase::Suspended,
        Phase::Running,
        ending(Outcome::File(9), true, false),
        ending(Outcome::Answer(0), false, true),
        ending(Outcome::Failed(error()), false, false),
        ending(Outcome::Failed(response(503).refused(b"at \xff lunch".to_vec())), false, false),
    ];
    let mut jobs: Vec<_> = phases.into_iter().map(|phase| Job { phase, ..job(1) }).collect();
    jobs.extend(works().into_iter().map(|work| Job { work, ..job(2) }));
    jobs.extend(requests().into_iter().map(|request| Job { request, ..job(3) }));
    jobs.push(Job {
        omitted: vec!["Authorization".to_owned(), "X-Key".to_owned()],
        description: Some("a \"film\"".to_owned()),
        priority: 0.3,
        schedule: schedule(),
        has_begun: true,
        spent: Duration::from_millis(7),
        may_have_sent: true,
        response: Some(response(200)),
        ..job(u64::MAX)
    });
    jobs
}

fn job(id: u64) -> Job {
    Job {
        id,
        request: Request::get("https://shop.test/film?token=1").header("Accept", "video/*"),
        omitted: Vec::new(),
        work: Work::Upload { length: 1 << 40 },
        description: None,
        priority: 0.5,
        schedule: Schedule::default(),
        has_begun: false,
        phase: Phase::Running,
        spent: Duration::ZERO,
        may_have_sent: false,
        response: None,
    }
}

fn schedule() -> Schedule {
    let begins = Some(std::time::UNIX_EPOCH + Duration::from_millis(1_700_000_000_001));
    Schedule { begins, sends: Some(0), receives: Some(1 << 40) }
}

fn works() -> Vec<Work> {
    let digest = Digest::sha256(&"0f".repeat(32)).unwrap();
    let download = |place, expected| Work::Download { place, expected, segments: 0 };
    vec![
        Work::Upload { length: 0 },
        download(None, Expected::default()),
        download(
            Some((PathBuf::from("/films/\u{e4} film"), Existing::Refuse)),
            Expected { length: Some(7), digest: None },
        ),
        download(
            Some((odd_path(), Existing::Replace)),
            Expected { length: None, digest: Some(digest) },
        ),
        Work::Download { place: None, expected: Expected::default(), segments: 4 },
    ]
}

/// Returns requests with everything that one can say.
pub(super) fn requests() -> Vec<Request> {
    let get = || Request::get("https://shop.test/film");
    let mut bytes = http::Request::get("https://shop.test/");
    let value = http::HeaderValue::from_bytes(b"caf\xe9").unwrap();
    bytes.headers_mut().unwrap().insert("x-name", value);
    vec![
        get(),
        Request::new("patch", "https://shop.test/?q=%20&b#c"),
        Request::get("https://ann:p%3Aw%FF@shop.test/film"),
        Request::get("https://:pw@shop.test/film"),
        Request::get("https://ann@shop.test/film"),
        Request::get("http://[fe80::1%25eth0]:8080/film"),
        Request::get("films/7?page=2"),
        Request::get("https://shop.test:port/"),
        get().bearer_auth("abc").header("Cookie", "a=b").add_header("cookie", "c=d"),
        get().sensitive_header("X-Key", "1").add_header("x-key", "2").sensitive_header("X-No", ""),
        get().sensitive_header("X-Gone", "1").header("X-Gone", "2").header("a b", "not one"),
        get().timeout_for_request(Duration::from_nanos(1_500_001)),
        get().timeout_for_resource(Duration::MAX).connect_timeout(Duration::from_millis(20)),
        get().decodes_body(true).follows_redirects(false).maximum_redirects(0),
        get().handles_cookies(false).main_document_url("https://shop.test/page"),
        get().main_document_url("http://"),
        get().may_repeat(true).task_key("film 7"),
        get().accepts_status(200..300).accepts_status(404..=404),
        get().retry_policy(RetryPolicy::attempts(4).growth(1.1).statuses([500, 599])),
        bytes.body(()).unwrap().map(|()| Vec::<u8>::new()).into(),
    ]
}

pub(super) fn error() -> Error {
    Error::new(ErrorKind::NetworkConnectionLost, "the connection broke \u{e4}")
        .at(Stage::Receiving)
        .on_text("https://shop.test/film")
}

pub(super) fn response(status: u16) -> Response {
    let mut headers = Headers::new();
    for (name, value) in [("Content-Type", "video/mp4"), ("Set-Cookie", "a=b"), ("set-cookie", "c")]
    {
        headers.add(name, value).unwrap();
    }
    let url = Url::parse("https://shop.test/film?a").unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    Response::new(url, (status, Version::HTTP_10), headers, Some(40), None)
}

/// One that is no text.
fn odd_path() -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(b"/films/\xff\xfe".to_vec()).into()
}
