//! `pearlsort status`, `lot` and `alarm`: a running line asked from the command line, through the same API as the page.
//!
//! Cold; a program of its own beside the one that sorts. Over plain HTTP, and so over loopback only: a token or a password
//! never leaves this computer.

use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use hmi::shapes::{
    Alarm, AlarmState, Alarms, Line, Login, Lot, LotReport, NewLot, OpenLotRequest, Problem, Session, Shelving, Text,
    VersionRequest,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Response, header};
use ureq::{Agent, Body};

use crate::cli::{AlarmCommand, AskArgs, Lang, LotCommand, LotOpenArgs};
use crate::exit::{Exit, Failure};

/// A line that does not answer within this is told as one that is not there.
const PATIENCE: Duration = Duration::from_secs(15);
/// Most bytes of an answer.
const ANSWER_BYTES: u64 = 16 * 1024 * 1024;

/// Tells how the line is.
///
/// # Errors
/// When no line answers at the address, or it refuses.
pub fn status(arguments: &AskArgs) -> Result<ExitCode> {
    let client = Client::look(arguments)?;
    let line: Line = client.get("/line")?;
    client.show(&line, |lang| state_text(&line, lang))?;
    Ok(ExitCode::SUCCESS)
}

/// Lists, opens, closes or reports lots.
///
/// # Errors
/// When no line answers at the address, or it refuses.
pub fn lot(command: &LotCommand) -> Result<ExitCode> {
    match command {
        LotCommand::List(ask) => {
            let client = Client::look(ask)?;
            let lots: Vec<Lot> = client.get("/lots")?;
            client.show(&lots, |lang| lots.iter().map(|lot| lot_text(lot, lang)).collect())?;
        }
        LotCommand::Open(arguments) => {
            let client = Client::act(&arguments.ask)?;
            let version = client.get::<Line>("/line")?.versions.lot;
            let lot = new_lot(arguments);
            let lot: Lot = client.post("/lots", &OpenLotRequest { lot, version })?;
            client.show(&lot, |lang| lot_text(&lot, lang))?;
        }
        LotCommand::Close(arguments) => {
            let client = Client::act(&arguments.ask)?;
            let line: Line = client.get("/line")?;
            let open = arguments.lot.or(line.line.lot.map(|lot| lot.lot));
            let lot = open.ok_or_else(|| Failure::new(Exit::Verdict, client.word("没有打开的批", "no lot is open")))?;
            let version = line.versions.lot;
            let lot: Lot = client.post(&format!("/lots/{lot}/close"), &VersionRequest { version })?;
            client.show(&lot, |lang| lot_text(&lot, lang))?;
        }
        LotCommand::Report(arguments) => {
            let client = Client::look(&arguments.ask)?;
            let report: LotReport = client.get(&format!("/lots/{}/report", arguments.lot))?;
            client.show(&report, |lang| report_text(&report, lang))?;
            if !report.adds_up {
                return Ok(ExitCode::from(Exit::Verdict as u8));
            }
        }
        LotCommand::Export(arguments) => return crate::lot::export(arguments),
    }
    Ok(ExitCode::SUCCESS)
}

fn new_lot(arguments: &LotOpenArgs) -> NewLot {
    NewLot {
        number: arguments.number.clone(),
        farm: arguments.farm.clone(),
        harvest_date: arguments.harvest_date.clone(),
        customer: arguments.customer.clone(),
        mass_in_mg: arguments.mass_g.map(|mass| mass * 1e3),
        count_in: arguments.count,
    }
}

/// Lists, acknowledges or shelves alarms. `list` exits with 1 when any is unacknowledged.
///
/// # Errors
/// When no line answers at the address, or it refuses.
pub fn alarm(command: &AlarmCommand) -> Result<ExitCode> {
    let (client, alarm): (Client, Alarm) = match command {
        AlarmCommand::List(ask) => {
            let client = Client::look(ask)?;
            let alarms: Alarms = client.get("/alarms")?;
            client.show(&alarms, |lang| {
                alarms.alarms.iter().map(|alarm| alarm_text(alarm, lang)).collect()
            })?;
            let waits = |alarm: &Alarm| {
                matches!(
                    alarm.state,
                    AlarmState::Unacknowledged | AlarmState::ReturnedUnacknowledged
                )
            };
            let code = if alarms.alarms.iter().any(waits) {
                Exit::Verdict as u8
            } else {
                0
            };
            return Ok(ExitCode::from(code));
        }
        AlarmCommand::Ack(arguments) => {
            let client = Client::act(&arguments.ask)?;
            let alarm = client.post(&alarm_path(&arguments.alarm, "acknowledge")?, &())?;
            (client, alarm)
        }
        AlarmCommand::Shelve(arguments) => {
            let client = Client::act(&arguments.alarm.ask)?;
            let shelving = Shelving {
                for_s: arguments.minutes * 60,
                reason: arguments.reason.clone(),
            };
            let alarm = client.post(&alarm_path(&arguments.alarm.alarm, "shelve")?, &shelving)?;
            (client, alarm)
        }
        AlarmCommand::Unshelve(arguments) => {
            let client = Client::act(&arguments.ask)?;
            let alarm = client.post(&alarm_path(&arguments.alarm, "unshelve")?, &())?;
            (client, alarm)
        }
    };
    client.show(&alarm, |lang| alarm_text(&alarm, lang))?;
    Ok(ExitCode::SUCCESS)
}

fn alarm_path(alarm: &str, act: &str) -> Result<String, Failure> {
    let plain = alarm.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if plain && !alarm.is_empty() {
        return Ok(format!("/alarms/{alarm}/{act}"));
    }
    let message = format!("{alarm} is no alarm: `pearlsort alarm list` names them");
    Err(Failure::new(Exit::Usage, message))
}

/// Who asks, as the headers of each request say it.
enum Pass {
    /// Nobody: may look, where that needs no login.
    None,
    Token(String),
    Session {
        cookie: String,
        csrf: String,
    },
}

/// A line that is asked.
struct Client {
    agent: Agent,
    base: String,
    lang: Lang,
    json: bool,
    pass: Pass,
}

impl Client {
    fn new(arguments: &AskArgs) -> Result<Self> {
        if !arguments.page.ip().is_loopback() {
            let message = format!(
                "{}: a line is asked on its own computer, through loopback",
                arguments.page
            );
            return Err(Failure::new(Exit::Usage, message).into());
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE));
        Ok(Self {
            agent: config.build().into(),
            base: format!("http://{}/api/v1", arguments.page),
            lang: arguments
                .lang
                .unwrap_or_else(|| lang_of(|name| std::env::var(name).ok())),
            json: arguments.json,
            pass: Pass::None,
        })
    }

    /// For looking: with a user or a token if one is named, else without.
    fn look(arguments: &AskArgs) -> Result<Self> {
        if arguments.user.is_some() || arguments.token.is_some() {
            return Self::act(arguments);
        }
        Self::new(arguments)
    }

    /// For acting: with the user that is named, else with the token.
    fn act(arguments: &AskArgs) -> Result<Self> {
        let mut client = Self::new(arguments)?;
        if let Some(user) = &arguments.user {
            client.login(user)?;
            return Ok(client);
        }
        let path = arguments.token.clone().unwrap_or_else(|| arguments.data.join("token"));
        let token = std::fs::read_to_string(&path).map_err(|error| {
            let exit = match error.kind() {
                std::io::ErrorKind::PermissionDenied => Exit::NoPermission,
                _ => Exit::NoInput,
            };
            let path = path.display();
            let zh = format!("令牌文件 {path} 读不出来：{error}；请用 --data 指明数据文件夹，或用 --user 登录");
            let en = format!(
                "the token's file {path} can't be read: {error}; name the folder with --data, or log in with --user"
            );
            Failure::new(exit, client.word(&zh, &en))
        })?;
        client.pass = Pass::Token(token.trim().to_owned());
        Ok(client)
    }

    fn login(&mut self, user: &str) -> Result<()> {
        let login = Login {
            user: user.to_owned(),
            password: self.password(user)?,
        };
        let request = self.agent.post(format!("{}/session", self.base));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let body = serde_json::to_string(&login)?;
        let response = request.send(body).map_err(|error| self.unreachable(&error))?;
        let cookie = response
            .headers()
            .get(header::SET_COOKIE)
            .and_then(|value| value.to_str().ok());
        let cookie = cookie
            .and_then(|cookie| cookie.split(';').next())
            .unwrap_or_default()
            .to_owned();
        let session: Session = self.read(response)?;
        self.pass = Pass::Session {
            cookie,
            csrf: session.csrf_token.unwrap_or_default(),
        };
        Ok(())
    }

    fn password(&self, user: &str) -> Result<String> {
        if let Ok(password) = std::env::var("PEARLSORT_PASSWORD") {
            return Ok(password);
        }
        let input = std::io::stdin();
        if input.is_terminal() {
            eprintln!(
                "{}",
                self.word(
                    &format!("{user} 的密码（会显示在屏幕上）："),
                    &format!("password of {user} (it is shown):")
                )
            );
        }
        let mut line = String::new();
        input.lock().read_line(&mut line)?;
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = match &self.pass {
            Pass::None => request,
            Pass::Token(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            Pass::Session { cookie, .. } => request.header(header::COOKIE, cookie),
        };
        let response = request.call().map_err(|error| self.unreachable(&error))?;
        self.read(response)
    }

    fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = match &self.pass {
            Pass::None => request,
            Pass::Token(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            Pass::Session { cookie, csrf } => request.header(header::COOKIE, cookie).header("x-csrf-token", csrf),
        };
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let body = serde_json::to_string(body)?;
        let response = request.send(body).map_err(|error| self.unreachable(&error))?;
        self.read(response)
    }

    /// What an answer says; a refusal becomes a failure in the language of the person.
    fn read<T: DeserializeOwned>(&self, mut response: Response<Body>) -> Result<T> {
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_string();
        let text = text.map_err(|error| self.unreachable(&error))?;
        if (200..300).contains(&status) {
            return serde_json::from_str(&text).map_err(|error| {
                let message = format!("{} does not answer as a line of this version does: {error}", self.base);
                Failure::new(Exit::Data, message).into()
            });
        }
        let message = match serde_json::from_str::<Problem>(&text) {
            Ok(problem) => {
                let said = self.word(&problem.message_zh, &problem.message_en);
                format!("{said} ({})", problem.place)
            }
            Err(_) => format!("{} answers with status {status}", self.base),
        };
        Err(Failure::new(exit_of(status), message).into())
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let zh = format!("{} 没有运行的分选线：{error}；用 --page 指明地址", self.base);
        let en = format!(
            "no line answers at {}: {error}; name its address with --page",
            self.base
        );
        Failure::new(Exit::Unavailable, self.word(&zh, &en))
    }

    fn word(&self, zh: &str, en: &str) -> String {
        word(self.lang, zh, en).to_owned()
    }

    /// Prints an answer, as JSON or as text.
    fn show(&self, answer: &impl Serialize, text: impl Fn(Lang) -> String) -> Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(answer)?);
        } else {
            print!("{}", text(self.lang));
        }
        Ok(())
    }
}

/// The exit code of a refusal.
const fn exit_of(status: u16) -> Exit {
    match status {
        401 | 403 | 429 => Exit::NoPermission,
        404 => Exit::NoInput,
        409 => Exit::Verdict,
        500 => Exit::Software,
        502..=504 => Exit::Unavailable,
        _ => Exit::Data,
    }
}

/// The language that the environment asks for, in the order that POSIX gives its variables.
fn lang_of(variable: impl Fn(&str) -> Option<String>) -> Lang {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let set = names
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    if set.is_some_and(|value| value.starts_with("zh")) {
        Lang::Zh
    } else {
        Lang::En
    }
}

const fn word<'a>(lang: Lang, zh: &'a str, en: &'a str) -> &'a str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

fn of(text: &Text, lang: Lang) -> &str {
    word(lang, &text.zh, &text.en)
}

/// The fixed name of a value, as the API has it.
fn name(value: &impl Serialize) -> String {
    serde_json::to_string(value)
        .unwrap_or_default()
        .trim_matches('"')
        .to_owned()
}

fn state_text(line: &Line, lang: Lang) -> String {
    let line = &line.line;
    let mut text = String::new();
    let mut row = |zh: &str, en: &str, value: String| {
        let _ = writeln!(text, "{:<12} {value}", word(lang, zh, en));
    };
    row("状态", "state", format!("{} ({})", name(&line.state), name(&line.mode)));
    if let Some(reason) = &line.stop_reason {
        row("原因", "reason", of(reason, lang).to_owned());
    }
    row(
        "速度",
        "speed",
        format!("{:.2} m/s, {:.1} /s", line.speed_m_s, line.rate_pearls_s),
    );
    let counts = line.counts;
    row("进珠", "entered", counts.entered.to_string());
    row("入仓", "binned", counts.binned.to_string());
    row("回流", "recirculated", counts.recirculated.to_string());
    row("丢失", "lost", counts.lost.to_string());
    row("在途", "in flight", counts.in_flight.to_string());
    if let Some(share) = line.high_grade.share {
        let aim = line
            .high_grade
            .aim
            .map_or_else(String::new, |aim| format!(" / {:.1} %", 100.0 * aim));
        row("优珠率", "high grade", format!("{:.1} %{aim}", 100.0 * share));
    }
    row(
        "配方",
        "recipe",
        format!("{} {}", of(&line.recipe.name, lang), line.recipe.hash),
    );
    let none = word(lang, "无", "none").to_owned();
    row(
        "批",
        "lot",
        line.lot
            .as_ref()
            .map_or(none, |lot| format!("{} {} ({})", lot.lot, lot.number, lot.farm)),
    );
    let alarms = line.alarms;
    let (active, waiting) = (alarms.active, alarms.unacknowledged);
    row(
        "报警",
        "alarms",
        match lang {
            Lang::Zh => format!("{active} 个，{waiting} 个未确认"),
            Lang::En => format!("{active}, {waiting} unacknowledged"),
        },
    );
    text
}

fn lot_text(lot: &Lot, lang: Lang) -> String {
    let state = if lot.closed_at_ms.is_some() {
        word(lang, "已结批", "closed")
    } else {
        word(lang, "打开", "open")
    };
    format!(
        "{:>6}  {state}  {}  {}  {} {}  {} {:.3} g\n",
        lot.lot,
        lot.number,
        lot.farm,
        lot.pearls,
        word(lang, "颗", "pearls"),
        word(lang, "入仓", "binned"),
        lot.binned_mg * 1e-3
    )
}

fn report_text(report: &LotReport, lang: Lang) -> String {
    let mut text = lot_text(&report.lot, lang);
    let passes = report.lot.passes;
    let mut row = |zh: &str, en: &str, passes: u64, mass_mg: f64| {
        let _ = writeln!(
            text,
            "{:<20} {passes:>10} {:>14.3} g",
            word(lang, zh, en),
            mass_mg * 1e-3
        );
    };
    row("来料", "in", passes.entered, report.mass_seen_mg);
    row("入仓", "binned", passes.binned, report.mass_binned_mg);
    row("回流", "recirculated", passes.recirculated, report.mass_recirculated_mg);
    row("丢失", "lost", passes.lost, report.mass_lost_mg);
    for grade in &report.grades {
        row(
            &grade.name.zh,
            &grade.name.en,
            grade.pearls,
            grade.mass_mg.unwrap_or(0.0),
        );
    }
    for used in &report.recipes {
        let _ = writeln!(
            text,
            "{} {} {}",
            word(lang, "配方", "recipe"),
            of(&used.name, lang),
            used.hash
        );
    }
    let verdict = if report.adds_up {
        word(lang, "账目相符", "the sums agree")
    } else {
        word(lang, "账目不符", "the sums do not agree")
    };
    let _ = writeln!(text, "{verdict}");
    text
}

fn alarm_text(alarm: &Alarm, lang: Lang) -> String {
    format!(
        "{:<24} {:<8} {:<24} {} ({})\n    {} {}\n",
        alarm.id,
        name(&alarm.priority),
        name(&alarm.state),
        of(&alarm.name, lang),
        of(&alarm.place, lang),
        word(lang, "处理：", "do:"),
        of(&alarm.action, lang)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_that_of_the_first_variable_that_is_set() {
        let lang = |set: &[(&str, &str)]| {
            lang_of(|name| {
                set.iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(lang(&[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(lang(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")]), Lang::En);
        assert_eq!(lang(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "")]), Lang::Zh);
        assert_eq!(lang(&[]), Lang::En);
    }

    #[test]
    fn refusals_exit_as_scripts_expect() {
        assert_eq!(exit_of(401), Exit::NoPermission);
        assert_eq!(exit_of(404), Exit::NoInput);
        assert_eq!(exit_of(409), Exit::Verdict);
        assert_eq!(exit_of(422), Exit::Data);
        assert_eq!(exit_of(503), Exit::Unavailable);
    }

    #[test]
    fn alarms_that_are_none_are_refused_before_the_line_is_asked() {
        assert_eq!(
            alarm_path("air_low.3", "acknowledge").expect("an alarm"),
            "/alarms/air_low.3/acknowledge"
        );
        for wrong in ["", "../users", "a b", "a/b", "a?b"] {
            assert!(alarm_path(wrong, "acknowledge").is_err(), "{wrong}");
        }
    }
}
