//! A server with the fake line, and a plain client: bytes over a socket, so that a test can also be rude.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::{fake, schema};

/// No answer within this is a fault of the test or of the server.
const PATIENCE: Duration = Duration::from_secs(20);

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A server of a test's own; its folder goes with it.
pub(crate) struct Rig {
    pub(crate) machine: Arc<fake::Fake>,
    pub(crate) server: hmi::Server,
    pub(crate) folder: PathBuf,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let folder = own_folder();
        let machine = Arc::new(fake::Fake::new(&folder));
        let mut options = hmi::Options::loopback(folder.join("hmi"));
        options.address.set_port(0);
        let server = hmi::start(options, machine.clone()).expect("the server starts");
        Self {
            machine,
            server,
            folder,
        }
    }

    /// A client that is not logged in.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.server.address())
    }

    /// A client that is logged in as the administrator.
    pub(crate) fn admin(&self) -> Client {
        let mut client = self.client();
        let password = self.server.first_password().expect("the first start").to_owned();
        assert_eq!(client.login("admin", &password).status, 200);
        client
    }

    /// A client that is logged in as a new user.
    pub(crate) fn user(&self, name: &str, right: &str) -> Client {
        let mut admin = self.admin();
        let version = admin.versions()["users"].clone();
        let new = json!({"name": name, "right": right, "password": "a long password", "version": version});
        assert_eq!(admin.post("/users", &new).status, 201);
        let mut client = self.client();
        assert_eq!(client.login(name, "a long password").status, 200);
        client
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A folder that no other test has.
pub(crate) fn own_folder() -> PathBuf {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("pearlsort-hmi-{}-{number}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let at = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let at = at.unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status");
        let mut body = bytes[at + 4..].to_vec();
        if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
            body = unchunked(&body);
        }
        Self { status, head, body }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.head, String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// A refusal speaks both languages and says where.
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        let problem = self.json();
        assert_eq!(
            (self.status, problem["code"].as_str()),
            (status, Some(code)),
            "{problem}"
        );
        schema::check("Problem", &problem);
        let zh = problem["message_zh"].as_str().expect("a text");
        assert!(zh.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c)), "{zh}");
        assert!(!problem["message_en"].as_str().expect("a text").is_empty());
        assert!(!problem["where"].as_str().expect("a text").is_empty());
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(at) = bytes.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&bytes[..at])
            .ok()
            .and_then(|text| usize::from_str_radix(text, 16).ok());
        let Some(length) = length.filter(|length| *length > 0) else {
            break;
        };
        let end = (at + 2 + length).min(bytes.len());
        whole.extend_from_slice(&bytes[at + 2..end]);
        bytes = bytes.get(end + 2..).unwrap_or_default();
    }
    whole
}

/// A connection a request.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) cookie: Option<String>,
    pub(crate) csrf: Option<String>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            cookie: None,
            csrf: None,
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream
    }

    /// Sends bytes and reads until the server closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Reply {
        let mut stream = self.connect();
        stream.write_all(bytes).expect("the server reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the server answers");
        Reply::parse(&answer)
    }

    pub(crate) fn head(&self, method: &str, path: &str, more: &str) -> String {
        let cookie = self
            .cookie
            .as_ref()
            .map_or_else(String::new, |cookie| format!("cookie: {cookie}\r\n"));
        let csrf = self
            .csrf
            .as_ref()
            .map_or_else(String::new, |csrf| format!("x-csrf-token: {csrf}\r\n"));
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{cookie}{csrf}{more}",
            self.address
        )
    }

    pub(crate) fn request(&self, method: &str, path: &str, body: Option<&str>, more: &str) -> Reply {
        let path = format!("/api/v1{path}");
        let body = body.map_or_else(String::new, |body| {
            format!(
                "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        });
        let end = if body.is_empty() { "\r\n" } else { "" };
        self.raw(format!("{}{body}{end}", self.head(method, &path, more)).as_bytes())
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.request("GET", path, None, "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.request("POST", path, Some(&body.to_string()), "")
    }

    pub(crate) fn login(&mut self, user: &str, password: &str) -> Reply {
        let reply = self.post("/session", &json!({"user": user, "password": password}));
        if reply.status == 200 {
            let cookie = reply.header("set-cookie").expect("a cookie");
            for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
                assert!(cookie.contains(part), "{cookie}");
            }
            self.cookie = cookie.split(';').next().map(str::to_owned);
            self.csrf = reply.json()["csrf_token"].as_str().map(str::to_owned);
        }
        reply
    }

    pub(crate) fn versions(&mut self) -> Value {
        self.get("/line").json()["versions"].clone()
    }
}
