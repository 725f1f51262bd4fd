//! The gates: which names of this computer are answered to, which pages may call, who asks, and whether they may. Cold.
//!
//! Words: a **foreign** request was made by another site's page; a **simple** request is one that a browser sends
//! without asking first.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;

use crate::app::{App, Caller};
use crate::machine::By;
use crate::people::Found;
use crate::problem::Fail;
use crate::routes::RouteRight;
use crate::serve::Peer;
use crate::shapes::Right;

/// Header that goes with every changing call of a session.
pub(crate) const CSRF: &str = "x-csrf-token";

/// Names that are answered to. Another name that resolves to this computer is how a foreign page gets past a browser's
/// rules (DNS rebinding). Addresses can't be rebound: they are always right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    pub(crate) fn new(names: &[String]) -> Self {
        let mut names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        names.push("localhost".to_owned());
        Self { names }
    }

    fn has(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        name.parse::<IpAddr>().is_ok() || self.names.iter().any(|known| name.eq_ignore_ascii_case(known))
    }
}

/// What goes with every answer.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), usb=(), serial=()",
    ),
];

/// Before everything: the host's name and the origin; after everything: the headers.
pub(crate) async fn entrance(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let looked_at = check_host(&app.hosts, request.headers()).and_then(|host| {
        if is_api {
            check_origin(&host, app.tls, request.headers())
        } else {
            Ok(())
        }
    });
    let mut response = match looked_at {
        Ok(()) => next.run(request).await,
        Err(fail) => fail.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_api {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if app.tls {
        let value = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    response
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn check_host(hosts: &Hosts, headers: &HeaderMap) -> Result<String, Fail> {
    let host = text(headers, header::HOST).unwrap_or_default();
    if headers.get_all(header::HOST).iter().count() == 1 && hosts.has(host) {
        return Ok(host.to_owned());
    }
    Err(Fail::new(
        StatusCode::MISDIRECTED_REQUEST,
        "wrong_host",
        format!("本机不以“{host}”这个名字提供服务；请用 IP 地址访问，或把该名字加入配置的 hosts"),
        format!("this computer does not serve the name \"{host}\"; use its address, or add the name to hosts"),
        "host",
    ))
}

fn check_origin(host: &str, tls: bool, headers: &HeaderMap) -> Result<(), Fail> {
    let own = format!("{}://{host}", if tls { "https" } else { "http" });
    let origin = headers.get(header::ORIGIN);
    let foreign = origin.is_some_and(|origin| !origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()));
    let site = text(headers, "sec-fetch-site");
    if !foreign && matches!(site, None | Some("same-origin" | "none")) {
        return Ok(());
    }
    Err(Fail::new(
        StatusCode::FORBIDDEN,
        "foreign_origin",
        "请求来自另一个网站的页面，已拒绝",
        "the request comes from another site's page and is refused",
        "origin",
    ))
}

/// Nobody is logged in, and it is needed.
pub(crate) fn login_needed(was_logged_in: bool) -> Fail {
    if was_logged_in {
        return Fail::new(
            StatusCode::UNAUTHORIZED,
            "session_ended",
            "登录已失效（超时、已退出或程序重新启动过）；请重新登录",
            "the session has ended (idle, logged out, or the program was started anew); log in again",
            "session",
        );
    }
    Fail::new(
        StatusCode::UNAUTHORIZED,
        "login_needed",
        "请先登录",
        "log in first",
        "session",
    )
}

/// The user may not do this.
pub(crate) fn right_missing(needed: Right, has: Right) -> Fail {
    let (needed, has) = (right_names(needed), right_names(has));
    Fail::new(
        StatusCode::FORBIDDEN,
        "right_missing",
        format!("这需要“{}”权限，您的权限是“{}”", needed.0, has.0),
        format!("this needs the right {}; yours is {}", needed.1, has.1),
        "right",
    )
}

const fn right_names(right: Right) -> (&'static str, &'static str) {
    match right {
        Right::View => ("查看", "view"),
        Right::Operator => ("操作", "operator"),
        Right::Maintenance => ("维护", "maintenance"),
        Right::Admin => ("管理", "admin"),
    }
}

/// The gate of a route: who asks, and whether they may. The route finds them as [`Caller`].
pub(crate) async fn gate(
    State((app, needed)): State<(Arc<App>, RouteRight)>,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(&app, needed, &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(fail) => fail.into_response(),
    }
}

fn admit(app: &App, needed: RouteRight, request: &Request) -> Result<Caller, Fail> {
    let headers = request.headers();
    let peer = request.extensions().get::<Peer>().copied();
    let Peer(address) = peer.ok_or_else(|| Fail::internal("peer"))?;
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(token) = text(headers, header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")) {
        let caller = by_token(app, token, address)?;
        return permit(app, needed, changes, caller, true);
    }
    let cookie = cookie(headers, &app.cookie);
    let found = cookie.and_then(|token| app.sessions.find(token, Instant::now()));
    let caller = by_session(app, found.as_ref(), address);
    if let (Some(found), true) = (&found, changes && needed != RouteRight::None) {
        check_csrf(found, headers)?;
    }
    permit(app, needed, changes, caller, cookie.is_some())
}

/// The command line on this computer: whoever may read the file of the token.
fn by_token(app: &App, token: &str, address: IpAddr) -> Result<Caller, Fail> {
    if !bool::from(token.as_bytes().ct_eq(app.token.as_bytes())) {
        return Err(Fail::new(
            StatusCode::UNAUTHORIZED,
            "wrong_token",
            "令牌不对：它在程序每次启动时更新，请重新读取令牌文件",
            "the token is wrong: it is new at each start of the program, read its file again",
            "authorization",
        ));
    }
    Ok(Caller {
        by: Some(By {
            user: "command-line".to_owned(),
            right: Right::Operator,
            from: address.to_string(),
        }),
        session: None,
        address,
    })
}

fn by_session(app: &App, found: Option<&Found>, address: IpAddr) -> Caller {
    // The right is asked for anew each time: a change takes effect at once.
    let by = found.and_then(|found| {
        let (right, _) = app.users.right_of(&found.user)?;
        Some(By {
            user: found.user.clone(),
            right,
            from: address.to_string(),
        })
    });
    Caller {
        session: by.is_some().then(|| found.map(|found| found.token.clone())).flatten(),
        by,
        address,
    }
}

fn permit(app: &App, needed: RouteRight, changes: bool, caller: Caller, had_session: bool) -> Result<Caller, Fail> {
    let RouteRight::Least(needed) = needed else {
        return Ok(caller);
    };
    match &caller.by {
        Some(by) if by.right >= needed => Ok(caller),
        Some(by) => Err(right_missing(needed, by.right)),
        None if needed == Right::View && app.open_view && !changes => Ok(caller),
        None => Err(login_needed(had_session)),
    }
}

fn check_csrf(found: &Found, headers: &HeaderMap) -> Result<(), Fail> {
    let sent = text(headers, CSRF).unwrap_or_default();
    if bool::from(sent.as_bytes().ct_eq(found.csrf.as_bytes())) {
        return Ok(());
    }
    Err(Fail::new(
        StatusCode::FORBIDDEN,
        "csrf",
        "请求没有带本次登录的校验令牌；请刷新页面",
        "the request does not carry the token of its session; reload the page",
        CSRF,
    ))
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_and_addresses_are_answered_to_and_no_other() {
        let hosts = Hosts::new(&["sorter.park.lan".to_owned()]);
        for own in [
            "localhost:8440",
            "LOCALHOST",
            "127.0.0.1:8440",
            "[::1]:8440",
            "10.1.2.3",
            "Sorter.park.lan:8440",
        ] {
            assert!(hosts.has(own), "{own}");
        }
        for other in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8440",
            "sorter",
            "[evil]",
        ] {
            assert!(!hosts.has(other), "{other}");
        }
    }

    #[test]
    fn only_the_own_page_may_call() {
        let with = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            check_origin("127.0.0.1:8440", false, &headers).is_ok()
        };
        assert!(with(&[]), "a program that is no browser");
        assert!(with(&[
            ("origin", "http://127.0.0.1:8440"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(!with(&[("origin", "http://evil.example")]));
        assert!(!with(&[("origin", "https://127.0.0.1:8440")]), "another scheme");
        assert!(!with(&[("origin", "http://127.0.0.1:9000")]), "another port");
        assert!(!with(&[("origin", "null")]), "a sandboxed page");
        assert!(
            !with(&[("sec-fetch-site", "cross-site")]),
            "a picture of a foreign page"
        );
    }
}
