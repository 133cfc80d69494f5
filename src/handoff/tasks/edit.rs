//! Changes single fields of a task's text and leaves everything else as the person wrote it, comments included.
//! Knows nothing of which values make sense; the changed text is parsed again by the caller.

use toml_edit::{Array, DocumentMut, Item, Value};

use super::text::{Format, Page};
use crate::{
    config::{document::Reading, problem::Problem},
    model::money::Money,
};

/// A field's new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Dollars.
    Dollars(Money),
    /// A list of texts.
    List(Vec<String>),
    /// The field goes away, and its default holds.
    Unset,
}

/// The text with those fields changed. In Markdown, `goal` is the text below the front matter.
///
/// # Errors
/// The text cannot be read as it stands.
pub fn set_fields(text: &str, file: &str, format: Format, fields: &[(&str, FieldValue)]) -> Result<String, Problem> {
    match format {
        Format::Toml => set_in_toml(text, &Reading::of(file), fields),
        Format::Md => set_in_md(text, file, fields),
    }
}

fn set_in_md(text: &str, file: &str, fields: &[(&str, FieldValue)]) -> Result<String, Problem> {
    let page = Page::split(text, file)?;
    let (goal, others): (Vec<_>, Vec<_>) = fields.iter().cloned().partition(|(key, _)| *key == "goal");
    let body = match goal.into_iter().next_back() {
        None => page.body.to_owned(),
        Some((_, FieldValue::Text(goal))) => format!("\n{}\n", goal.trim()),
        Some(_) => String::new(),
    };
    if others.is_empty() && !page.has_front {
        return Ok(body);
    }
    let reading = Reading { first_line: 2, ..Reading::of(file) };
    let mut front = set_in_toml(page.front, &reading, &others)?;
    if !front.is_empty() && !front.ends_with('\n') {
        front.push('\n');
    }
    let gap = if page.has_front || body.starts_with('\n') { "" } else { "\n" };
    Ok(format!("+++\n{front}+++\n{gap}{body}"))
}

fn set_in_toml(text: &str, reading: &Reading<'_>, fields: &[(&str, FieldValue)]) -> Result<String, Problem> {
    let mut document: DocumentMut = text.parse().map_err(|_| {
        // The reader says the same in better words and with the line.
        let problems = crate::config::document::read::<toml::Table>(text, reading).err().unwrap_or_default();
        problems.into_iter().next().unwrap_or_else(|| Problem::new(reading.file, "this is not TOML"))
    })?;
    for (key, value) in fields {
        let Some(mut value) = to_value(value) else {
            document.remove(key);
            continue;
        };
        match document.get_mut(key).and_then(Item::as_value_mut) {
            Some(there) => {
                *value.decor_mut() = there.decor().clone();
                *there = value;
            }
            None => {
                document.insert(key, Item::Value(value));
            }
        }
    }
    Ok(document.to_string())
}

fn to_value(value: &FieldValue) -> Option<Value> {
    match value {
        FieldValue::Text(text) => Some(text.as_str().into()),
        FieldValue::Number(number) => Some((*number).into()),
        FieldValue::Dollars(money) => Some((money.micros as f64 / 1e6).into()),
        FieldValue::List(items) => Some(Value::Array(items.iter().map(String::as_str).collect::<Array>())),
        FieldValue::Unset => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: Format, text: &str, fields: &[(&str, FieldValue)], wanted: &str) {
        assert_eq!(set_fields(text, "f", format, fields).as_deref(), Ok(wanted), "{text}");
    }

    #[test]
    fn what_people_wrote_stays() {
        let text = "# why\ntitle = 'A'   # short\n\npriority = 1 # soon\nlabels = [\n  'x', # one\n]\n";
        check(Format::Toml, text, &[], text);
        check(
            Format::Toml,
            text,
            &[("priority", FieldValue::Number(5)), ("area", FieldValue::Text("cli \"x\"".to_owned()))],
            "# why\ntitle = 'A'   # short\n\npriority = 5 # soon\nlabels = [\n  'x', # one\n]\narea = 'cli \"x\"'\n",
        );
        check(
            Format::Toml,
            text,
            &[("labels", FieldValue::Unset), ("budget_usd", FieldValue::Dollars(Money::micros(1_500_000)))],
            "# why\ntitle = 'A'   # short\n\npriority = 1 # soon\nbudget_usd = 1.5\n",
        );
        check(
            Format::Toml,
            "title = 'A'\ndepends_on = []\n",
            &[("depends_on", FieldValue::List(vec!["a".to_owned(), "b".to_owned()]))],
            "title = 'A'\ndepends_on = [\"a\", \"b\"]\n",
        );
    }

    #[test]
    fn front_matter_and_goal_of_markdown() {
        let goal = |text: &str| vec![("goal", FieldValue::Text(text.to_owned()))];
        check(Format::Md, "Do it.\n", &[("priority", FieldValue::Number(5))], "+++\npriority = 5\n+++\n\nDo it.\n");
        check(
            Format::Md,
            "+++\narea = 'x' # y\n+++\n\nDo it.\n",
            &[("priority", FieldValue::Number(5))],
            "+++\narea = 'x' # y\npriority = 5\n+++\n\nDo it.\n",
        );
        check(Format::Md, "+++\narea = 'x'\n+++\n\nDo it.\n", &goal("Do that."), "+++\narea = 'x'\n+++\n\nDo that.\n");
        check(Format::Md, "Do it.\n", &goal("Do that."), "\nDo that.\n");
    }

    #[test]
    fn a_text_that_cannot_be_read_is_not_changed() {
        let problem = set_fields("title = \n", "f", Format::Toml, &[]).expect_err("no TOML");
        assert_eq!(problem.line, Some(1));
        let problem = set_fields("+++\nx =\n+++\n", "f", Format::Md, &[("area", FieldValue::Unset)]);
        assert_eq!(problem.expect_err("no TOML").line, Some(2));
    }
}
