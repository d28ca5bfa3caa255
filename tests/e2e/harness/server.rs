//! A static file server for the built site, on a free port of this machine. Each session has a folder of its own, some
//! levels deep, so that an absolute path in the page shows at once, and what a session asked for can be told.

use brokerlab::ordered::OrderedMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What is wrong with a server, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    None,
    /// It has lost the wasm module.
    NoWasm,
    /// It hands out another wasm module than the one that was built.
    AlteredWasm,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Served {
    /// As it was asked for, from the root of the server.
    pub path: String,
    /// HTTP.
    pub status: u16,
    /// What was sent, uncompressed.
    pub body: Vec<u8>,
}

#[derive(Default)]
struct State {
    /// By folder.
    flaws: OrderedMap<String, Flaw>,
    served: Vec<Served>,
}

pub struct Server {
    origin: String,
    state: Arc<Mutex<State>>,
}

/// One session's folder on the server.
pub struct Site {
    url: String,
    /// Its path, with a slash at both ends.
    folder: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start(dist: &Path) -> Result<Server, String> {
        if !dist.join("index.html").is_file() {
            return Err(format!(
                "{} has no index.html: `make build` builds the page",
                dist.display()
            ));
        }
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("no free port: {error}"))?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let state = Arc::new(Mutex::new(State::default()));
        let (dist, shared) = (dist.to_path_buf(), Arc::clone(&state));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (dist, state) = (dist.clone(), Arc::clone(&shared));
                // A browser that hangs up early is no failure of the page.
                std::thread::spawn(move || answer(stream, &dist, &state).ok());
            }
        });
        Ok(Server {
            origin: format!("http://127.0.0.1:{port}"),
            state,
        })
    }

    /// A new folder, for one session.
    pub fn site(&self, flaw: Flaw) -> Site {
        let mut state = lock(&self.state);
        let folder = format!("/some/folder/of-session-{}/", state.flaws.len());
        state.flaws.insert(folder.clone(), flaw);
        Site {
            url: format!("{}{folder}", self.origin),
            folder,
            state: Arc::clone(&self.state),
        }
    }
}

impl Site {
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder's own name: `of-session-3`.
    pub fn name(&self) -> &str {
        self.folder.trim_matches('/').rsplit('/').next().unwrap_or_default()
    }

    /// The answers in this folder, in their order.
    pub fn served(&self) -> Vec<Served> {
        lock(&self.state)
            .served
            .iter()
            .filter(|served| served.path.starts_with(&self.folder))
            .cloned()
            .collect()
    }
}

/// A test that panics elsewhere leaves the state whole: every change of it is one step.
fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn answer(mut stream: TcpStream, dist: &Path, state: &Mutex<State>) -> std::io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // The headers are read to their end, for a browser that is cut short reports an error.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    drop(lines);
    let path = request.split(' ').nth(1).unwrap_or("/").to_string();
    let body = find(&path, dist, state);
    let (status, words) = if body.is_some() {
        (200, "200 OK")
    } else {
        (404, "404 Not Found")
    };
    let body = body.unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {words}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        media_type(&path),
        body.len()
    );
    lock(state).served.push(Served {
        path,
        status,
        body: body.clone(),
    });
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

/// The file that a path names, with the flaw of its folder; none outside of a session's folder.
fn find(path: &str, dist: &Path, state: &Mutex<State>) -> Option<Vec<u8>> {
    let path = path.split('?').next()?;
    let (flaw, name) = lock(state)
        .flaws
        .iter()
        .find_map(|(folder, flaw)| path.strip_prefix(folder.as_str()).map(|name| (*flaw, name.to_string())))?;
    let name = if name.is_empty() { "index.html" } else { &name };
    if name.split('/').any(|part| part == "..") {
        return None;
    }
    let file: PathBuf = dist.join(name);
    let mut body = std::fs::read(file).ok()?;
    if name.ends_with(".wasm") {
        match flaw {
            Flaw::None => {}
            Flaw::NoWasm => return None,
            Flaw::AlteredWasm => body.push(0),
        }
    }
    Some(body)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "text/html; charset=utf-8",
    }
}
