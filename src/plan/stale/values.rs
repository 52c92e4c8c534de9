//! Values that have moved, and values that are to be set: whether they are what a saved plan leads to.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::graph::Reference;
use crate::plan::diff::holds_reference;

/// Whether a value is on its way from what it was to what is wanted: of what is in lists and maps, a part may have
/// come and a part may have gone, and what is in both is there.
pub(super) fn is_between(was: Option<&Value>, is: Option<&Value>, wanted: Option<&Value>) -> bool {
    if is == was || is == wanted {
        return true;
    }
    match is {
        Some(Value::Object(is)) => {
            let empty = Map::new();
            let (Some(was), Some(wanted)) = (entries(was, &empty), entries(wanted, &empty)) else { return false };
            let names: BTreeSet<&String> = was.keys().chain(is.keys()).chain(wanted.keys()).collect();
            names.into_iter().all(|name| is_between(was.get(name), is.get(name), wanted.get(name)))
        }
        Some(Value::Array(is)) => {
            let (Some(was), Some(wanted)) = (items(was), items(wanted)) else { return false };
            let mut in_both = was.iter().filter(|item| wanted.contains(item));
            let known = |item: &Value| was.contains(item) || wanted.contains(item);
            is.iter().all(known) && in_both.all(|item| is.contains(item))
        }
        _ => false,
    }
}

fn entries<'a>(value: Option<&'a Value>, empty: &'a Map<String, Value>) -> Option<&'a Map<String, Value>> {
    value.map_or(Some(empty), Value::as_object)
}

fn items(value: Option<&Value>) -> Option<&[Value]> {
    value.map_or(Some(&[]), |value| value.as_array().map(Vec::as_slice))
}

/// Whether a value has only lost something.
pub(super) fn is_less(was: Option<&Value>, is: Option<&Value>) -> bool {
    match (was, is) {
        (_, None) => true,
        (Some(Value::Bool(was)), Some(Value::Bool(is))) => *was && !is,
        (Some(Value::Array(was)), Some(Value::Array(is))) => is.iter().all(|item| was.contains(item)),
        (Some(Value::Object(was)), Some(Value::Object(is))) => {
            is.iter().all(|(name, is)| was.get(name).is_some_and(|was| was == is || is_less(Some(was), Some(is))))
        }
        _ => false,
    }
}

/// Whether what would be set is what was to be set. Of what comes from another resource on either side, `fits` says
/// whether it is.
pub(super) fn is_alike(was: &Value, is: &Value, fits: &impl Fn(&Value, &Value) -> bool) -> bool {
    match (was, is) {
        _ if [was, is].into_iter().any(|value| Reference::of(value).is_some()) => fits(was, is),
        (Value::Object(was), Value::Object(is)) => {
            let alike = |(name, was): (&String, &Value)| is.get(name).is_some_and(|is| is_alike(was, is, fits));
            was.len() == is.len() && was.iter().all(alike)
        }
        (Value::Array(was), Value::Array(is)) => {
            let in_order = || was.iter().zip(is).all(|(was, is)| is_alike(was, is, fits));
            // Statements are in the order of their texts, in which a reference comes elsewhere than its value.
            let in_any_order = || was.iter().chain(is).any(holds_reference) && pair_off(was, is, fits);
            was.len() == is.len() && (in_order() || in_any_order())
        }
        (was, is) => was == is,
    }
}

fn pair_off(was: &[Value], is: &[Value], fits: &impl Fn(&Value, &Value) -> bool) -> bool {
    let mut left: Vec<&Value> = is.iter().collect();
    was.iter().all(|was| {
        let found = left.iter().position(|is| is_alike(was, is, fits));
        found.map(|at| left.swap_remove(at)).is_some()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_on_its_way_has_some_of_what_comes_and_some_of_what_goes() {
        let (was, wanted) = (json!({"own": 1, "foreign": 2, "old": 3}), json!({"own": 4, "old": 3, "new": 5}));
        let between = |is: Value| is_between(Some(&was), Some(&is), Some(&wanted));
        assert!(between(json!({"own": 4, "foreign": 2, "old": 3})) && between(json!({"own": 1, "old": 3, "new": 5})));
        assert!(!between(json!({"own": 6, "foreign": 2, "old": 3})), "neither what was nor what is wanted");
        assert!(!between(json!({"own": 4, "foreign": 2})), "what stays is gone");
        assert!(!between(json!({"own": 4, "old": 3, "else": 1})), "something else has come");
        let (was, wanted) = (json!(["a", "b"]), json!(["b", "c"]));
        let between = |is: Value| is_between(Some(&was), Some(&is), Some(&wanted));
        assert!(between(json!(["b"])) && between(json!(["a", "b", "c"])));
        assert!(!between(json!(["a", "c"])) && !between(json!(["b", "d"])) && !between(json!("b")));
        assert!(is_between(None, Some(&json!({"a": 1})), Some(&json!({"a": 1, "b": 2}))));
        assert!(!is_between(Some(&was), None, Some(&wanted)));
    }

    #[test]
    fn what_has_only_lost_something_is_less() {
        let was = json!({"a": {"b": 1, "c": true}, "d": [1, 2]});
        let less = |is: Value| is_less(Some(&was), Some(&is));
        assert!(is_less(Some(&was), None) && less(json!({})) && less(json!({"a": {"c": false}, "d": [2]})));
        assert!(!less(json!({"a": {"b": 2, "c": true}})) && !less(json!({"d": [3]})) && !less(json!({"e": 1})));
    }

    #[test]
    fn lists_with_references_are_alike_in_any_order() {
        let from = json!({"$from": "global/key.main", "attribute": "arn"});
        let fits = |_: &Value, is: &Value| *is == "arn:key";
        assert!(is_alike(&json!([[from], ["b"]]), &json!([["b"], ["arn:key"]]), &fits));
        assert!(!is_alike(&json!([[from], ["b"]]), &json!([["c"], ["arn:key"]]), &fits));
        assert!(!is_alike(&json!([from]), &json!(["arn:other"]), &fits));
        assert!(!is_alike(&json!(["a", "b"]), &json!(["b", "a"]), &fits));
    }
}
