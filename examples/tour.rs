//! Walks through what the crate does, against a server of its own or any URL.
//!
//!     cargo run --release --example tour
//!     cargo run --release --example tour -- https://www.rust-lang.org/

use std::error::Error;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{
    CancelToken, Configuration, Delegate, DeliveryQueue, Multipart, Reply, Request, Response,
    RetryPolicy, Session, Task, Update,
};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        [] => tour(),
        // What the tour starts itself, and kills.
        #[cfg(feature = "background")]
        [word, url, folder] if word == "background" => background::download(url, folder.as_ref()),
        [url, ..] => load(url),
    };
    if let Err(error) = outcome {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Loads any URL and says what came back.
fn load(url: &str) -> Outcome {
    let began = Instant::now();
    let mut bytes = Session::shared().bytes(url)?;
    let response = bytes.response();
    println!("{} from {}", response.status(), response.url());
    for (name, value) in response.headers().iter() {
        println!("  {name}: {value}");
    }
    let suggested = response.suggested_filename();
    let mut body = Vec::new();
    bytes.read_to_end(&mut body)?;
    println!(
        "{} bytes in {:.0?}; a file of it would be {suggested:?}",
        body.len(),
        began.elapsed()
    );
    Ok(())
}

fn tour() -> Outcome {
    let server = Server::start();
    server.handle(serve);
    println!("A loopback server listens at {}.\n", server.url("/"));
    let session = Session::new(Configuration::ephemeral())?;

    step("A GET");
    let data = session.data(server.url("/hello"))?;
    println!("{}: {}", data.response.status(), data.text());

    step("A query, headers, and a status that is no error");
    let request =
        Request::get(server.url("/search")).query("q", "tea & biscuits").header("X-Trace-ID", "7");
    let data = session.data(request)?;
    println!("{}: {}", data.response.status(), data.text());

    step("A redirect, followed");
    let data = session.data(server.url("/old"))?;
    println!("{} from {}", data.response.status(), data.response.url());

    step("A POST");
    let data = session.data(Request::post(server.url("/echo")).body("three words here"))?;
    println!("{}: {}", data.response.status(), data.text());

    step("A body, read line by line as it arrives");
    for line in session.bytes(server.url("/log"))?.lines() {
        println!("  {}", line?);
    }

    step("A load without end, cancelled from another thread");
    cancel(&session, &server.url("/endless"))?;

    step("A server that says nothing, and a timeout of 200 ms");
    let request =
        Request::get(server.url("/silence")).timeout_for_request(Duration::from_millis(200));
    match session.data(request) {
        Ok(data) => println!("answered after all: {}", data.response.status()),
        Err(error) => println!("{error} (code {})", error.code()),
    }

    tasks(&session, &server)?;
    delegate(&server)?;
    uploads(&session, &server)?;
    downloads(&session, &server)?;
    #[cfg(feature = "background")]
    background::kill_and_go_on(&server)?;

    println!(
        "\n{} requests over {} connections.",
        server.request_count(),
        server.connection_count()
    );
    encrypted()
}

fn cancel(session: &Session, url: &str) -> Outcome {
    let token = CancelToken::new();
    let mut bytes = session.bytes(Request::get(url).cancel_token(&token))?;
    let other = thread::spawn(move || token.cancel());
    let (mut buffer, mut received) = ([0; 16 * 1024], 0);
    let error = loop {
        match bytes.read(&mut buffer) {
            Ok(count) => received += count,
            Err(error) => break error,
        }
    };
    println!("{error}, after {received} bytes");
    other.join().map_err(|_| "the other thread panicked")?;
    Ok(())
}

/// Loads that run on threads of the session.
fn tasks(session: &Session, server: &Server) -> Outcome {
    step("Twelve tasks with closures, six at a time");
    let (sender, outcomes) = mpsc::channel();
    for _ in 0..12 {
        let sender = sender.clone();
        let closure = move |outcome| drop(sender.send(outcome));
        session.data_task_with(server.url("/hello"), closure).resume();
    }
    drop(sender);
    let mut bytes = 0;
    for outcome in outcomes {
        bytes += outcome?.body.len();
    }
    println!("{bytes} bytes");

    step("A task of 256 MiB, as updates with progress");
    let (mut received, mut reports) = (0, 0);
    for update in session.data_task(server.url("/large")).updates() {
        match update {
            Update::Data(data) => received += data.len(),
            Update::Progress(progress) => {
                reports += 1;
                let percent = progress.fraction_received().unwrap_or_default() * 100.0;
                print!("\r{percent:3.0} %");
                let _ = std::io::stdout().flush();
            }
            Update::Finished(outcome) => outcome?,
            _ => {}
        }
    }
    println!(": {received} bytes, {reports} times told how far");

    step("A task without end, cancelled from another thread");
    let task = session.data_task(server.url("/endless"));
    let other = task.clone();
    let canceller = thread::spawn(move || {
        while other.progress().bytes_received == 0 && other.error().is_none() {
            thread::yield_now();
        }
        other.cancel();
    });
    match task.run() {
        Ok(_) => return Err("a body without end has ended".into()),
        Err(error) => println!("{error}; the task is {:?}", task.state()),
    }
    canceller.join().map_err(|_| "the other thread panicked".into())
}

struct Narrator;

impl Delegate for Narrator {
    fn will_perform_redirect(
        &self,
        _task: &Task,
        response: &Response,
        proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        println!("{}: followed by another thread's leave", response.status());
        thread::spawn(move || reply.answer(Some(proposed)));
    }

    fn did_receive_data(&self, _task: &Task, data: Vec<u8>) {
        println!("{}", String::from_utf8_lossy(&data));
    }

    fn did_complete(&self, task: &Task, error: Option<&urlsession::Error>) {
        println!("task {} is over; error: {error:?}", task.id());
    }

    fn did_become_invalid(&self, _session: &Session, _error: Option<&urlsession::Error>) {
        println!("the session is invalid");
    }
}

fn delegate(server: &Server) -> Outcome {
    step("A delegate, told everything on a queue of its own");
    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(Configuration::ephemeral(), Arc::new(Narrator), queue)?;
    let task = session.data_task(server.url("/old"));
    task.resume();
    session.finish_tasks_and_invalidate();
    if !session.wait_until_idle(Duration::from_secs(30)) {
        return Err("the session did not become idle".into());
    }
    task.error().map_or(Ok(()), |error| Err(error.into()))
}

/// A download that outlives its program.
#[cfg(feature = "background")]
mod background {
    use std::io::{BufRead, BufReader};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::sync::Once;

    use urlsession::{DownloadedFile, Progress, TaskState};

    use super::{
        Arc, Configuration, Delegate, DeliveryQueue, Duration, Outcome, Request, Server, Session,
        Task, env, fs, process, step,
    };

    struct Catalogue(Once);

    impl Delegate for Catalogue {
        fn did_make_progress(&self, _task: &Task, progress: Progress) {
            if progress.bytes_received > 10 << 20 {
                self.0.call_once(|| println!("more than half is there"));
            }
        }

        fn did_resume_at_offset(&self, _task: &Task, offset: u64, _expected: Option<u64>) {
            println!("goes on behind {offset} bytes");
        }

        fn did_finish_downloading(&self, _task: &Task, file: DownloadedFile) {
            println!("{} bytes in a file", file.len());
        }
    }

    /// What both programs do.
    pub(super) fn download(url: &str, folder: &Path) -> Outcome {
        let configuration = Configuration::background("catalogue")
            .state_directory(folder.join("state"))
            .progress_interval(Duration::ZERO);
        let queue = DeliveryQueue::serial();
        let session =
            Session::with_delegate(configuration, Arc::new(Catalogue(Once::new())), queue)?;
        let task = session.download_task(Request::get(url).task_key("catalogue"));
        println!("the task is {:?}", task.state());
        if task.state() == TaskState::Suspended {
            task.save_to(folder.join("catalogue"))?;
            task.resume();
        }
        session.wait_until_idle(Duration::from_secs(60));
        task.error().map_or(Ok(()), |error| Err(error.into()))
    }

    pub(super) fn kill_and_go_on(server: &Server) -> Outcome {
        step("A background download by another program, which is killed in the middle");
        let folder = env::temp_dir().join(format!("tour-{}", process::id()));
        let url = server.url("/catalogue");
        let mut other = Command::new(env::current_exe()?)
            .args(["background", &url])
            .arg(&folder)
            .stdout(Stdio::piped())
            .spawn()?;
        let told = BufReader::new(other.stdout.take().ok_or("the program tells nothing")?);
        for line in told.lines() {
            let line = line?;
            if line == "more than half is there" {
                break;
            }
            println!("  {line}");
        }
        other.kill()?;
        println!("  {}", other.wait()?);

        step("The same session in this program");
        download(&url, &folder)?;
        Ok(fs::remove_dir_all(&folder)?)
    }
}

#[cfg(feature = "tls")]
fn encrypted() -> Outcome {
    use urlsession::Certificate;
    use urlsession::testing::Authority;

    step("TLS, trusting a private authority only");
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["localhost", "127.0.0.1"]));
    server.handle(serve);
    let mut configuration = Configuration::ephemeral();
    configuration.additional_roots = Certificate::from_pem(authority.certificate_pem())?;
    configuration.trusts_system_roots = false;
    let session = Session::new(configuration)?;
    println!("{}", session.data(server.url("/hello"))?.text());
    let stranger = Session::new(Configuration::ephemeral())?;
    match stranger.data(server.url("/hello")) {
        Ok(_) => Err("a certificate of an unknown authority was accepted".into()),
        Err(error) => {
            println!("a session that does not trust it: {error}");
            Ok(())
        }
    }
}

#[cfg(not(feature = "tls"))]
fn encrypted() -> Outcome {
    Ok(())
}

/// What the loopback server answers.
fn serve(request: &Recorded) -> Answer {
    match request.path() {
        "/hello" => Answer::ok("Hello from the loopback server."),
        "/search" => {
            let trace = request.header("x-trace-id").unwrap_or_default();
            let text = format!("nothing for {:?}, trace {trace}", request.query());
            Answer::status(404).body(text)
        }
        "/old" => Answer::redirect(302, "/hello"),
        "/sign-up" => Answer::ok(format!("welcome: {}", request.body_text())),
        "/echo" => Answer::ok(format!("received {} bytes", request.body().len())),
        "/log" => Answer::ok("one\ntwo\nthree\n").chunked(5),
        "/endless" => Answer::ok("").endless_body("0123456789abcdef"),
        "/photos" => Answer::ok(format!("received {} bytes", request.body_length())),
        "/large" => Answer::ok("").body_of_size(256 << 20),
        "/film" => {
            let (film, version) = ("The film, from its beginning to its end.", "\"1\"");
            let first = Answer::ok(film).header("ETag", version).truncate_after(10);
            let rest = Answer::status(206).header("ETag", version).body(&film[10..]);
            let rest = rest.header("Content-Range", "bytes 10-39/40");
            if request.header("range").is_some() { rest } else { first }
        }
        "/catalogue" => {
            let range = request.header("range").and_then(|range| range.strip_prefix("bytes="));
            let start = range.and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok());
            let catalogue = vec![7; 16 << 20];
            let answer = match start {
                None => Answer::ok(catalogue).stall_in_body_after(12 << 20),
                Some(start) => Answer::status(206)
                    .header("Content-Range", format!("bytes {start}-16777215/16777216"))
                    .body(&catalogue[start..]),
            };
            answer.header("ETag", "\"1\"")
        }
        "/silence" => Answer::ok("").stall_before_head(),
        _ => Answer::status(404),
    }
}

fn step(title: &str) {
    println!("\n── {title}");
    // What came before is seen before the step takes its time.
    let _ = std::io::stdout().flush();
}

/// A form, and a form of parts with a progress bar.
fn uploads(session: &Session, server: &Server) -> Outcome {
    step("A form");
    let fields = [("name", "Brendon & Co"), ("password", "a=b")];
    let data = session.data(Request::post(server.url("/sign-up")).form(fields))?;
    println!("{}: {}", data.response.status(), data.text());

    step("A photo of 64 MiB and its tag, as multipart/form-data, with a progress bar");
    let photo = env::temp_dir().join(format!("tour-{}.jpg", process::id()));
    fs::File::create(&photo)?.set_len(64 << 20)?;
    let form = Multipart::new().text("tag_name", "holiday").file("userfile", &photo);
    for update in session.upload_task(Request::post(server.url("/photos")), form).updates() {
        match update {
            Update::Progress(progress) => bar(progress.fraction_sent()),
            Update::Data(data) => println!("\n{}", String::from_utf8_lossy(&data)),
            Update::Finished(outcome) => outcome?,
            _ => {}
        }
    }
    Ok(fs::remove_file(photo)?)
}

/// A download with a progress bar, and one that is cancelled.
fn downloads(session: &Session, server: &Server) -> Outcome {
    step("A download of 256 MiB with a progress bar");
    let place = env::temp_dir().join(format!("tour-{}.bin", process::id()));
    let task = session.download_task(server.url("/large"));
    task.save_to(&place)?;
    for update in task.updates() {
        match update {
            Update::Progress(progress) => bar(progress.fraction_received()),
            Update::Downloaded(file) => println!("\n{} bytes in a file", file.len()),
            Update::Finished(outcome) => outcome?,
            _ => {}
        }
    }
    fs::remove_file(&place)?;

    step("A download without end, cancelled when a megabyte has come");
    let task = session.download_task(server.url("/endless"));
    task.save_to(&place)?;
    for update in task.updates() {
        match update {
            Update::Progress(progress) if progress.bytes_received > 1_000_000 => task.cancel(),
            Update::Finished(Err(error)) => println!("{error}"),
            _ => {}
        }
    }
    println!("something was left of it: {}", place.exists());

    step("A download whose connection breaks in the middle, and that goes on by itself");
    let policy = RetryPolicy::attempts(2).first_delay(Duration::ZERO);
    let request = Request::get(server.url("/film")).retry_policy(policy);
    for update in session.download_task(request).updates() {
        match update {
            Update::WillRetry(retry) => println!("{}", retry.cause),
            Update::Resumed { offset, .. } => println!("goes on behind {offset} bytes"),
            Update::Downloaded(file) => println!("{}", fs::read_to_string(file.path())?),
            Update::Finished(outcome) => outcome?,
            _ => {}
        }
    }
    Ok(())
}

fn bar(fraction: Option<f64>) {
    let fraction = fraction.unwrap_or_default();
    print!("\r[{:<40}] {:3.0} %", "#".repeat((fraction * 40.0) as usize), fraction * 100.0);
    let _ = std::io::stdout().flush();
}
