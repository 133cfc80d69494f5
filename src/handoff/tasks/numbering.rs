//! The next task's id, in the project's own manner of counting.
//! Knows nothing of tasks but their ids.

use std::collections::BTreeMap;

use crate::model::task::TaskId;

/// What ids begin with in a project that has none, and digits they have at least.
const PREFIX: &str = "T-";
const DIGITS: usize = 3;

/// The id that follows: after `RAE-007` comes `RAE-008`. The manner is that of most of the ids; `prefix` chooses another.
pub fn next_task_id(existing: &[TaskId], prefix: Option<&str>) -> TaskId {
    let mut series: BTreeMap<&str, Series> = BTreeMap::new();
    for (start, digits) in existing.iter().filter_map(|id| counted(id.as_str())) {
        let series = series.entry(start).or_default();
        let number = digits.parse().unwrap_or_default();
        series.count += 1;
        if number >= series.last {
            (series.last, series.digits) = (number, digits.len());
        }
    }
    let start = match prefix {
        Some(prefix) if prefix.ends_with(['-', '_', '.']) => prefix.to_owned(),
        Some(prefix) => format!("{prefix}-"),
        None => {
            let most = series.iter().max_by_key(|(_, series)| (series.count, series.last));
            most.map_or(PREFIX.to_owned(), |(start, _)| (*start).to_owned())
        }
    };
    let usual = Series { digits: DIGITS, ..Series::default() };
    let Series { last, digits, .. } = series.remove(start.as_str()).unwrap_or(usual);
    let taken = |id: &TaskId| existing.iter().any(|other| other.as_str().eq_ignore_ascii_case(id.as_str()));
    // Of one number more than there are tasks, one is free; a prefix that no id can begin with gives none at all.
    let first_free = |start: &str, after: u64, digits: usize| {
        let numbers = (after + 1..).take(existing.len() + 1);
        numbers.filter_map(|number| format!("{start}{number:0digits$}").parse().ok()).find(|id| !taken(id))
    };
    first_free(&start, last, digits)
        .or_else(|| first_free(PREFIX, 0, DIGITS))
        .expect("BUG: of one number more than there are tasks, one is free")
}

#[derive(Default)]
struct Series {
    count: usize,
    last: u64,
    digits: usize,
}

/// `RAE-` and `007` of `RAE-007`; a number that stands alone, or is too long to count on, is no series.
fn counted(id: &str) -> Option<(&str, &str)> {
    let start = id.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &id[start.len()..];
    (start.ends_with(['-', '_', '.']) && (1..=9).contains(&digits.len())).then_some((start, digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_as_the_project_does() {
        for (existing, prefix, wanted) in [
            ("", None, "T-001"),
            ("api docs", None, "T-001"),
            ("RAE-007", None, "RAE-008"),
            ("RAE-007 RAE-012 fix", None, "RAE-013"),
            ("RAE-1 X-5 RAE-2", None, "RAE-3"),
            ("T-999", None, "T-1000"),
            ("t-001", None, "t-002"),
            ("RAE-007", Some("WEB"), "WEB-001"),
            ("RAE-007 WEB-04", Some("WEB-"), "WEB-05"),
            ("rae-008 RAE-007 RAE-006", None, "RAE-009"),
            ("v1.2 v1.3", None, "v1.4"),
            ("x-99999999999999999999", None, "T-001"),
            ("", Some("not legal"), "T-001"),
        ] {
            let existing: Vec<TaskId> = existing.split_whitespace().map(|id| id.parse().expect(id)).collect();
            assert_eq!(next_task_id(&existing, prefix).as_str(), wanted, "{existing:?} {prefix:?}");
        }
    }
}
