//! The commissioning wizard. Cold.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};

use super::{Asker, Reply, Shared, as_text, name_of};
use crate::app::{App, Caller, Entry};
use crate::body::Form;
use crate::ledger::Part;
use crate::machine::{Answer, By, Machine};
use crate::shapes::{Calibration, CalibrationAnswer, CalibrationStart, Text, VersionRequest};

pub(crate) async fn status(State(app): Shared) -> Reply<Calibration> {
    app.ask(|machine| machine.calibration()).await.map(Json)
}

pub(crate) async fn start(
    State(app): Shared,
    Extension(caller): Asker,
    Form(start): Form<CalibrationStart>,
) -> Reply<Calibration> {
    let (version, asked) = (start.version, as_text(&start));
    let subject = name_of(&start.kind);
    change(
        &app,
        &caller,
        version,
        "calibration.start",
        subject,
        asked,
        move |machine, by| machine.calibration_start(by, &start),
    )
    .await
}

pub(crate) async fn answer(
    State(app): Shared,
    Extension(caller): Asker,
    Form(answer): Form<CalibrationAnswer>,
) -> Reply<Calibration> {
    let (version, asked) = (answer.version, as_text(&answer));
    let subject = format!("step {}", answer.step);
    change(
        &app,
        &caller,
        version,
        "calibration.answer",
        subject,
        asked,
        move |machine, by| machine.calibration_answer(by, &answer),
    )
    .await
}

pub(crate) async fn cancel(
    State(app): Shared,
    Extension(caller): Asker,
    Form(request): Form<VersionRequest>,
) -> Reply<Calibration> {
    let (subject, after) = ("wizard".to_owned(), String::new());
    change(
        &app,
        &caller,
        request.version,
        "calibration.cancel",
        subject,
        after,
        |machine, by| machine.calibration_cancel(by),
    )
    .await
}

async fn change<F>(
    app: &Arc<App>,
    caller: &Caller,
    version: u64,
    action: &'static str,
    subject: String,
    after: String,
    what: F,
) -> Reply<Calibration>
where
    F: FnOnce(&dyn Machine, &By) -> Answer<Calibration> + Send + 'static,
{
    app.change(caller.user()?, Part::Calibration, Some(version), move |machine, by| {
        let calibration = what(machine, by)?;
        let text = format!("{action} {subject}");
        let entry = Entry {
            action,
            what: Text::new(text.clone(), text),
            subject,
            before: String::new(),
            after,
        };
        Ok((calibration, entry))
    })
    .await
    .map(Json)
}
