//! Alarms. Cold.

use axum::Json;
use axum::extract::{Extension, Path, State};

use super::{Asker, Reply, Shared, Window, name_of, short};
use crate::app::Entry;
use crate::body::{Asked, Form};
use crate::limits::{LOT_CHARACTERS, SHELF_LEAST_S, SHELF_MOST_S, SHELF_OPERATOR_S};
use crate::machine::By;
use crate::problem::Fail;
use crate::shapes::{Alarm, AlarmEvent, Alarms, Right, Shelving, Text};

pub(crate) async fn list(State(app): Shared) -> Reply<Alarms> {
    app.ask(|machine| machine.alarms()).await.map(Json)
}

pub(crate) async fn history(State(app): Shared, Asked(window): Asked<Window>) -> Reply<Vec<AlarmEvent>> {
    let (before, most) = (window.before, window.most());
    Ok(Json(
        app.ask(move |machine| machine.alarm_history(before, most)).await??,
    ))
}

/// Entry of a change of an alarm. Alarms have no version: the machine itself says who was first.
fn entry(action: &'static str, alarm: &Alarm, after: String) -> Entry {
    Entry {
        action,
        subject: alarm.id.clone(),
        before: String::new(),
        after,
        what: Text::default(),
    }
}

async fn noted(app: &crate::app::App, by: &By, action: &'static str, alarm: Alarm, after: String) -> Reply<Alarm> {
    app.audit(by, entry(action, &alarm, after)).await;
    Ok(Json(alarm))
}

pub(crate) async fn acknowledge(
    State(app): Shared,
    Extension(caller): Asker,
    Path(alarm): Path<String>,
) -> Reply<Alarm> {
    let by = caller.user()?.clone();
    let asker = by.clone();
    let alarm = app
        .ask(move |machine| machine.acknowledge(&asker, &short(&alarm)))
        .await??;
    let state = name_of(&alarm.state);
    noted(&app, &by, "alarm.acknowledge", alarm, state).await
}

pub(crate) async fn shelve(
    State(app): Shared,
    Extension(caller): Asker,
    Path(alarm): Path<String>,
    Form(shelving): Form<Shelving>,
) -> Reply<Alarm> {
    let by = caller.user()?.clone();
    check(&by, &shelving)?;
    let asker = by.clone();
    let after = format!("{} s: {}", shelving.for_s, shelving.reason);
    let alarm = app
        .ask(move |machine| machine.shelve(&asker, &short(&alarm), shelving.for_s, &shelving.reason))
        .await??;
    noted(&app, &by, "alarm.shelve", alarm, after).await
}

fn check(by: &By, shelving: &Shelving) -> Result<(), Fail> {
    if !(SHELF_LEAST_S..=SHELF_MOST_S).contains(&shelving.for_s) {
        return Err(Fail::invalid(
            "wrong_time",
            format!("搁置时间为 {SHELF_LEAST_S} 至 {SHELF_MOST_S} 秒"),
            format!("an alarm is shelved for {SHELF_LEAST_S} to {SHELF_MOST_S} s"),
            "for_s",
        ));
    }
    if shelving.for_s > SHELF_OPERATOR_S && by.right < Right::Maintenance {
        return Err(crate::gate::right_missing(Right::Maintenance, by.right));
    }
    let reason = shelving.reason.trim();
    if reason.is_empty() || reason.chars().count() > LOT_CHARACTERS {
        return Err(Fail::invalid(
            "reason_needed",
            format!("请写明搁置原因（最多 {LOT_CHARACTERS} 个字）"),
            format!("write why it is shelved, in at most {LOT_CHARACTERS} characters"),
            "reason",
        ));
    }
    Ok(())
}

pub(crate) async fn unshelve(State(app): Shared, Extension(caller): Asker, Path(alarm): Path<String>) -> Reply<Alarm> {
    let by = caller.user()?.clone();
    let asker = by.clone();
    let alarm = app
        .ask(move |machine| machine.unshelve(&asker, &short(&alarm)))
        .await??;
    let state = name_of(&alarm.state);
    noted(&app, &by, "alarm.unshelve", alarm, state).await
}
