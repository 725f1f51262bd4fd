//! JSON Schemas of all files, made from the same forms by which `check` judges: editors complete and check by them.
//!
//! Cold side, any thread.

use serde_json::{Map, Value, json};

use crate::form::{Form, Key, Kind, Need};

/// The schema of a form, as the text of its file.
pub(crate) fn text(title: &str, form: &Form) -> String {
    let mut schema = of_form(form);
    schema.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    schema.insert("title".into(), json!(title));
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

fn of_form(form: &Form) -> Map<String, Value> {
    let properties: Map<String, Value> = form.all().map(|key| (key.name.to_owned(), of_key(key))).collect();
    let needed: Vec<&str> = form
        .all()
        .filter(|key| key.need == Need::Required)
        .map(|key| key.name)
        .collect();
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("description".into(), json!(form.says));
    schema.insert("properties".into(), Value::Object(properties));
    schema.insert("required".into(), json!(needed));
    schema.insert("additionalProperties".into(), json!(false));
    schema
}

fn of_key(key: &Key) -> Value {
    let mut schema = of_kind(&key.kind);
    schema.insert("description".into(), json!(key.says));
    if let Need::Default(value) = key.need {
        let whole = value.fract() == 0.0;
        schema.insert("default".into(), if whole { json!(value as i64) } else { json!(value) });
    }
    Value::Object(schema)
}

fn of_kind(kind: &Kind) -> Map<String, Value> {
    let value = match kind {
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Whole(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Number(least, most) => json!({ "type": "number", "minimum": least, "maximum": most }),
        Kind::OneOf(known) => json!({ "type": "string", "enum": known }),
        Kind::Interval(quantity) => {
            let number = format!("-?[0-9]+(\\.[0-9]{{1,{}}}0*)?", quantity.decimals.max(1));
            let pattern = format!("^ *(([<>]=?) *{number}|>? *{number} *\\.\\.(=? *{number})?|\\.\\.=? *{number}) *$");
            json!({ "type": "string", "pattern": pattern, "examples": [format!(">={}", quantity.show(quantity.least))] })
        }
        Kind::Classes => json!({ "anyOf": [
            { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            { "type": "string", "pattern": "^>=" }
        ] }),
        Kind::Numbers(_) => {
            json!({ "type": "string", "pattern": "^[0-9]+( *- *[0-9]+)?( *, *[0-9]+( *- *[0-9]+)?)*$" })
        }
        Kind::List(inner) => json!({ "type": "array", "items": of_kind(inner) }),
        Kind::Table(form) => return of_form(form),
        Kind::Tables(form) => json!({ "type": "array", "items": of_form(form) }),
    };
    match value {
        Value::Object(schema) => schema,
        _ => unreachable!("every kind is written as an object above"),
    }
}
