//! The audit trail. Cold.

use axum::Json;
use axum::extract::State;

use super::{Reply, Shared, Window};
use crate::body::Asked;
use crate::shapes::{AuditPage, AuditVerdict};

pub(crate) async fn page(State(app): Shared, Asked(window): Asked<Window>) -> Reply<AuditPage> {
    let (before, most) = (window.before, window.most());
    Ok(Json(app.ask(move |machine| machine.audit_page(before, most)).await??))
}

pub(crate) async fn verify(State(app): Shared) -> Reply<AuditVerdict> {
    Ok(Json(app.ask_long(|machine| machine.audit_verify()).await??))
}
