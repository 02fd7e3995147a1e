//! The part of JSON Schema that the schemas here need (<https://json-schema.org/draft/2020-12/json-schema-validation>).
//! A keyword that is not known here is a fault of the schema, so no rule is skipped.

use serde_json::Value;

/// All faults of a value, each with its place.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, value, "$", &mut found);
    found
}

fn check(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        let holds = match keyword.as_str() {
            "$schema" | "$comment" => true,
            "type" => kinds(rule).iter().any(|kind| is(kind, value)),
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value
                .as_f64()
                .is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => value
                .as_f64()
                .is_none_or(|number| number <= rule.as_f64().unwrap()),
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 >= rule.as_u64().unwrap()),
            "required" => rule.as_array().unwrap().iter().all(|name| has(value, name)),
            "additionalProperties" => known(schema, value),
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(schema, value, &format!("{at}.{name}"), found);
                    }
                }
                true
            }
            "items" => {
                for (number, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(rule, value, &format!("{at}[{number}]"), found);
                }
                true
            }
            other => panic!("the schema has the keyword {other}, which is not known here"),
        };
        if !holds {
            found.push(format!("{at}: {keyword} {rule}"));
        }
    }
}

fn kinds(rule: &Value) -> Vec<&str> {
    match rule {
        Value::String(kind) => vec![kind],
        kinds => kinds
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| kind.as_str().unwrap())
            .collect(),
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("no type {other}"),
    }
}

fn has(value: &Value, name: &Value) -> bool {
    value
        .as_object()
        .is_none_or(|object| object.contains_key(name.as_str().unwrap()))
}

/// Only the properties of the schema; used with `false` alone.
fn known(schema: &Value, value: &Value) -> bool {
    assert_eq!(schema["additionalProperties"], Value::Bool(false));
    let properties = schema["properties"].as_object().unwrap();
    let mut names = value
        .as_object()
        .into_iter()
        .flat_map(|object| object.keys());
    names.all(|name| properties.contains_key(name))
}

/// Sets a value at a pointer (RFC 6901), or removes it.
pub(crate) fn changed(value: &Value, pointer: &str, to: Option<Value>) -> Value {
    let mut value = value.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap();
    match (parent, to) {
        (Value::Object(object), Some(to)) => drop(object.insert(name.to_owned(), to)),
        (Value::Object(object), None) => drop(object.remove(name).unwrap()),
        _ => panic!("{pointer} is in no object"),
    }
    value
}
