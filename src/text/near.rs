//! Finds the known word that a misspelt one was meant to be.
//! Knows nothing of keys, commands or tasks: it gets words.

/// Letters that an abbreviation needs before it counts as the start of a word.
const PREFIX_LETTERS_MIN: usize = 3;

/// The candidate nearest to `word`, if one is near: about one letter in three wrong, left out, added or swapped with its
/// neighbour, or an abbreviation. Upper and lower case are the same. Among equals the first wins.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let letters = word.chars().count();
    let wrong_max = (letters / 3).max(1);
    let distance = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let wrong = strsim::osa_distance(&word, &candidate);
        let shorter = letters.min(candidate.chars().count());
        if wrong <= wrong_max && wrong < shorter {
            return Some(wrong);
        }
        (letters >= PREFIX_LETTERS_MIN && candidate.starts_with(&word)).then_some(wrong)
    };
    candidates.into_iter().filter_map(|c| Some((distance(c)?, c))).min_by_key(|(wrong, _)| *wrong).map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["status", "start", "stop", "review", "land", "max_agents", "implementer"];
        for (word, meant) in [
            ("max_agent", Some("max_agents")),
            ("statsu", Some("status")),
            ("strat", Some("start")),
            ("Land", Some("land")),
            ("impl", Some("implementer")),
            ("reveiw", Some("review")),
            ("gate", None),
            ("xy", None),
            ("", None),
            ("l", None),
        ] {
            assert_eq!(did_you_mean(word, known), meant, "{word}");
        }
    }
}
