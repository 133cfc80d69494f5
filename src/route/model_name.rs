//! When two names stand for one model: with and without its provider, dated or not.
//! Knows nothing of prices or families.

/// A model's name without its provider and the mark of a longer context: `anthropic/claude-opus-5[1m]`.
pub(super) fn plain(model: &str) -> String {
    let name = model.rsplit('/').next().unwrap_or(model);
    name.split('[').next().unwrap_or(name).trim().to_lowercase()
}

/// Whether `model` is `name`, or a dated, latest or preview release of it. Any other word after the name is another model.
/// Both are plain.
pub(super) fn is_release_of(model: &str, name: &str) -> bool {
    let Some(rest) = model.strip_prefix(name) else { return false };
    let Some(release) = rest.strip_prefix(['-', '@']) else { return rest.is_empty() };
    // `20251101`, `2025-08-07`, `09-2025`; a single digit is a version, as in `claude-opus-4-5-20251101`.
    let is_number = |text: &str| text.len() >= 2 && text.chars().all(|c| c.is_ascii_digit());
    let is_date = |text: &str| text.len() >= 4 && text.split('-').all(is_number);
    let release = release.strip_prefix("preview").map_or(release, |rest| rest.trim_start_matches('-'));
    release.is_empty() || release == "latest" || is_date(release)
}

/// Whether a model that was reported is the one that is named, or one of the two is a release of the other.
pub(super) fn is_same_model(reported: &str, named: &str) -> bool {
    let (reported, named) = (plain(reported), plain(named));
    !reported.is_empty() && !named.is_empty() && (is_release_of(&reported, &named) || is_release_of(&named, &reported))
}
