//! Bodies: those of requests, read with a limit and a time, and those of answers that come bit by bit. Cold.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use http_body::{Body as _, Frame};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use crate::limits::{BODY_BYTES, BODY_TIME, REFUSED_BODY_BYTES};
use crate::problem::Fail;

/// A request's body as a shape.
#[derive(Debug)]
pub(crate) struct Form<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Fail;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Fail> {
        let is_json = is_json(request.headers());
        let bytes = tokio::time::timeout(BODY_TIME, read(request.into_body()))
            .await
            .map_err(|_| slow())??;
        if !is_json {
            return Err(Fail::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_json",
                "请求内容必须是 JSON（content-type: application/json）",
                "the body must be JSON (content-type: application/json)",
                "content-type",
            ));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Fail::new(
                StatusCode::BAD_REQUEST,
                "wrong_form",
                format!("请求内容的格式不对：{error}"),
                format!("the body has a wrong form: {error}"),
                format!("line {} column {}", error.line(), error.column()),
            )
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads a body within its limit. A longer one is read on for a while without being kept: a sender that is cut off while it
/// writes never reads the answer.
async fn read(body: Body) -> Result<Bytes, Fail> {
    let mut body = std::pin::pin!(body);
    let mut kept = Vec::new();
    let mut seen = 0_usize;
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(frame) = frame else { return Err(slow()) };
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len();
        if seen <= BODY_BYTES {
            kept.extend_from_slice(&data);
        } else if seen > REFUSED_BODY_BYTES {
            break;
        }
    }
    if seen > BODY_BYTES {
        return Err(Fail::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("请求内容太大：最多 {} kB", BODY_BYTES / 1024),
            format!("the body is too large: at most {} kB", BODY_BYTES / 1024),
            "body",
        ));
    }
    Ok(kept.into())
}

fn slow() -> Fail {
    Fail::new(
        StatusCode::REQUEST_TIMEOUT,
        "too_slow",
        format!("请求内容没有在 {} 秒内到齐", BODY_TIME.as_secs()),
        format!("the body did not come within {} s", BODY_TIME.as_secs()),
        "body",
    )
}

/// A request's query as a shape.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Asked<T> {
    type Rejection = Fail;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fail> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(query)| Self(query)).map_err(|error| {
            Fail::new(
                StatusCode::BAD_REQUEST,
                "wrong_query",
                format!("网址里的参数不对：{}", error.body_text()),
                format!("the query is wrong: {}", error.body_text()),
                "query",
            )
        })
    }
}

/// An answer's body that is fed while it is read.
#[derive(Debug)]
pub(crate) struct Pipe(pub(crate) mpsc::Receiver<Bytes>);

impl http_body::Body for Pipe {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|data| data.map(|data| Ok(Frame::data(data))))
    }
}
