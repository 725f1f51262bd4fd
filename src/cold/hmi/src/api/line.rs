//! The line as it is, and commands. Cold.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::response::Response;

use super::{Asker, Reply, Shared, Window, name_of, number};
use crate::app::{App, Entry};
use crate::body::{Asked, Form};
use crate::ledger::Part;
use crate::machine::By;
use crate::problem::Fail;
use crate::shapes::{
    BinAction, BinRequest, CommandRequest, JournalEntry, Layout, Line, Mode, ModeRequest, PulseRequest, Right, Text,
};

pub(crate) async fn layout(State(app): Shared) -> Reply<Layout> {
    app.ask(|machine| machine.layout()).await.map(Json)
}

pub(crate) async fn line(State(app): Shared) -> Reply<Line> {
    app.line().await.map(Json)
}

pub(crate) async fn events(State(app): Shared, Extension(caller): Asker) -> Result<Response, Fail> {
    let first = app.line().await?;
    app.hub.watch(caller.session, &first)
}

pub(crate) async fn journal(State(app): Shared, Asked(window): Asked<Window>) -> Reply<Vec<JournalEntry>> {
    let (after, most) = (window.after.unwrap_or(0), window.most());
    app.ask(move |machine| machine.journal(after, most)).await.map(Json)
}

/// A version that a call must carry.
fn version_needed() -> Fail {
    Fail::invalid(
        "version_needed",
        "请求缺少 version（来自 versions.line）",
        "the request lacks version (from versions.line)",
        "version",
    )
}

pub(crate) async fn command(
    State(app): Shared,
    Extension(caller): Asker,
    Form(request): Form<CommandRequest>,
) -> Reply<Line> {
    let command = request.command;
    let seen = if command.is_towards_rest() {
        None
    } else {
        Some(request.version.ok_or_else(version_needed)?)
    };
    let name = name_of(&command);
    change(
        &app,
        caller.user()?,
        seen,
        "line.command",
        name.clone(),
        move |machine, by| {
            let before = name_of(&machine.snapshot().state);
            machine.command(by, command)?;
            Ok((before, name))
        },
    )
    .await
}

pub(crate) async fn mode(
    State(app): Shared,
    Extension(caller): Asker,
    Form(request): Form<ModeRequest>,
) -> Reply<Line> {
    let mode = request.mode;
    let by = if mode == Mode::Production {
        caller.user()?
    } else {
        caller.needs(Right::Maintenance)?
    };
    let name = name_of(&mode);
    change(
        &app,
        by,
        Some(request.version),
        "line.mode",
        "mode".to_owned(),
        move |machine, by| {
            let before = name_of(&machine.snapshot().mode);
            machine.set_mode(by, mode)?;
            Ok((before, name))
        },
    )
    .await
}

pub(crate) async fn bin(
    State(app): Shared,
    Extension(caller): Asker,
    Path(bin): Path<String>,
    Form(request): Form<BinRequest>,
) -> Reply<Line> {
    let bin: u8 = number(&bin, "bin")?;
    let action = request.action;
    let by = if action == BinAction::EndQuarantine {
        caller.needs(Right::Maintenance)?
    } else {
        caller.user()?
    };
    let seen = match action {
        BinAction::Inhibit => None,
        _ => Some(request.version.ok_or_else(version_needed)?),
    };
    change(&app, by, seen, "line.bin", format!("bin {bin}"), move |machine, by| {
        let bins = machine.snapshot().bins;
        let before = bins
            .iter()
            .find(|of| of.bin == bin)
            .map(|of| name_of(&of.state))
            .unwrap_or_default();
        machine.bin(by, bin, action)?;
        Ok((before, name_of(&action)))
    })
    .await
}

pub(crate) async fn pulse(
    State(app): Shared,
    Extension(caller): Asker,
    Path(valve): Path<String>,
    Form(request): Form<PulseRequest>,
) -> Reply<Line> {
    let valve: u16 = number(&valve, "valve")?;
    let length_us = request.length_us;
    let subject = format!("valve {valve}");
    change(
        &app,
        caller.user()?,
        Some(request.version),
        "line.pulse",
        subject,
        move |machine, by| {
            machine.pulse(by, valve, length_us)?;
            Ok((String::new(), format!("{length_us} us")))
        },
    )
    .await
}

/// A change of the line; gives the line as it is then. `what` gives what was there before and what is there now.
async fn change<F>(
    app: &Arc<App>,
    by: &By,
    seen: Option<u64>,
    action: &'static str,
    subject: String,
    what: F,
) -> Reply<Line>
where
    F: FnOnce(&dyn crate::machine::Machine, &By) -> crate::machine::Answer<(String, String)> + Send + 'static,
{
    app.change(by, Part::Line, seen, move |machine, by| {
        let (before, after) = what(machine, by)?;
        let text = format!("{subject}: {after}");
        let entry = Entry {
            action,
            what: Text::new(text.clone(), text),
            subject,
            before,
            after,
        };
        Ok(((), entry))
    })
    .await?;
    app.line().await.map(Json)
}
