//! Bad input, each with a clear message in both languages, and a server that goes on.

use std::io::{Read, Write};

use crate::common::{Client, Rig};
use serde_json::json;

#[test]
fn wrong_passwords_at_speed_are_braked_and_the_right_one_must_wait_too() {
    let rig = Rig::new();
    let mut client = rig.client();
    let mut waits = 0;
    for _ in 0..30 {
        let reply = client.login("admin", "not the password");
        match reply.status {
            401 => reply.is_problem(401, "wrong_password"),
            _ => {
                reply.is_problem(429, "must_wait");
                assert!(reply.header("retry-after").is_some());
                waits += 1;
            }
        }
    }
    assert!(waits >= 20, "{waits} of 30 had to wait");
    let password = rig.server.first_password().expect("the first start").to_owned();
    client.login("admin", &password).is_problem(429, "must_wait");
    assert_eq!(client.get("/line").status, 200, "looking goes on");
}

#[test]
fn names_that_do_not_exist_are_answered_as_wrong_passwords_are() {
    let rig = Rig::new();
    let there = rig.client().login("admin", "wrong").json();
    let not_there = rig.client().login("nobody", "wrong").json();
    assert_eq!(there, not_there);
}

#[test]
fn looking_needs_no_login_here_but_acting_does() {
    let rig = Rig::new();
    let client = rig.client();
    assert_eq!(client.get("/line").status, 200);
    assert_eq!(client.get("/session").json()["right"], "view");
    client
        .post("/line/command", &json!({"command": "hold"}))
        .is_problem(401, "login_needed");
    client.get("/users").is_problem(401, "login_needed");
    client.get("/audit").is_problem(401, "login_needed");
}

#[test]
fn a_stale_session_is_told_that_it_has_ended() {
    let rig = Rig::new();
    let admin = rig.admin();
    let stale = admin.clone();
    assert_eq!(admin.request("DELETE", "/session", None, "").status, 204);
    stale
        .post("/line/command", &json!({"command": "hold"}))
        .is_problem(401, "session_ended");
    assert_eq!(stale.get("/session").json()["user"], json!(null));
    let mut invented = rig.client();
    invented.cookie = Some(format!("pearlsort_session_{}=00ff", invented.address.port()));
    invented.csrf = Some("00ff".to_owned());
    invented
        .post("/line/command", &json!({"command": "hold"}))
        .is_problem(401, "session_ended");
}

#[test]
fn each_right_ends_where_the_next_begins() {
    let rig = Rig::new();
    let look = rig.user("kan", "view");
    look.post("/line/command", &json!({"command": "hold"}))
        .is_problem(403, "right_missing");
    let operator = rig.user("li", "operator");
    operator
        .post("/line/mode", &json!({"mode": "maintenance", "version": 0}))
        .is_problem(403, "right_missing");
    operator
        .post("/recipes/stage", &json!({"file": "a.toml", "text": "", "version": 0}))
        .is_problem(403, "right_missing");
    let shelving = json!({"for_s": 9 * 3600, "reason": "x"});
    operator
        .post("/alarms/a/shelve", &shelving)
        .is_problem(403, "right_missing");
    let keeper = rig.user("wang", "maintenance");
    keeper.get("/users").is_problem(403, "right_missing");
    assert_eq!(keeper.get("/audit").status, 200);
}

#[test]
fn foreign_pages_and_rebound_names_are_refused() {
    let rig = Rig::new();
    let admin = rig.admin();
    let hold = json!({"command": "hold"}).to_string();
    let foreign = [
        "origin: http://evil.example\r\n",
        "origin: null\r\n",
        "sec-fetch-site: cross-site\r\n",
    ];
    for header in foreign {
        admin
            .request("POST", "/line/command", Some(&hold), header)
            .is_problem(403, "foreign_origin");
        admin
            .request("GET", "/line", None, header)
            .is_problem(403, "foreign_origin");
    }
    let mut without = admin.clone();
    without.csrf = None;
    without
        .post("/line/command", &json!({"command": "hold"}))
        .is_problem(403, "csrf");
    let rebound = b"GET /api/v1/line HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    admin.raw(rebound).is_problem(421, "wrong_host");
    let none = b"GET /api/v1/line HTTP/1.1\r\nconnection: close\r\n\r\n";
    admin.raw(none).is_problem(421, "wrong_host");
    assert_eq!(
        rig.machine
            .audited()
            .iter()
            .filter(|entry| entry.action == "line.command")
            .count(),
        0
    );
}

#[test]
fn the_token_of_the_file_acts_as_operator_without_a_cookie() {
    let rig = Rig::new();
    let token = std::fs::read_to_string(rig.server.token_file()).expect("the token's file");
    let client = rig.client();
    let header = format!("authorization: Bearer {token}\r\n");
    let hold = json!({"command": "hold"}).to_string();
    assert_eq!(
        client.request("POST", "/line/command", Some(&hold), &header).status,
        200
    );
    client
        .request("GET", "/users", None, &header)
        .is_problem(403, "right_missing");
    client
        .request("GET", "/line", None, "authorization: Bearer 00\r\n")
        .is_problem(401, "wrong_token");
}

#[test]
fn bodies_that_are_too_large_or_no_json_are_refused_with_a_reason() {
    let rig = Rig::new();
    let admin = rig.admin();
    let large = format!("{{\"command\":\"{}\"}}", "x".repeat(10 * 1024 * 1024));
    admin
        .request("POST", "/line/command", Some(&large), "")
        .is_problem(413, "too_large");
    for body in [
        "",
        "{",
        "[]",
        "{\"command\":\"explode\"}",
        "{\"command\":\"hold\",\"more\":1}",
        "\u{0}",
    ] {
        admin
            .request("POST", "/line/command", Some(body), "")
            .is_problem(400, "wrong_form");
    }
    let head = admin.head(
        "POST",
        "/api/v1/line/command",
        "content-type: text/plain\r\ncontent-length: 2\r\n\r\n{}",
    );
    admin.raw(head.as_bytes()).is_problem(415, "not_json");
    admin
        .post("/line/command", &json!({"command": "start"}))
        .is_problem(422, "version_needed");
    assert_eq!(admin.get("/line").status, 200);
}

#[test]
fn heads_that_are_too_long_end_their_connection_alone() {
    let rig = Rig::new();
    let client = rig.client();
    let head = client.head("GET", "/api/v1/line", &format!("x: {}\r\n\r\n", "y".repeat(64 * 1024)));
    let mut stream = client.connect();
    // The server may close while this is written: that is an answer too.
    let _ = stream.write_all(head.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(
        !answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    assert_eq!(client.get("/line").status, 200);
}

#[test]
fn no_path_leads_to_a_file_that_is_not_the_page() {
    let rig = Rig::new();
    let client = rig.client();
    for path in [
        "/../Cargo.toml",
        "/..%2f..%2fCargo.toml",
        "/%2e%2e/Cargo.toml",
        "//etc/passwd",
        "/js/../../Cargo.toml",
        "/api/v1/../../Cargo.toml",
        "/index.html%00.js",
    ] {
        let reply = client.raw(format!("{}\r\n", client.head("GET", path, "")).as_bytes());
        reply.is_problem(404, "unknown");
    }
    let admin = rig.admin();
    for file in [
        "..%2F..%2Fhmi%2Fusers.json",
        "%2Fetc%2Fpasswd",
        "..%5Cx.toml",
        "x.toml%00",
        ".x.toml",
    ] {
        admin
            .get(&format!("/recipes/{file}"))
            .is_problem(422, "wrong_file_name");
    }
    let asked = json!({"file": "../x.toml", "text": "", "version": 0});
    admin.post("/recipes/stage", &asked).is_problem(422, "wrong_file_name");
    client.get("/nothing").is_problem(404, "unknown");
    client.post("/layout", &json!({})).is_problem(405, "wrong_method");
    for (path, place) in [
        ("/lots/x", "lot"),
        ("/lots/-1", "lot"),
        ("/lots/99", "lot"),
        ("/crops/99/image", "crop"),
    ] {
        let reply = client.get(path);
        reply.is_problem(404, "unknown");
        assert!(
            reply.json()["where"].as_str().is_some_and(|text| text.contains(place)),
            "{reply:?}"
        );
    }
    client.get("/lots?most=x").is_problem(400, "wrong_query");
    client.get("/lots?drop=1").is_problem(400, "wrong_query");
}

#[test]
fn script_in_a_lots_name_is_text() {
    let rig = Rig::new();
    let mut admin = rig.admin();
    let version = admin.versions()["lot"].clone();
    assert_eq!(admin.post("/lots/1/close", &json!({"version": version})).status, 200);
    let script = "<script>alert(1)</script>\"'&";
    let version = admin.versions()["lot"].clone();
    let new = json!({"lot": {"number": script, "farm": script}, "version": version});
    assert_eq!(admin.post("/lots", &new).status, 201);
    let reply = admin.get("/lots");
    assert_eq!(reply.json()[0]["number"], script);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    let policy = reply.header("content-security-policy").expect("a policy");
    assert!(
        policy.contains("script-src 'self';") && !policy.contains("unsafe"),
        "{policy}"
    );
    let version = admin.versions()["lot"].clone();
    let new = |number: &str| json!({"lot": {"number": number, "farm": "x"}, "version": version});
    admin.post("/lots", &new("")).is_problem(422, "wrong_text");
    admin.post("/lots", &new("a\nb")).is_problem(422, "wrong_text");
    admin
        .post("/lots", &new(&"x".repeat(300)))
        .is_problem(422, "wrong_text");
}

#[test]
fn the_second_of_two_operators_hears_who_was_first_and_with_what() {
    let rig = Rig::new();
    let (mut li, wang) = (rig.user("li", "operator"), rig.user("wang", "operator"));
    let version = li.versions()["line"].clone();
    assert_eq!(
        li.post("/line/command", &json!({"command": "complete", "version": version}))
            .status,
        200
    );
    let reply = wang.post("/line/command", &json!({"command": "purge", "version": version}));
    reply.is_problem(409, "changed_meanwhile");
    for key in ["message_zh", "message_en"] {
        let text = reply.json()[key].as_str().expect("a text").to_owned();
        assert!(text.contains("li") && text.contains("complete"), "{text}");
    }
    let stop = wang.post("/line/command", &json!({"command": "stop"}));
    assert_eq!(stop.status, 200, "nobody is kept from stopping: {stop:?}");
    let version = li.versions()["line"].clone();
    let reply = wang.post("/line/command", &json!({"command": "unhold", "version": version}));
    reply.is_problem(409, "not_now");
}

#[test]
fn a_faulty_recipe_is_answered_in_the_words_of_check_and_changes_nothing() {
    let rig = Rig::new();
    let mut admin = rig.admin();
    let file = crate::fake::RECIPE;
    let text = admin.get(&format!("/recipes/{file}")).json()["text"]
        .as_str()
        .expect("a text")
        .to_owned();
    let wrong = text.replace("lustre = \">=B\"", "lustre = \">=Q\"");
    let checked = admin
        .post("/recipes/check", &json!({"file": file, "text": wrong}))
        .json();
    let report = config::check_bytes(file, wrong.as_bytes(), &rig.folder.join("recipes"));
    assert_eq!(checked["report"], report.to_string());
    assert_eq!(checked["usable"], false);
    assert_eq!(checked["faults"][0]["line"], report.faults[0].line);
    let version = admin.versions()["recipe"].clone();
    let asked = json!({"file": file, "text": wrong, "version": version});
    admin.post("/recipes/stage", &asked).is_problem(422, "recipe_faulty");
    let asked = json!({"file": file, "text": wrong, "pearls": 10});
    admin.post("/recipes/what-if", &asked).is_problem(422, "recipe_faulty");
    assert_eq!(admin.versions()["recipe"], version);
    let apply = json!({"hash": "0", "version": version});
    admin.post("/recipes/apply", &apply).is_problem(409, "nothing_there");
}

#[test]
fn a_change_of_right_or_password_takes_effect_at_once() {
    let rig = Rig::new();
    let li = rig.user("li", "operator");
    let mut admin = rig.admin();
    let version = admin.versions()["users"].clone();
    let change = json!({"right": "view", "version": version}).to_string();
    assert_eq!(admin.request("PUT", "/users/li", Some(&change), "").status, 200);
    li.post("/line/command", &json!({"command": "hold"}))
        .is_problem(401, "session_ended");
    let version = json!({"version": admin.versions()["users"]}).to_string();
    admin
        .request("DELETE", "/users/admin", Some(&version), "")
        .is_problem(409, "last_admin");
}

/// Opens the stream of events and reads until it has begun.
fn watch(client: &Client) -> std::net::TcpStream {
    let mut stream = client.connect();
    let head = format!("{}\r\n", client.head("GET", "/api/v1/events", ""));
    stream.write_all(head.as_bytes()).expect("the server reads");
    let mut begun = Vec::new();
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&begun).contains("event: line") && !begun.starts_with(b"HTTP/1.1 503") {
        let read = stream.read(&mut piece).expect("the server answers");
        assert!(read > 0, "{}", String::from_utf8_lossy(&begun));
        begun.extend_from_slice(&piece[..read]);
    }
    stream
}

#[test]
fn one_page_too_many_is_told_so_and_the_others_watch_on() {
    let rig = Rig::new();
    let client = rig.client();
    let mut watchers: Vec<_> = (0..hmi::limits::WATCHERS).map(|_| watch(&client)).collect();
    client.get("/events").is_problem(503, "too_many_watchers");
    assert_eq!(client.get("/line").status, 200);
    watchers.pop();
    rig.machine.pass(100);
    let mut piece = [0; 16];
    assert!(watchers[0].read(&mut piece).expect("events go on") > 0);
}

#[test]
fn whoever_logs_out_watches_no_longer_and_hears_why() {
    let rig = Rig::new();
    let admin = rig.admin();
    let mut stream = watch(&admin);
    assert_eq!(admin.request("DELETE", "/session", None, "").status, 204);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the stream ends");
    let rest = String::from_utf8_lossy(&rest).into_owned();
    assert!(rest.contains("event: bye") && rest.contains("session_ended"), "{rest}");
}
