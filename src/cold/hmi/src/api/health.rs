//! How the parts of the line are, and the pictures of doubtful pearls. Cold.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderName, header};

use super::{Reply, Shared, Window, number};
use crate::body::Asked;
use crate::problem::Fail;
use crate::shapes::{BoardHealth, Crop, Histograms, LaneHealth, ValveHealth};

pub(crate) async fn lanes(State(app): Shared) -> Reply<Vec<LaneHealth>> {
    app.ask(|machine| machine.lanes()).await.map(Json)
}

pub(crate) async fn valves(State(app): Shared) -> Reply<Vec<ValveHealth>> {
    app.ask(|machine| machine.valves()).await.map(Json)
}

pub(crate) async fn boards(State(app): Shared) -> Reply<Vec<BoardHealth>> {
    app.ask(|machine| machine.boards()).await.map(Json)
}

pub(crate) async fn histograms(State(app): Shared) -> Reply<Histograms> {
    app.ask(|machine| machine.histograms()).await.map(Json)
}

pub(crate) async fn crops(State(app): Shared, Asked(window): Asked<Window>) -> Reply<Vec<Crop>> {
    let most = window.most();
    Ok(Json(app.ask(move |machine| machine.crops(most)).await??))
}

pub(crate) async fn crop_image(
    State(app): Shared,
    Path(crop): Path<String>,
) -> Result<([(HeaderName, &'static str); 1], Vec<u8>), Fail> {
    let crop: u64 = number(&crop, "crop")?;
    let image = app.ask(move |machine| machine.crop_image(crop)).await??;
    Ok(([(header::CONTENT_TYPE, "image/png")], image))
}
