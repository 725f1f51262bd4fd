//! Logging in and out. Cold.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Asker, Reply, Shared, short};
use crate::app::{App, Caller, Entry, now_ms, work};
use crate::body::Form;
use crate::limits::{PASSWORD_MOST, SESSION_IDLE, SESSION_LENGTH};
use crate::machine::By;
use crate::people::{Found, is_right};
use crate::problem::Fail;
use crate::shapes::{Login, PasswordChange, Right, Session, Text};

/// Who asks.
pub(crate) async fn who(State(app): Shared, Extension(caller): Asker) -> Reply<Session> {
    let found = caller.session.as_deref();
    let found = found.and_then(|token| app.sessions.find(token, Instant::now()));
    Ok(Json(session(&app, &caller, found.as_ref())))
}

fn session(app: &App, caller: &Caller, found: Option<&Found>) -> Session {
    let right = caller.by.as_ref().map(|by| by.right);
    let user = caller.by.as_ref().map(|by| by.user.clone());
    let is_initial = user
        .as_deref()
        .and_then(|user| app.users.right_of(user))
        .is_some_and(|(_, initial)| initial);
    Session {
        user,
        right: right.or(app.open_view.then_some(Right::View)),
        csrf_token: found.map(|found| found.csrf.clone()),
        idle_s: SESSION_IDLE.as_secs(),
        ends_in_s: found.map(|found| found.ends_in.as_secs()),
        password_is_initial: is_initial,
    }
}

fn cookie(app: &App, token: &str, length: Duration) -> HeaderValue {
    let secure = if app.tls { "; Secure" } else { "" };
    let text = format!(
        "{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{secure}",
        app.cookie,
        length.as_secs()
    );
    HeaderValue::from_str(&text).expect("a token is a header's value")
}

/// Logs in.
pub(crate) async fn login(
    State(app): Shared,
    Extension(caller): Asker,
    Form(login): Form<Login>,
) -> Result<Response, Fail> {
    // A name that no user can have is not remembered, whatever its length.
    let account = short(&login.user);
    check(&app, &account, caller.address, login.password).await?;
    let (right, _) = app.users.right_of(&account).ok_or_else(wrong)?;
    let found = app.sessions.open(&account, Instant::now());
    // Whoever was logged in with this browser is not any more.
    if let Some(before) = &caller.session {
        app.sessions.close(before);
    }
    let by = By {
        user: account,
        right,
        from: caller.address.to_string(),
    };
    note(&app, &by, "session.login").await;
    let user = by.user.clone();
    let keeper = Arc::clone(&app);
    if let Err(error) = work(move || keeper.users.logged_in(&user, now_ms())).await? {
        tracing::warn!("the login of {} is not remembered: {error}", by.user);
    }
    let caller = Caller {
        by: Some(by),
        session: Some(found.token.clone()),
        address: caller.address,
    };
    let mut response = Json(session(&app, &caller, Some(&found))).into_response();
    let cookie = cookie(&app, &found.token, SESSION_LENGTH);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Holds a password against the user's hash, with the brake on.
async fn check(app: &Arc<App>, account: &str, address: IpAddr, password: String) -> Result<(), Fail> {
    let _place = app.logins.try_acquire().map_err(|_| {
        Fail::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_logins",
            "同时登录的人太多，请稍后再试",
            "too many log in at once, try again shortly",
            "session",
        )
        .after(2)
    })?;
    if let Err(wait) = app.brake.begin(account, address, Instant::now()) {
        return Err(must_wait(wait));
    }
    if password.chars().count() > PASSWORD_MOST {
        return Err(wrong());
    }
    // One hash at a time: guessing at speed costs one core at most, and little memory.
    let _turn = app.hashes.acquire().await.map_err(|_| Fail::internal("hashes"))?;
    let (hash, there) = app.users.hash_of(account);
    let fits = work(move || is_right(&password, &hash)).await?;
    if fits && there {
        app.brake.right(account, address);
        return Ok(());
    }
    tracing::warn!("a wrong password for {account:?} from {address}");
    Err(wrong())
}

fn wrong() -> Fail {
    Fail::new(
        StatusCode::UNAUTHORIZED,
        "wrong_password",
        "用户名或密码不对",
        "the name or the password is wrong",
        "session",
    )
}

fn must_wait(wait: Duration) -> Fail {
    let seconds = wait.as_secs_f64().ceil() as u64;
    Fail::new(
        StatusCode::TOO_MANY_REQUESTS,
        "must_wait",
        format!("错误次数太多，请等 {seconds} 秒后再试"),
        format!("too many wrong passwords: try again in {seconds} s"),
        "session",
    )
    .after(seconds)
}

async fn note(app: &App, by: &By, action: &'static str) {
    let entry = Entry {
        action,
        subject: by.user.clone(),
        before: String::new(),
        after: String::new(),
        what: Text::default(),
    };
    app.audit(by, entry).await;
}

/// Logs out.
pub(crate) async fn logout(State(app): Shared, Extension(caller): Asker) -> Result<Response, Fail> {
    if let Some(token) = &caller.session {
        app.sessions.close(token);
        note(&app, caller.user()?, "session.logout").await;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let cookie = cookie(&app, "", Duration::ZERO);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Changes the own password.
pub(crate) async fn password(
    State(app): Shared,
    Extension(caller): Asker,
    headers: HeaderMap,
    Form(change): Form<PasswordChange>,
) -> Reply<Session> {
    let by = caller.user()?.clone();
    if caller.session.is_none() {
        return Err(Fail::invalid(
            "no_password",
            "令牌没有密码可改",
            "a token has no password to change",
            header::AUTHORIZATION.as_str(),
        ));
    }
    check(&app, &by.user, caller.address, change.old).await?;
    let keeper = Arc::clone(&app);
    let user = by.user.clone();
    let _turn = app.hashes.acquire().await.map_err(|_| Fail::internal("hashes"))?;
    work(move || keeper.users.change(&user, None, Some(&change.new)))
        .await?
        .map_err(super::users::fail)?;
    let token = crate::gate::cookie(&headers, &app.cookie);
    app.sessions.close_all_of(&by.user, token);
    note(&app, &by, "user.password").await;
    who(State(Arc::clone(&app)), Extension(caller)).await
}
