//! What goes wrong, as an answer: a status, and a [`Problem`] in both languages. Cold.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::machine::{Refusal, RefusalKind};
use crate::shapes::Problem;

/// A request that is not done.
#[derive(Debug)]
pub(crate) struct Fail {
    pub(crate) status: StatusCode,
    pub(crate) problem: Problem,
    /// Seconds after which it may be tried again.
    pub(crate) retry_after_s: Option<u64>,
}

impl Fail {
    pub(crate) fn new(
        status: StatusCode,
        code: &str,
        zh: impl Into<String>,
        en: impl Into<String>,
        place: impl Into<String>,
    ) -> Self {
        Self {
            status,
            problem: Problem {
                code: code.to_owned(),
                message_zh: zh.into(),
                message_en: en.into(),
                place: place.into(),
            },
            retry_after_s: None,
        }
    }

    /// The values of a request can't be used.
    pub(crate) fn invalid(code: &str, zh: impl Into<String>, en: impl Into<String>, place: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, zh, en, place)
    }

    /// There is no such thing.
    pub(crate) fn unknown(place: impl Into<String>) -> Self {
        let place = place.into();
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown",
            format!("没有这一项：{place}"),
            format!("there is no such thing: {place}"),
            place,
        )
    }

    /// A fault of the program itself.
    pub(crate) fn internal(place: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "程序内部出错，分选不受影响；请查看日志",
            "a fault inside the program; sorting is not touched; see the log",
            place,
        )
    }

    pub(crate) fn after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl From<Refusal> for Fail {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::NotNow | RefusalKind::Conflict => StatusCode::CONFLICT,
            RefusalKind::Unknown => StatusCode::NOT_FOUND,
            RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, refusal.code, refusal.text.zh, refusal.text.en, refusal.place)
    }
}

impl IntoResponse for Fail {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.problem)).into_response();
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
