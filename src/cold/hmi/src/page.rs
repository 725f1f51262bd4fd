//! The page's files: within the program, packed once at start. Debug builds read them from the folder each time, so
//! that whoever writes them sees them at once. Cold.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

use crate::problem::Fail;
use crate::words;

#[derive(RustEmbed)]
#[folder = "page"]
struct Files;

/// One file.
#[derive(Clone, Debug)]
struct Entry {
    plain: Bytes,
    /// Packed; `None` where that does not make it smaller.
    packed: Option<Bytes>,
    tag: String,
    kind: &'static str,
}

impl Entry {
    fn read(path: &str) -> Option<Self> {
        let file = Files::get(path)?;
        let tag: String = file.metadata.sha256_hash()[..12]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Some(Self::new(path, Bytes::from(file.data.into_owned()), &tag))
    }

    /// A file that is made from the catalogue of words.
    fn made(path: &str, text: String) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self::new(path, Bytes::from(text), &format!("{:016x}", hasher.finish()))
    }

    fn new(path: &str, plain: Bytes, tag: &str) -> Self {
        let packed = pack(&plain).filter(|packed| packed.len() < plain.len());
        Self {
            plain,
            packed,
            tag: format!("\"{tag}\""),
            kind: kind(path),
        }
    }
}

/// Every file by its path.
#[derive(Debug)]
pub(crate) struct Page(HashMap<String, Entry>);

impl Page {
    /// Packs the files.
    pub(crate) fn new() -> Self {
        let paths = Files::iter().filter(|path| is_plain(path));
        Self(
            paths
                .filter_map(|path| Some((path.to_string(), Entry::read(&path)?)))
                .chain(words::files().map(|(path, text)| (path.to_owned(), Entry::made(path, text))))
                .collect(),
        )
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        if cfg!(debug_assertions) && !path.starts_with("words/") {
            return is_plain(path).then(|| Entry::read(path)).flatten();
        }
        self.0.get(path).cloned()
    }

    /// A file, as a request asks for it. `/` is the page.
    pub(crate) fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return no_method(path).into_response();
        }
        let name = if path == "/" {
            "index.html"
        } else {
            path.trim_start_matches('/')
        };
        let Some(entry) = self.entry(name) else {
            return Fail::unknown(path).into_response();
        };
        let says = |name, what: &str| {
            let value = headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            value
                .split(',')
                .any(|part| part.split(';').next().is_some_and(|part| part.trim() == what))
        };
        let tag = HeaderValue::from_str(&entry.tag).expect("a hexadecimal tag is a header's value");
        let mut response = if says(header::IF_NONE_MATCH, &entry.tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let packed = entry.packed.filter(|_| says(header::ACCEPT_ENCODING, "gzip"));
            let is_packed = packed.is_some();
            let mut response = packed.unwrap_or(entry.plain).into_response();
            if is_packed {
                let value = HeaderValue::from_static("gzip");
                response.headers_mut().insert(header::CONTENT_ENCODING, value);
            }
            response
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(entry.kind));
        headers.insert(header::ETAG, tag);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

/// A path has another method than this.
pub(crate) fn no_method(path: &str) -> Fail {
    Fail::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        format!("{path} 不支持这种请求方法"),
        format!("{path} has no such method"),
        path,
    )
}

/// Whether a path is a name of a file of the page, and nothing that climbs or hides.
fn is_plain(path: &str) -> bool {
    path.split('/').all(|part| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    })
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn pack(bytes: &[u8]) -> Option<Bytes> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).ok()?;
    packer.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_page() {
        let page = Page::new();
        for path in [
            "/../Cargo.toml",
            "/..%2fCargo.toml",
            "//etc/passwd",
            "/./index.html",
            "/js/../../Cargo.toml",
            "/js\\..\\index.html",
            "/.git/config",
            "/index.html/",
            "/index.html\0",
        ] {
            let response = page.answer(&Method::GET, path, &HeaderMap::new());
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        }
        let response = page.answer(&Method::GET, "/", &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::OK);
    }

    #[test]
    fn a_file_that_the_browser_has_is_not_sent_again() {
        let page = Page::new();
        let first = page.answer(&Method::GET, "/index.html", &HeaderMap::new());
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        let again = page.answer(&Method::GET, "/index.html", &headers);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }
}
