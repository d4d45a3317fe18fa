//! Bodies that are longer than 32 bits can say, which is what a `usize` may have.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{Body, Request};

use crate::support::folder::Folder;
use crate::support::running::{nothing_is_left, session, wait_for};

const LENGTH: u64 = (4 << 30) + 5;

/// Reads a request, and answers with the length that was announced and the one that came. The
/// test server would take long: it is built to look at what it reads.
fn take(mut stream: TcpStream) -> io::Result<()> {
    let (mut reader, mut announced) = (BufReader::new(stream.try_clone()?), None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            announced = value.trim().parse().ok();
        }
    }
    let announced: u64 = announced.ok_or(io::ErrorKind::InvalidData)?;
    let (mut body, mut buffer) = (reader.take(announced), vec![0; 1 << 20]);
    let mut came = 0;
    loop {
        match body.read(&mut buffer)? {
            0 => break,
            count => came += count as u64,
        }
    }
    let told = format!("{announced} {came}");
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{told}", told.len())
}

#[cfg_attr(not(target_pointer_width = "32"), ignore = "takes ten seconds, for 32 bits alone")]
#[test]
fn a_file_of_more_than_4_gib_arrives_whole() {
    let folder = Folder::new();
    let path = folder.path().join("zeros");
    // It takes no room on the disk.
    File::create(&path).unwrap().set_len(LENGTH).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || take(listener.accept().unwrap().0));

    let session = session(|_| {});
    let task = session.upload_task(Request::put(url), Body::file(&path));
    assert_eq!(task.run().unwrap().text(), format!("{LENGTH} {LENGTH}"));
    server.join().unwrap().unwrap();
    let progress = task.progress();
    assert_eq!(
        (progress.bytes_sent, progress.bytes_expected_to_send),
        (LENGTH, Some(LENGTH)),
        "{progress:?}"
    );
    drop(task);
    nothing_is_left(session, &[]);
}

#[test]
fn a_download_of_more_than_4_gib_is_expected_whole() {
    let (server, session) = (Server::start(), session(|_| {}));
    server.enqueue(Answer::status(200).body_of_size(LENGTH).stall_in_body_after(10));
    let task = session.download_task(server.url("/"));
    task.resume();
    wait_for("the beginning arrives", || task.progress().bytes_received == 10);
    assert_eq!(task.progress().bytes_expected_to_receive, Some(LENGTH));
    task.cancel();
    wait_for("it ends", || Counters::of(&session).sockets() == 0);
    drop(task);
    nothing_is_left(session, &[&server]);
}
