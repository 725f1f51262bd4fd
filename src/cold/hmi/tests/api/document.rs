//! The OpenAPI document, the router and the answers agree.

use std::collections::BTreeSet;

use crate::common::{Client, Reply, Rig};
use crate::schema::{self, DOCUMENT};
use hmi::{ROUTES, RouteRight};
use serde_json::{Value, json};

#[test]
fn every_route_is_in_the_document_and_every_path_has_its_route() {
    let routed: BTreeSet<(String, String, String)> = ROUTES
        .iter()
        .map(|route| {
            let right = match route.right {
                RouteRight::None => "none".to_owned(),
                RouteRight::Least(right) => serde_json::to_value(right)
                    .expect("a name")
                    .as_str()
                    .expect("a name")
                    .to_owned(),
            };
            (route.method.to_lowercase(), route.path.to_owned(), right)
        })
        .collect();
    let mut written = BTreeSet::new();
    for (path, item) in DOCUMENT["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let right = operation["x-right"].as_str().expect("x-right").to_owned();
            written.insert((method.clone(), path.clone(), right));
            assert!(
                operation["responses"]["default"].is_object(),
                "{method} {path} does not say how it fails"
            );
        }
    }
    assert_eq!(routed, written);
    assert_eq!(routed.len(), ROUTES.len(), "a route twice");
}

/// Calls a route with good values, and holds the answer against the document.
struct Caller {
    client: Client,
    called: BTreeSet<(&'static str, &'static str)>,
}

impl Caller {
    fn call(&mut self, method: &'static str, route: &'static str, path: &str, body: Option<Value>) -> Reply {
        self.called.insert((method, route));
        let body = body.map(|body| {
            let schema = &operation(method, route)["requestBody"]["content"]["application/json"]["schema"];
            schema::check_by(schema, &body, &format!("{method} {route}"));
            body.to_string()
        });
        let reply = self.client.request(method, path, body.as_deref(), "");
        let expected = &operation(method, route)["responses"][reply.status.to_string()];
        let text = String::from_utf8_lossy(&reply.body);
        assert!(expected.is_object(), "{method} {path}: {} {text}", reply.status);
        let kinds = expected["content"].as_object();
        let kind = reply
            .header("content-type")
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .to_owned();
        match kinds.and_then(|kinds| kinds.get(&kind)) {
            Some(content) if kind == "application/json" => {
                schema::check_by(&content["schema"], &reply.json(), &format!("{method} {route}"));
            }
            Some(_) => {}
            None => assert!(
                kinds.is_none() && reply.body.is_empty(),
                "{method} {path} answers {kind}"
            ),
        }
        reply
    }

    fn get(&mut self, route: &'static str) -> Value {
        self.call("GET", route, route, None).json()
    }

    fn version(&mut self, part: &str) -> Value {
        self.client.versions()[part].clone()
    }
}

fn operation(method: &str, route: &str) -> &'static Value {
    &DOCUMENT["paths"][route][method.to_lowercase()]
}

#[test]
fn every_route_answers_as_the_document_says() {
    let rig = Rig::new();
    rig.machine.pass(3_000);
    let mut caller = Caller {
        client: rig.admin(),
        called: BTreeSet::new(),
    };
    look(&mut caller, &rig);
    run(&mut caller);
    lots_and_alarms(&mut caller, &rig);
    recipes(&mut caller, &rig);
    calibrate(&mut caller);
    people(&mut caller, &rig);
    let all: BTreeSet<_> = ROUTES.iter().map(|route| (route.method, route.path)).collect();
    let left: Vec<_> = all.difference(&caller.called).collect();
    assert_eq!(left, [&("GET", "/events")], "routes that were not called");
}

fn look(caller: &mut Caller, rig: &Rig) {
    for route in [
        "/about",
        "/openapi.json",
        "/session",
        "/layout",
        "/line",
        "/journal",
        "/lanes",
        "/valves",
        "/boards",
        "/histograms",
        "/calibration",
        "/recipes",
        "/users",
    ] {
        caller.get(route);
    }
    let line = caller.get("/line");
    let counts = &line["line"]["counts"];
    let of = |name: &str| counts[name].as_u64().expect("a count");
    assert!(of("entered") > 0);
    assert_eq!(
        of("entered"),
        of("in_flight") + of("binned") + of("recirculated") + of("lost")
    );
    let crops = caller.get("/crops");
    let path = format!("/crops/{}/image", crops[0]["crop"]);
    let image = caller.call("GET", "/crops/{crop}/image", &path, None);
    assert!(image.body.starts_with(b"\x89PNG"));
    rig.machine.pass(100);
}

fn run(caller: &mut Caller) {
    let version = caller.version("line");
    let held = caller.call(
        "POST",
        "/line/command",
        "/line/command",
        Some(json!({"command": "hold"})),
    );
    assert_eq!(held.json()["line"]["state"], "holding");
    assert_ne!(caller.version("line"), version);
    let version = caller.version("line");
    caller.call(
        "POST",
        "/line/mode",
        "/line/mode",
        Some(json!({"mode": "valve_test", "version": version})),
    );
    let version = caller.version("line");
    let pulse = json!({"length_us": 900, "version": version});
    caller.call("POST", "/valves/{valve}/pulse", "/valves/12/pulse", Some(pulse));
    let bin = caller.call("POST", "/bins/{bin}", "/bins/2", Some(json!({"action": "inhibit"})));
    assert_eq!(bin.json()["line"]["bins"][2]["state"], "inhibited");
}

fn lots_and_alarms(caller: &mut Caller, rig: &Rig) {
    assert_eq!(caller.get("/lots")[0]["lot"], 1);
    caller.call("GET", "/lots/{lot}", "/lots/1", None);
    let report = caller.call("GET", "/lots/{lot}/report", "/lots/1/report", None).json();
    assert_eq!(report["adds_up"], true);
    caller.call("GET", "/lots/{lot}/export", "/lots/1/export?form=csv", None);
    let version = caller.version("lot");
    caller.call(
        "POST",
        "/lots/{lot}/close",
        "/lots/1/close",
        Some(json!({"version": version})),
    );
    let version = caller.version("lot");
    let new = json!({"lot": {"number": "7", "farm": "东塘"}, "version": version});
    assert_eq!(caller.call("POST", "/lots", "/lots", Some(new)).status, 201);
    while caller.get("/alarms")["alarms"].as_array().is_none_or(Vec::is_empty) {
        rig.machine.pass(100);
    }
    let id = caller.get("/alarms")["alarms"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    caller.call(
        "POST",
        "/alarms/{alarm}/acknowledge",
        &format!("/alarms/{id}/acknowledge"),
        None,
    );
    let shelving = json!({"for_s": 600, "reason": "阀门已订购"});
    caller.call(
        "POST",
        "/alarms/{alarm}/shelve",
        &format!("/alarms/{id}/shelve"),
        Some(shelving),
    );
    caller.call(
        "POST",
        "/alarms/{alarm}/unshelve",
        &format!("/alarms/{id}/unshelve"),
        None,
    );
    assert!(
        caller
            .get("/alarms/history")
            .as_array()
            .is_some_and(|events| !events.is_empty())
    );
}

fn recipes(caller: &mut Caller, rig: &Rig) {
    let file = crate::fake::RECIPE;
    let path = format!("/recipes/{file}");
    let text = caller.call("GET", "/recipes/{file}", &path, None).json()["text"]
        .as_str()
        .expect("a text")
        .to_owned();
    let stricter = text.replace("diameter-mm = \">=6.0\"", "diameter-mm = \">=7.0\"");
    assert_ne!(text, stricter);
    let asked = json!({"file": file, "text": stricter});
    let checked = caller
        .call("POST", "/recipes/check", "/recipes/check", Some(asked.clone()))
        .json();
    assert_eq!(checked["usable"], true);
    let diff = caller
        .call("POST", "/recipes/diff", "/recipes/diff", Some(asked))
        .json();
    assert_eq!((&diff["added"], &diff["removed"]), (&json!(1), &json!(1)));
    let asked = json!({"file": file, "text": stricter, "pearls": 1000});
    let tried = caller
        .call("POST", "/recipes/what-if", "/recipes/what-if", Some(asked))
        .json();
    check_trial(&tried);
    let version = caller.version("recipe");
    let asked = json!({"file": file, "text": stricter, "version": version});
    caller.call("POST", "/recipes/stage", "/recipes/stage", Some(asked.clone()));
    let version = caller.version("recipe");
    caller.call(
        "POST",
        "/recipes/unstage",
        "/recipes/unstage",
        Some(json!({"version": version})),
    );
    let mut asked = asked;
    asked["version"] = caller.version("recipe");
    let staged = caller
        .call("POST", "/recipes/stage", "/recipes/stage", Some(asked))
        .json();
    assert_eq!(staged["staged"]["recipe"]["hash"], checked["hash"]);
    let version = caller.version("recipe");
    let asked = json!({"hash": checked["hash"], "version": version});
    let applied = caller
        .call("POST", "/recipes/apply", "/recipes/apply", Some(asked))
        .json();
    assert_eq!(applied["in_force"]["hash"], checked["hash"]);
    let saved = std::fs::read_to_string(rig.folder.join("recipes").join(file)).expect("the recipe's file");
    assert_eq!(saved, stricter);
    let version = caller.version("recipe");
    let undone = caller
        .call(
            "POST",
            "/recipes/undo",
            "/recipes/undo",
            Some(json!({"version": version})),
        )
        .json();
    assert_eq!(undone["in_force"], applied["undo"]);
    let saved = std::fs::read_to_string(rig.folder.join("recipes").join(file)).expect("the recipe's file");
    assert_eq!(saved, text);
}

/// Pearls by slot and moves say the same, and a stricter bound takes pearls out of bin 1.
fn check_trial(tried: &Value) {
    let slots = tried["slots"].as_array().expect("slots");
    for key in ["old_pearls", "new_pearls"] {
        let sum: u64 = slots.iter().filter_map(|slot| slot[key].as_u64()).sum();
        assert_eq!(sum, tried["pearls"].as_u64().expect("a count"), "{key}");
    }
    let of = |key: &str| {
        slots
            .iter()
            .find(|slot| slot["slot"] == "bin.1")
            .map_or(0, |slot| slot[key].as_u64().unwrap_or(0))
    };
    let moves = tried["moves"].as_array().expect("moves");
    let out: u64 = moves
        .iter()
        .filter(|of| of["from"] == "bin.1")
        .filter_map(|of| of["pearls"].as_u64())
        .sum();
    let back: u64 = moves
        .iter()
        .filter(|of| of["to"] == "bin.1")
        .filter_map(|of| of["pearls"].as_u64())
        .sum();
    assert!(out > 0 && back == 0, "{moves:?}");
    assert_eq!(of("old_pearls") - out, of("new_pearls"));
}

fn calibrate(caller: &mut Caller) {
    let version = caller.version("calibration");
    let asked = json!({"kind": "ticks", "lanes": [1], "version": version});
    let began = caller
        .call("POST", "/calibration/start", "/calibration/start", Some(asked))
        .json();
    assert_eq!(began["wizard"]["needs"], "confirmation");
    for answer in [json!({"step": 1}), json!({"step": 2, "number": 650.2})] {
        let mut answer = answer;
        answer["version"] = caller.version("calibration");
        caller.call("POST", "/calibration/answer", "/calibration/answer", Some(answer));
    }
    assert_eq!(caller.get("/calibration")["wizard"]["stored"], true);
    let version = caller.version("calibration");
    caller.call(
        "POST",
        "/calibration/cancel",
        "/calibration/cancel",
        Some(json!({"version": version})),
    );
}

fn people(caller: &mut Caller, rig: &Rig) {
    let version = caller.version("users");
    let new = json!({"name": "王", "right": "view", "password": "long enough!", "version": version});
    assert_eq!(caller.call("POST", "/users", "/users", Some(new)).status, 201);
    let version = caller.version("users");
    let change = json!({"right": "operator", "version": version});
    let changed = caller
        .call("PUT", "/users/{name}", "/users/%E7%8E%8B", Some(change))
        .json();
    assert_eq!(changed["right"], "operator");
    let version = caller.version("users");
    caller.call(
        "DELETE",
        "/users/{name}",
        "/users/%E7%8E%8B",
        Some(json!({"version": version})),
    );
    let change = json!({"old": rig.server.first_password(), "new": "another long one"});
    let session = caller
        .call("POST", "/session/password", "/session/password", Some(change))
        .json();
    assert_eq!(session["password_is_initial"], false);
    let page = caller.get("/audit");
    let actions: BTreeSet<&str> = page["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|entry| entry["action"].as_str())
        .collect();
    for action in [
        "session.login",
        "line.command",
        "line.mode",
        "line.pulse",
        "line.bin",
        "lot.open",
        "lot.close",
        "alarm.acknowledge",
        "alarm.shelve",
        "alarm.unshelve",
        "recipe.stage",
        "recipe.unstage",
        "recipe.apply",
        "recipe.undo",
        "calibration.start",
        "calibration.answer",
        "calibration.cancel",
        "user.add",
        "user.change",
        "user.remove",
        "user.password",
    ] {
        assert!(actions.contains(action), "the audit trail lacks {action}: {actions:?}");
    }
    assert_eq!(caller.get("/audit/verify")["holds"], true);
    caller.call("DELETE", "/session", "/session", None);
    let mut again = rig.client();
    let login = again.login("admin", "another long one");
    caller.called.insert(("POST", "/session"));
    schema::check("Session", &login.json());
}
