//! Users. Cold.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;

use super::{Asker, Reply, Shared, name_of};
use crate::app::{App, Entry, now_ms, work};
use crate::body::Form;
use crate::ledger::{Change, Part};
use crate::limits::{NAME_CHARACTERS, PASSWORD_LEAST, PASSWORD_MOST, USERS};
use crate::machine::By;
use crate::people::{UserError, Users};
use crate::problem::Fail;
use crate::shapes::{NewUser, Text, UserChange, UserInfo, VersionRequest};

/// A user that can't be made or changed, as an answer.
pub(crate) fn fail(error: UserError) -> Fail {
    let en = error.to_string();
    match error {
        UserError::Unknown(name) => Fail::unknown(format!("user {name}")),
        UserError::Taken(name) => Fail::new(
            StatusCode::CONFLICT,
            "name_taken",
            format!("已有用户 {name}"),
            en,
            "name",
        ),
        UserError::Name => Fail::invalid(
            "wrong_name",
            format!("用户名为 1 至 {NAME_CHARACTERS} 个字母、汉字、数字或 . _ -"),
            en,
            "name",
        ),
        UserError::Password => Fail::invalid(
            "wrong_password_form",
            format!("密码为 {PASSWORD_LEAST} 至 {PASSWORD_MOST} 个字符，且不能与用户名相同"),
            en,
            "password",
        ),
        UserError::LastAdmin => Fail::new(
            StatusCode::CONFLICT,
            "last_admin",
            "这是最后一位管理员，不能删除或降级",
            en,
            "right",
        ),
        UserError::TooMany => Fail::invalid("too_many_users", format!("最多 {USERS} 位用户"), en, "users"),
        UserError::Unreadable(..) | UserError::Unwritable(..) => Fail::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "users_file",
            "用户文件无法写入（磁盘已满或只读？）；未做任何更改",
            format!("{en}; nothing was changed"),
            "users",
        ),
    }
}

pub(crate) async fn list(State(app): Shared) -> Reply<Vec<UserInfo>> {
    Ok(Json(app.users.list()))
}

/// A change of the users: in turn, then in the ledger and the audit trail.
async fn alter<T, F>(app: &Arc<App>, by: &By, version: u64, what: F) -> Result<T, Fail>
where
    T: Send + 'static,
    F: FnOnce(&Users) -> Result<(T, Entry), UserError> + Send + 'static,
{
    let turn = app.ledger.turn(Part::Users, Some(version)).await?;
    let _hash = app.hashes.acquire().await.map_err(|_| Fail::internal("hashes"))?;
    let keeper = Arc::clone(app);
    let (done, entry) = work(move || what(&keeper.users)).await?.map_err(fail)?;
    turn.done(Change {
        by: by.user.clone(),
        at_ms: now_ms(),
        what: entry.what.clone(),
    });
    app.audit(by, entry).await;
    Ok(done)
}

pub(crate) async fn add(
    State(app): Shared,
    Extension(caller): Asker,
    Form(new): Form<NewUser>,
) -> Result<(StatusCode, Json<UserInfo>), Fail> {
    let user = alter(&app, caller.user()?, new.version, move |users| {
        let user = users.add(&new.name, new.right, &new.password, now_ms())?;
        let entry = Entry {
            action: "user.add",
            subject: user.name.clone(),
            before: String::new(),
            after: name_of(&user.right),
            what: Text::new(format!("添加用户 {}", user.name), format!("user {} made", user.name)),
        };
        Ok((user, entry))
    })
    .await?;
    Ok((StatusCode::CREATED, Json(user)))
}

pub(crate) async fn change(
    State(app): Shared,
    Extension(caller): Asker,
    Path(name): Path<String>,
    Form(asked): Form<UserChange>,
) -> Reply<UserInfo> {
    let ended = name.clone();
    let user = alter(&app, caller.user()?, asked.version, move |users| {
        let (before, after) = users.change(&name, asked.right, asked.password.as_deref())?;
        let password = if asked.password.is_some() { ", new password" } else { "" };
        let entry = Entry {
            action: "user.change",
            before: name_of(&before.right),
            after: format!("{}{password}", name_of(&after.right)),
            what: Text::new(format!("更改用户 {name}"), format!("user {name} changed")),
            subject: name,
        };
        Ok((after, entry))
    })
    .await?;
    app.sessions.close_all_of(&ended, None);
    Ok(Json(user))
}

pub(crate) async fn remove(
    State(app): Shared,
    Extension(caller): Asker,
    Path(name): Path<String>,
    Form(request): Form<VersionRequest>,
) -> Result<StatusCode, Fail> {
    let ended = name.clone();
    alter(&app, caller.user()?, request.version, move |users| {
        let user = users.remove(&name)?;
        let entry = Entry {
            action: "user.remove",
            before: name_of(&user.right),
            after: String::new(),
            what: Text::new(format!("删除用户 {name}"), format!("user {name} removed")),
            subject: name,
        };
        Ok(((), entry))
    })
    .await?;
    app.sessions.close_all_of(&ended, None);
    Ok(StatusCode::NO_CONTENT)
}
