//! The list of forgeries, and which of them this format knows. Those that have an [`Attack`] carry its number in their name;
//! these numbers have none, or not all of them:
//!
//! | # | forgery | why not here |
//! | --- | --- | --- |
//! | 4 | the end of a branch cut off | a range from what was seen last names it (28); a clone that never saw more cannot know |
//! | 6 | two histories shown to two people | as 28: whoever has seen one is told, by a range, that the other did not grow from it |
//! | 10 | a key that has ended, by dates | dates do not count: a key counts while it is listed, and that is said; `dates_do_not_count` |
//! | 11 | a step's key signs a verdict | one key makes both, as the verdict stands in a signed step; here keys and signatures for other purposes |
//! | 18 | the gate passed what is not in the tree | the gate's own: it runs in a checkout of exactly the tree |
//! | 26 | a submodule's url | `.gitmodules` is protected (26), a commit in the place of a file is named (25) |
//! | 29 | a tag or branch of a misleading name | full names only; see the clean twin of 28 |
//! | 32 | an older policy put back | the policy is that of the base, outside of what is judged; `the_policy_is_that_of_the_base` |
//! | 38 | text that asks a reviewer to approve | a verdict is structured; what words could forge in a message is 12 to 12g |
//! | 40 | a secret in a step | the room of secrets |
//! | 42 | clocks | order comes from numbers and parents; `clocks_do_not_count` |
//! | 43 | a run's id used again | runs have none: a state is derived from the one before by digest |
//! | 44 | hooks switched off | the room of hooks |
//! | 45 | half a push | a landing has its task for a parent, so the task's steps come along |
//! | 46 | an older program writes less | evidence that is not there is named as absent |
//!
//! From 47 on they are our own.

use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    asked::{Said, program, remembers, second},
    forge::Forge,
    histories, landings, more, steps,
};

/// A forgery and its clean twin.
pub struct Attack {
    /// Its number in the list and what it is.
    pub name: &'static str,
    /// The rule that must name it.
    pub rule: &'static str,
    /// The words that both verifiers are asked with, given the place where it was forged.
    pub ask: fn(&Forge) -> Vec<String>,
    /// Tells the lie.
    pub forge: fn(&Forge),
    /// Does the same without it.
    pub clean: fn(&Forge),
}

/// Everything that is here.
pub fn all(_: &Forge) -> Vec<String> {
    Vec::new()
}

/// Forgeries that are looked at at once.
const THREADS: usize = 2;
/// Of so many forgeries the usual test run has one judged by the second verifier too, which takes longer than all the rest.
const SECOND_EVERY: usize = 4;

#[test]
fn every_forgery_is_named_and_every_twin_passes() {
    let mut attacks = steps::attacks();
    attacks.extend(more::attacks());
    attacks.extend(landings::attacks());
    attacks.extend(histories::attacks());
    let only = std::env::var("ATTACK").unwrap_or_default();
    attacks.retain(|attack| attack.name.starts_with(&only));
    let is_whole = !only.is_empty() || std::env::var_os("ATTACKS_SEEDS").is_some();
    let (next, wrong, seen) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(HashSet::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(attack) = attacks.get(at) else { break };
                    let found = look(attack, &seen, is_whole || at.is_multiple_of(SECOND_EVERY));
                    wrong.lock().expect("no panic holds it").extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic holds it");
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), attacks.len(), wrong.join("\n\n"));
}

/// A clean repository as verifiers see it: its refs, its configuration, and what they are asked.
type Twin = (String, String, Vec<String>);

/// What is wrong with how a forgery and its twin are judged, by the program and, if so wanted, by the second verifier.
fn look(attack: &Attack, seen: &Mutex<HashSet<Twin>>, with_second: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |who: &str, twin: &str, said: &Said, must: &str| {
        wrong.push(format!(
            "{} ({twin}), {who}: must be {must}, is {} {:?}\n{}",
            attack.name, said.code, said.rules, said.text
        ));
    };
    let place = Forge::new();
    (attack.forge)(&place);
    let words = (attack.ask)(&place);
    let first = program(&place, &words);
    // What was proven is remembered; a lie must not be among it.
    let again = program(&place, &words);
    if (again.code, &again.rules) != (first.code, &first.rules) {
        say("program", "forged, asked again", &again, &format!("as before: {:?}", first.rules));
    }
    let script = with_second.then(|| ("script", second(&place, &words)));
    for (who, said) in [("program", first)].into_iter().chain(script) {
        if said.code != 1 || !said.rules.contains(attack.rule) {
            say(who, "forged", &said, &format!("1 with '{}'", attack.rule));
        }
        if said.text.contains('\u{1b}') || said.text.contains("\\u001b") {
            say(who, "forged", &said, "safe to print");
        }
    }
    let place = Forge::new();
    (attack.clean)(&place);
    let words = (attack.ask)(&place);
    // Many twins are the same commits, made again; the second look at them would be the first.
    let refs = place.sandbox.git(&["for-each-ref"]);
    let twin = (refs, place.sandbox.read(".git/config"), words.clone());
    if !seen.lock().expect("no panic holds it").insert(twin) {
        return wrong;
    }
    let (first, again) = (program(&place, &words), program(&place, &words));
    // Without a memory the second answer would be no other than the first; `--strict` goes without one.
    if !words.iter().any(|word| word == "--strict") && first.code == 0 && !remembers(&place) {
        say("program", "clean", &first, "remembered");
    }
    let script = with_second.then(|| ("script", second(&place, &words)));
    for (who, said) in [("program", first), ("program, asked again", again)].into_iter().chain(script) {
        if said.code != 0 || !said.rules.is_empty() {
            say(who, "clean", &said, "0 with nothing");
        }
    }
    wrong
}
