//! A server on loopback that does one thing, good or bad, to everybody who connects.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What it does once it has the request.
#[derive(Clone, Debug)]
pub enum Play {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// The first, then the second again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// The first, then a byte now and then.
    Drip(Vec<u8>, Duration),
    /// Nothing.
    Silent,
    /// Does not even read.
    Deaf,
    /// The request, verbatim, as a body.
    Echo,
}

pub struct Server {
    at: SocketAddr,
    ended: Arc<AtomicBool>,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    play: Arc<Mutex<Play>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(play: Play) -> Self {
        Server::start_at("127.0.0.1:0", play).unwrap()
    }

    /// Nothing if the machine has no such address.
    pub fn start_at(at: &str, play: Play) -> Option<Self> {
        let listener = TcpListener::bind(at).ok()?;
        let at = listener.local_addr().unwrap();
        let (ended, requests) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (stop, log) = (Arc::clone(&ended), Arc::clone(&requests));
        let play = Arc::new(Mutex::new(play));
        let now = Arc::clone(&play);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let play = now.lock().unwrap().clone();
                let (stop, log) = (Arc::clone(&stop), Arc::clone(&log));
                std::thread::spawn(move || serve(stream.unwrap(), &play, &stop, &log));
            }
        });
        Some(Server { at, ended, requests, play, thread: Some(thread) })
    }

    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// For what it does with its own port in it.
    pub fn play_from_now_on(&mut self, play: Play) {
        *self.play.lock().unwrap() = play;
    }

    /// All requests so far, as they came.
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.at);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(mut stream: TcpStream, play: &Play, stop: &AtomicBool, log: &Mutex<Vec<Vec<u8>>>) {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let wait = |time| {
        std::thread::sleep(time);
        !stop.load(Ordering::Relaxed)
    };
    if matches!(play, Play::Deaf) {
        while wait(Duration::from_millis(20)) {}
        return;
    }
    let Some(request) = request(&mut stream) else { return };
    log.lock().unwrap().push(request.clone());
    // A connection that the other side closed is not a fault here.
    let _ = match play {
        Play::Bytes(bytes) => stream.write_all(bytes),
        Play::Endless(first, again) => {
            let mut result = stream.write_all(first);
            while result.is_ok() && !stop.load(Ordering::Relaxed) {
                result = stream.write_all(again);
            }
            result
        }
        Play::Drip(first, time) => {
            let mut result = stream.write_all(first);
            while result.is_ok() && wait(*time) {
                result = stream.write_all(b"x");
            }
            result
        }
        Play::Silent | Play::Deaf => {
            while wait(Duration::from_millis(20)) {}
            Ok(())
        }
        Play::Echo => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", request.len());
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&request))
        }
    };
    // Closed with bytes unread, a connection is reset and loses what was written.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut rest = [0; 4096];
    while matches!(stream.read(&mut rest), Ok(1..)) {}
}

/// Headers, and as much body as they say.
fn request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        while bytes.len() < end + 4 + length {
            let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
            bytes.extend_from_slice(&buffer[..count]);
        }
        return Some(bytes);
    }
}
