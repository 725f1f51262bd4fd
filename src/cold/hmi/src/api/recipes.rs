//! The recipe editor. Cold.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use config::{Recipe, Report, Severity};

use super::{Asker, Reply, Shared, short};
use crate::app::{App, Entry, now_ms};
use crate::body::Form;
use crate::editor::{Kept, name};
use crate::ledger::Part;
use crate::limits::TRIAL_PEARLS;
use crate::machine::{Answer, By, Machine, RecipeBook, Refusal, RefusalKind};
use crate::problem::Fail;
use crate::shapes::{
    ApplyRequest, CheckResult, Diff, DiffKind, Fault, RecipeFile, RecipeStatus, RecipeText, StageRequest, Staged, Text,
    VersionRequest, WhatIf, WhatIfRequest,
};
use crate::trial;

pub(crate) async fn status(State(app): Shared) -> Reply<RecipeStatus> {
    let book = app.ask(|machine| machine.recipes()).await??;
    let editor = app.editor();
    Ok(Json(RecipeStatus {
        in_force: book.in_force,
        staged: editor.staged.as_ref().map(|(_, staged)| staged.clone()),
        undo: editor.undo().map(|kept| kept.name.clone()),
        files: book.files,
    }))
}

/// Whether a name is one of a recipe's file, and nothing that climbs, hides or names another folder.
fn check_file(file: &str) -> Result<(), Fail> {
    let stem = file.strip_suffix(".toml").unwrap_or_default();
    let plain = stem.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
    if !stem.is_empty() && !stem.starts_with('.') && plain && file.len() <= 128 {
        return Ok(());
    }
    Err(Fail::invalid(
        "wrong_file_name",
        "文件名由字母、汉字、数字和 . _ - 组成，以 .toml 结尾",
        "a file's name has letters, digits, '.', '_', '-' and ends with .toml",
        short(file),
    ))
}

pub(crate) async fn file(State(app): Shared, Path(file): Path<String>) -> Reply<RecipeFile> {
    check_file(&file)?;
    let read = app
        .ask(move |machine| -> Answer<Option<RecipeFile>> {
            let book = machine.recipes()?;
            if book.in_force.file == file {
                let text = book.text;
                return Ok(Some(RecipeFile {
                    file,
                    text,
                    in_force: true,
                }));
            }
            if !book.files.contains(&file) {
                return Ok(None);
            }
            let text = std::fs::read_to_string(book.folder.join(&file)).map_err(|error| unreadable(&file, &error))?;
            Ok(Some(RecipeFile {
                file,
                text,
                in_force: false,
            }))
        })
        .await??;
    read.map(Json).ok_or_else(|| Fail::unknown("recipe"))
}

fn unreadable(file: &str, error: &std::io::Error) -> Refusal {
    Refusal {
        kind: RefusalKind::Unavailable,
        code: "unreadable",
        text: Text::new(
            format!("{file} 读不出来：{error}"),
            format!("{file} can't be read: {error}"),
        ),
        place: file.to_owned(),
    }
}

fn result(report: &Report, recipe: Option<&Recipe>) -> CheckResult {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let faults = report.faults.iter().map(|fault| Fault {
        error: fault.severity == Severity::Error,
        line: small(fault.line),
        column: small(fault.column),
        width: small(fault.width),
        text: fault.text.clone(),
        key: fault.key.clone(),
        message: fault.message.clone(),
        help: fault.help.clone(),
    });
    CheckResult {
        usable: recipe.is_some(),
        hash: recipe.map(Recipe::hash_name),
        faults: faults.collect(),
        report: report.to_string(),
    }
}

pub(crate) async fn check(State(app): Shared, Form(asked): Form<RecipeText>) -> Reply<CheckResult> {
    check_file(&asked.file)?;
    let (report, recipe) = app
        .ask(move |machine| machine.check_recipe(&asked.file, &asked.text))
        .await?;
    Ok(Json(result(&report, recipe.as_deref())))
}

/// The text must be of use.
fn usable(checked: (Report, Option<Arc<Recipe>>), file: &str) -> Result<Arc<Recipe>, Refusal> {
    let (report, recipe) = checked;
    recipe.ok_or_else(|| {
        let count = report.count(Severity::Error);
        let first = report.faults.iter().find(|fault| fault.severity == Severity::Error);
        let (place, message) = first.map_or_else(
            || (file.to_owned(), String::new()),
            |fault| {
                (
                    format!("{file}:{}:{}", fault.line, fault.column),
                    format!("{}: {}", fault.key, fault.message),
                )
            },
        );
        Refusal {
            kind: RefusalKind::Invalid,
            code: "recipe_faulty",
            text: Text::new(
                format!("配方有 {count} 处错误，不能使用；第一处：{message}"),
                format!("the recipe has {count} errors and can't be used; the first: {message}"),
            ),
            place,
        }
    })
}

pub(crate) async fn diff(State(app): Shared, Form(asked): Form<RecipeText>) -> Reply<Diff> {
    check_file(&asked.file)?;
    let (old, lines) = app
        .ask(move |machine| {
            let book = machine.recipes()?;
            Ok::<_, Refusal>((book.in_force, crate::diff::diff(&book.text, &asked.text)))
        })
        .await??;
    let count = |kind| u32::try_from(lines.iter().filter(|line| line.kind == kind).count()).unwrap_or(u32::MAX);
    Ok(Json(Diff {
        added: count(DiffKind::Added),
        removed: count(DiffKind::Removed),
        old,
        lines,
    }))
}

pub(crate) async fn what_if(State(app): Shared, Form(asked): Form<WhatIfRequest>) -> Reply<WhatIf> {
    check_file(&asked.file)?;
    let pearls = usize::try_from(asked.pearls).unwrap_or(usize::MAX);
    if !(1..=TRIAL_PEARLS).contains(&pearls) {
        return Err(Fail::invalid(
            "wrong_pearls",
            format!("颗数为 1 至 {TRIAL_PEARLS}"),
            format!("1 to {TRIAL_PEARLS} pearls"),
            "pearls",
        ));
    }
    let tried = app
        .ask_long(move |machine| {
            let new = usable(machine.check_recipe(&asked.file, &asked.text), &asked.file)?;
            let book = machine.recipes()?;
            let records = machine.last_records(pearls)?;
            trial::what_if(&book, &new, &records)
        })
        .await??;
    Ok(Json(tried))
}

pub(crate) async fn stage(
    State(app): Shared,
    Extension(caller): Asker,
    Form(asked): Form<StageRequest>,
) -> Reply<RecipeStatus> {
    check_file(&asked.file)?;
    let by = caller.user()?;
    let staged_by = by.user.clone();
    let version = asked.version;
    let (kept, staged) = app
        .change(by, Part::Recipe, Some(version), move |machine, _| {
            let recipe = usable(machine.check_recipe(&asked.file, &asked.text), &asked.file)?;
            let before = machine.recipes()?.in_force.hash;
            let name = name(&asked.file, &recipe);
            let staged = Staged {
                recipe: name.clone(),
                by: staged_by,
                at_ms: now_ms(),
            };
            let entry = entry("recipe.stage", &name.file, before, name.hash.clone());
            let text = asked.text;
            Ok(((Kept { name, text, recipe }, staged), entry))
        })
        .await?;
    app.editor().staged = Some((kept, staged));
    status(State(app)).await
}

fn entry(action: &'static str, file: &str, before: String, after: String) -> Entry {
    let verb = match action {
        "recipe.stage" => ("暂存", "staged"),
        "recipe.unstage" => ("取消暂存", "unstaged"),
        "recipe.apply" => ("启用", "applied"),
        _ => ("撤销到", "undone to"),
    };
    Entry {
        action,
        subject: file.to_owned(),
        what: Text::new(format!("{}配方 {after}", verb.0), format!("recipe {} {after}", verb.1)),
        before,
        after,
    }
}

pub(crate) async fn unstage(
    State(app): Shared,
    Extension(caller): Asker,
    Form(request): Form<VersionRequest>,
) -> Reply<RecipeStatus> {
    let staged = app.editor().staged.as_ref().map(|(kept, _)| kept.name.clone());
    let staged = staged.ok_or_else(|| nothing("unstage"))?;
    app.change(caller.user()?, Part::Recipe, Some(request.version), move |_, _| {
        Ok(((), entry("recipe.unstage", &staged.file, staged.hash, String::new())))
    })
    .await?;
    app.editor().staged = None;
    status(State(app)).await
}

fn nothing(place: &str) -> Fail {
    Fail::new(
        StatusCode::CONFLICT,
        "nothing_there",
        "没有暂存的配方，也没有可撤销的更改",
        "no recipe is staged, or there is nothing to undo",
        place,
    )
}

pub(crate) async fn apply(
    State(app): Shared,
    Extension(caller): Asker,
    Form(asked): Form<ApplyRequest>,
) -> Reply<RecipeStatus> {
    let staged = app.editor().staged.as_ref().map(|(kept, _)| kept.clone());
    let staged = staged.ok_or_else(|| nothing("apply"))?;
    if staged.name.hash != asked.hash {
        return Err(Fail::new(
            StatusCode::CONFLICT,
            "another_staged",
            format!("暂存的配方已换成 {}；请看清后再启用", staged.name.hash),
            format!("recipe {} is staged by now; look at it, then apply", staged.name.hash),
            "hash",
        ));
    }
    let before = put_in_force(&app, caller.user()?, asked.version, "recipe.apply", staged).await?;
    app.editor().applied(before);
    status(State(app)).await
}

pub(crate) async fn undo(
    State(app): Shared,
    Extension(caller): Asker,
    Form(request): Form<VersionRequest>,
) -> Reply<RecipeStatus> {
    let before = app.editor().undo().cloned();
    let before = before.ok_or_else(|| nothing("undo"))?;
    put_in_force(&app, caller.user()?, request.version, "recipe.undo", before).await?;
    app.editor().undone();
    status(State(app)).await
}

/// Puts a recipe in force; gives the one that was.
async fn put_in_force(app: &Arc<App>, by: &By, version: u64, action: &'static str, kept: Kept) -> Result<Kept, Fail> {
    app.change(by, Part::Recipe, Some(version), move |machine: &dyn Machine, by| {
        let RecipeBook {
            in_force, text, recipe, ..
        } = machine.recipes()?;
        // Its standard may have changed since it was checked.
        let checked = usable(machine.check_recipe(&kept.name.file, &kept.text), &kept.name.file)?;
        if checked.compiled.hash() != kept.recipe.compiled.hash() {
            return Err(Refusal::new(
                RefusalKind::Conflict,
                "standard_changed",
                "它所引用的标准文件已改变；请重新检查并暂存",
                "the standard that it names has changed; check and stage it again",
                &kept.name.file,
            ));
        }
        machine.apply_recipe(by, &kept.name.file, &kept.text, checked)?;
        let entry = entry(action, &kept.name.file, in_force.hash.clone(), kept.name.hash);
        Ok((
            Kept {
                name: in_force,
                text,
                recipe,
            },
            entry,
        ))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["park.toml", "高光-7mm.toml", "a.b_c-1.toml"] {
            assert!(check_file(name).is_ok(), "{name}");
        }
        for name in [
            "",
            ".toml",
            "..toml",
            "../x.toml",
            "a/b.toml",
            "a\\b.toml",
            "x.txt",
            "x.toml\0",
            ".hidden.toml",
            "x y.toml",
        ] {
            assert!(check_file(name).is_err(), "{name:?}");
        }
    }
}
