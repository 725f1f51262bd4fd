//! The table of routes: each with its method, its path, and the least right. The router is made from it and from
//! nothing else, and a test holds it against `openapi.json`. Cold.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Router, middleware};

use crate::api::{alarms, audit, calibration, health, line, lots, meta, recipes, session, users};
use crate::app::App;
use crate::gate::{entrance, gate};
use crate::page::no_method;
use crate::problem::Fail;
use crate::shapes::Right;

/// Where the API's paths begin.
pub(crate) const BASE: &str = "/api/v1";

/// What a route asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteRight {
    /// Nothing.
    None,
    /// At least this right.
    Least(Right),
}

/// A route, as the document has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// The method, in capital letters.
    pub method: &'static str,
    /// The path behind `/api/v1`.
    pub path: &'static str,
    /// What it asks for.
    pub right: RouteRight,
}

const fn spec(method: &'static str, path: &'static str, right: RouteRight) -> RouteSpec {
    RouteSpec { method, path, right }
}

const NONE: RouteRight = RouteRight::None;
const VIEW: RouteRight = RouteRight::Least(Right::View);
const OPERATOR: RouteRight = RouteRight::Least(Right::Operator);
const MAINTENANCE: RouteRight = RouteRight::Least(Right::Maintenance);
const ADMIN: RouteRight = RouteRight::Least(Right::Admin);

/// Makes the table and the handlers from one list, so that neither can lack what the other has.
macro_rules! routes {
    ($($method:ident $path:literal $right:ident $handler:path;)*) => {
        /// Every route.
        pub const ROUTES: &[RouteSpec] = &[$(spec(stringify!($method), $path, $right)),*];

        fn handlers() -> Vec<MethodRouter<Arc<App>>> {
            vec![$(on(MethodFilter::$method, $handler)),*]
        }
    };
}

routes! {
    GET "/about" NONE meta::about;
    GET "/openapi.json" NONE meta::openapi;
    GET "/session" NONE session::who;
    POST "/session" NONE session::login;
    DELETE "/session" VIEW session::logout;
    POST "/session/password" VIEW session::password;
    GET "/layout" VIEW line::layout;
    GET "/line" VIEW line::line;
    GET "/events" VIEW line::events;
    GET "/journal" VIEW line::journal;
    POST "/line/command" OPERATOR line::command;
    POST "/line/mode" OPERATOR line::mode;
    POST "/bins/{bin}" OPERATOR line::bin;
    POST "/valves/{valve}/pulse" MAINTENANCE line::pulse;
    GET "/lots" VIEW lots::list;
    POST "/lots" OPERATOR lots::open;
    GET "/lots/{lot}" VIEW lots::one;
    POST "/lots/{lot}/close" OPERATOR lots::close;
    GET "/lots/{lot}/report" VIEW lots::report;
    GET "/lots/{lot}/export" OPERATOR lots::export;
    GET "/alarms" VIEW alarms::list;
    GET "/alarms/history" VIEW alarms::history;
    POST "/alarms/{alarm}/acknowledge" OPERATOR alarms::acknowledge;
    POST "/alarms/{alarm}/shelve" OPERATOR alarms::shelve;
    POST "/alarms/{alarm}/unshelve" OPERATOR alarms::unshelve;
    GET "/lanes" VIEW health::lanes;
    GET "/valves" VIEW health::valves;
    GET "/boards" VIEW health::boards;
    GET "/histograms" VIEW health::histograms;
    GET "/recipes" VIEW recipes::status;
    GET "/recipes/{file}" VIEW recipes::file;
    POST "/recipes/check" OPERATOR recipes::check;
    POST "/recipes/diff" OPERATOR recipes::diff;
    POST "/recipes/what-if" OPERATOR recipes::what_if;
    POST "/recipes/stage" MAINTENANCE recipes::stage;
    POST "/recipes/unstage" MAINTENANCE recipes::unstage;
    POST "/recipes/apply" MAINTENANCE recipes::apply;
    POST "/recipes/undo" MAINTENANCE recipes::undo;
    GET "/calibration" VIEW calibration::status;
    POST "/calibration/start" MAINTENANCE calibration::start;
    POST "/calibration/answer" MAINTENANCE calibration::answer;
    POST "/calibration/cancel" MAINTENANCE calibration::cancel;
    GET "/crops" VIEW health::crops;
    GET "/crops/{crop}/image" VIEW health::crop_image;
    GET "/audit" MAINTENANCE audit::page;
    GET "/audit/verify" MAINTENANCE audit::verify;
    GET "/users" ADMIN users::list;
    POST "/users" ADMIN users::add;
    PUT "/users/{name}" ADMIN users::change;
    DELETE "/users/{name}" ADMIN users::remove;
}

/// The router of everything.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut api = Router::new();
    for (spec, handler) in ROUTES.iter().zip(handlers()) {
        let gate = middleware::from_fn_with_state((Arc::clone(&app), spec.right), gate);
        api = api.route(spec.path, handler.layer(gate));
    }
    let api = api.fallback(unknown).method_not_allowed_fallback(wrong_method);
    let page = Arc::clone(&app);
    Router::new()
        .nest(BASE, api)
        .fallback(move |request: Request| {
            let page = Arc::clone(&page);
            async move { rest(&page, &request) }
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&app), entrance))
        .with_state(app)
}

/// What is no route: a file of the page.
fn rest(app: &App, request: &Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") {
        return Fail::unknown(path).into_response();
    }
    app.page.answer(request.method(), path, request.headers())
}

async fn unknown(request: Request) -> Response {
    Fail::unknown(request.uri().path()).into_response()
}

async fn wrong_method(method: Method, request: Request) -> Response {
    no_method(&format!("{method} {}", request.uri().path())).into_response()
}
