//! A message: an object with one field, which is called as what it says and holds its fields.

use serde_json::Value;

use crate::background::form::Fields;

/// Makes a message of this kind; `fill` puts its fields in.
pub(super) fn message(kind: &str, fill: impl FnOnce(&mut Fields)) -> Value {
    let mut fields = Fields::new();
    fill(&mut fields);
    Fields::from_iter([(kind.to_owned(), fields.into())]).into()
}

/// Returns the kind of a message, and its fields.
pub(super) fn parts(value: &Value) -> Option<(&str, &Fields)> {
    let mut fields = value.as_object()?.iter();
    let (Some((kind, fields)), None) = (fields.next(), fields.next()) else { return None };
    Some((kind, fields.as_object()?))
}

/// Names of values, to be written and read.
pub(super) type Names<T, const N: usize> = [(T, &'static str); N];

pub(super) fn name<T: PartialEq, const N: usize>(
    names: &Names<T, N>,
    value: &T,
) -> Option<&'static str> {
    names.iter().find(|(known, _)| known == value).map(|(_, name)| *name)
}

pub(super) fn named<T: Copy, const N: usize>(names: &Names<T, N>, name: &str) -> Option<T> {
    names.iter().find(|(_, known)| *known == name).map(|(value, _)| *value)
}
