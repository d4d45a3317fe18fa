//! Uploads that must not go twice, of programs that are killed.

#[cfg(target_os = "linux")]
use std::fs;
#[cfg(target_os = "linux")]
use std::io::{Read, Write};
#[cfg(target_os = "linux")]
use std::net::{TcpListener, TcpStream};
#[cfg(target_os = "linux")]
use std::thread;

use urlsession::testing::Answer;
#[cfg(target_os = "linux")]
use urlsession::testing::BlackHole;

use super::Scene;
#[cfg(target_os = "linux")]
use super::wait_for;
use crate::hosts::Row;
use crate::program;
use crate::wishes::POST;

#[cfg(target_os = "linux")]
rows! { a_post_killed_while_its_connection_is_made_is_sent_by_the_next_program }
rows! { a_post_killed_after_its_first_byte_is_not_sent_again }

#[cfg(target_os = "linux")]
fn a_post_killed_while_its_connection_is_made_is_sent_by_the_next_program(row: &Row) {
    program::run_if_asked(&POST);
    let scene = Scene::new(row, &POST);
    let hole = BlackHole::start();
    let (base, port) = (hole.url("/0"), hole.port());
    // The hole has some of its own.
    let before = attempts_at(port);
    let child = scene.start_at(&base);
    wait_for("it connects", || attempts_at(port) > before);
    scene.kill(child);
    assert!(!fs::read_to_string(scene.journal()).unwrap().contains("\"sent\""));
    drop(hole);
    // Another process may have taken the port for a moment.
    let mut listener = None;
    wait_for("the port is free", || {
        listener = TcpListener::bind(("127.0.0.1", port)).ok();
        listener.is_some()
    });
    let listener = listener.unwrap();
    let server = thread::spawn(move || bodies_sent_to(&listener));
    scene.run_at(&base);
    drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
    let sent = server.join().unwrap();
    assert!(sent == [POST.bytes(&POST.wishes[0])], "{} were sent", sent.len());
    let told = &scene.diary().0[1].told;
    assert!(told.contains(&"end post ok 200".to_owned()), "{told:?}");
}

fn a_post_killed_after_its_first_byte_is_not_sent_again(row: &Row) {
    program::run_if_asked(&POST);
    let scene = Scene::new(row, &POST);
    scene.server.handle(|_| Answer::ok("").stall_before_head());
    let child = scene.start();
    scene.server.wait_until(|stats| stats.stalled == 1);
    scene.kill(child);
    scene.run();
    let told = &scene.diary().0[1].told;
    assert!(told.contains(&"end post UploadInterrupted".to_owned()), "{told:?}");
    assert_eq!(scene.server.request_count(), 1);
}

/// Returns how many connections to a port are not made yet: SYN_SENT.
#[cfg(target_os = "linux")]
fn attempts_at(port: u16) -> usize {
    let sockets = fs::read_to_string("/proc/self/net/tcp").unwrap();
    sockets.matches(&format!(":{port:04X} 02 ")).count()
}

/// Answers what comes, one after the other, until a connection brings nothing.
#[cfg(target_os = "linux")]
fn bodies_sent_to(listener: &TcpListener) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    loop {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let body = loop {
            let mut piece = [0; 4096];
            let count = stream.read(&mut piece).unwrap();
            if count == 0 {
                return bodies;
            }
            request.extend_from_slice(&piece[..count]);
            let end = request.windows(4).position(|four| four == b"\r\n\r\n");
            match end {
                Some(end) if request.len() >= end + 4 + POST.wishes[0].size => {
                    break request.split_off(end + 4);
                }
                _ => {}
            }
        };
        bodies.push(body);
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nhas post";
        stream.write_all(answer.as_bytes()).unwrap();
    }
}
