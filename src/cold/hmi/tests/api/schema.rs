//! Holds values against the schemas of `openapi.json`: as much of JSON Schema as the document uses.

use std::sync::LazyLock;

use serde_json::Value;

/// The document.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(hmi::OPENAPI).expect("the document is JSON"));

/// Holds a value against a named schema.
pub(crate) fn check(name: &str, value: &Value) {
    check_by(&DOCUMENT["components"]["schemas"][name], value, name);
}

/// Holds a value against a schema; `place` is for the message.
pub(crate) fn check_by(schema: &Value, value: &Value, place: &str) {
    if let Err(wrong) = fits(schema, value, place) {
        panic!("{wrong}");
    }
}

fn fits(schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    assert!(schema.is_object(), "{place}: no schema");
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default();
        return fits(&DOCUMENT["components"]["schemas"][name], value, place);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let any = choices.iter().any(|choice| fits(choice, value, place).is_ok());
        return if any {
            Ok(())
        } else {
            Err(format!("{place}: {value} fits none of {choices:?}"))
        };
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{place}: unknown type {other}"),
    };
    if !kinds.iter().any(|kind| is(kind)) {
        return Err(format!("{place}: {value} is no {kinds:?}"));
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        return Err(format!("{place}: {value} is none of {}", schema["enum"]));
    }
    let below = schema["minimum"].as_f64().zip(value.as_f64());
    if let Some((least, number)) = below.filter(|(least, number)| number < least) {
        return Err(format!("{place}: {number} is below {least}"));
    }
    if let Some(values) = value.as_array() {
        for (n, value) in values.iter().enumerate() {
            fits(&schema["items"], value, &format!("{place}[{n}]"))?;
        }
    }
    object(schema, value, place)
}

fn object(schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let (Some(fields), Some(properties)) = (value.as_object(), schema["properties"].as_object()) else {
        return Ok(());
    };
    for (name, value) in fields {
        let property = properties
            .get(name)
            .ok_or_else(|| format!("{place}.{name} is not in the document"))?;
        fits(property, value, &format!("{place}.{name}"))?;
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if !fields.contains_key(name) {
            return Err(format!("{place}.{name} is missing"));
        }
    }
    Ok(())
}
