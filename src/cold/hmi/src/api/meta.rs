//! The program and its document. Cold.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};

use super::{Reply, Shared};
use crate::limits::WATCHERS;
use crate::shapes::About;

pub(crate) async fn about(State(app): Shared) -> Reply<About> {
    Ok(Json(About {
        program: "pearlsort".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        virtual_line: app.machine.is_virtual(),
        watchers: u32::try_from(app.hub.count()).unwrap_or(u32::MAX),
        most_watchers: WATCHERS as u32,
    }))
}

pub(crate) async fn openapi() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "application/json")], crate::OPENAPI)
}
