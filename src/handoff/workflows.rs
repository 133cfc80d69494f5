//! Workflows from files: those compiled in and the user's beside them.
//! Knows nothing of tasks; what a workflow may be is `model`'s to say, in which line it is wrong is said here.

use std::path::Path;

use super::{disk, layout};
use crate::{
    config::{
        document::{Part, Reading, Shape, place, read},
        parse::is_name,
        problem::Problem,
    },
    model::workflow::{BadWorkflow, Workflow},
    text::did_you_mean,
};

const BUILT_IN: [(&str, &str); 3] = [
    ("review", include_str!("workflows/review.toml")),
    ("single", include_str!("workflows/single.toml")),
    ("standard", include_str!("workflows/standard.toml")),
];

const SHAPES: &[(&[&str], Shape)] = &[(&["phase"], Shape::Tables), (&["phase", "skip_when"], Shape::Table)];

/// The workflow of that name that is compiled in.
pub fn builtin(name: &str) -> Option<Workflow> {
    let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
    Some(toml::from_str(text).expect("BUG: the workflows that are compiled in are right"))
}

/// The text of a built-in workflow, to begin one's own with.
pub fn builtin_text(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names of those that are compiled in.
pub fn names() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(name, _)| *name).collect()
}

/// The names of all: compiled in, or in a file of the user's.
pub fn all_names(root: &Path) -> Vec<String> {
    let mut all: Vec<String> = names().into_iter().map(str::to_owned).collect();
    let entries = std::fs::read_dir(root.join(layout::WORKFLOWS)).into_iter().flatten().flatten();
    for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
        if let Some(stem) = name.strip_suffix(".toml").filter(|stem| is_name(stem)) {
            all.push(stem.to_owned());
        }
    }
    all.sort();
    all.dedup();
    all
}

/// The workflow of that name; a file of the user's wins over one that is compiled in.
///
/// # Errors
/// Everything that is wrong with its file, or that there is none.
pub fn load(root: &Path, name: &str) -> Result<Workflow, Vec<Problem>> {
    let file = layout::workflow(name);
    if is_name(name)
        && let Some(text) = disk::read_text(root, &file).map_err(|problem| vec![problem])?
    {
        return parse(&text, &file, name);
    }
    builtin(name).ok_or_else(|| {
        let all = all_names(root);
        let hint = match did_you_mean(name, all.iter().map(String::as_str)) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("known workflows: {}", all.join(", ")),
        };
        vec![Problem::new(layout::WORKFLOWS, format!("there is no workflow '{}'", name.escape_debug())).hint(hint)]
    })
}

/// The workflow in a text.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str, file: &str, name: &str) -> Result<Workflow, Vec<Problem>> {
    let reading = Reading { shapes: SHAPES, fill: &[("name", name)], ..Reading::of(file) };
    let workflow: Workflow = read(text, &reading)?;
    if workflow.name != name {
        let what = format!("the file is named '{name}', but its workflow '{}'", workflow.name.escape_debug());
        let hint = format!("name = \"{name}\"");
        return Err(vec![reading.problem(text, &place!["name"], what).hint(hint)]);
    }
    match workflow.check() {
        Ok(()) => Ok(workflow),
        Err(bad) => {
            let hint = hint(&bad, &workflow);
            let place = place_of(&bad, &workflow);
            Err(vec![reading.problem(text, &place, bad.to_string()).hint(hint)])
        }
    }
}

/// The header of the phase that it is about, or the key.
fn place_of(bad: &BadWorkflow, workflow: &Workflow) -> Vec<Part> {
    let mut named = workflow.phases.iter().enumerate().filter(|(_, spec)| Some(&spec.id) == bad.phase());
    // Of two with one name the second is one too many.
    let at = if let BadWorkflow::Twice(_) = bad { named.next_back() } else { named.next() };
    let Some((at, _)) = at else { return Vec::new() };
    let mut place = place!["phase", at].to_vec();
    place.extend(key_of(bad).map(Part::from));
    place
}

fn key_of(bad: &BadWorkflow) -> Option<&'static str> {
    match bad {
        BadWorkflow::Empty(_) | BadWorkflow::TooMany(_) | BadWorkflow::RoleOrGate(_) => None,
        BadWorkflow::Twice(_) | BadWorkflow::Reserved(_) => Some("id"),
        BadWorkflow::Unknown { key, .. } => Some(key),
        BadWorkflow::Circle(_) => Some("needs"),
        BadWorkflow::ForEach(_) => Some("for_each"),
        BadWorkflow::OnFail(_) => Some("on_fail"),
        BadWorkflow::Reviews(_) => Some("reviews"),
        BadWorkflow::Rounds(_) => Some("max_rounds"),
        BadWorkflow::SkipResult { .. } => Some("skip_when"),
    }
}

fn hint(bad: &BadWorkflow, workflow: &Workflow) -> Option<String> {
    match bad {
        BadWorkflow::Unknown { other, .. } => {
            did_you_mean(other.as_str(), workflow.phases.iter().map(|spec| spec.id.as_str()))
                .map(|near| format!("did you mean '{near}'?"))
        }
        BadWorkflow::Empty(_) => Some("add one: [[phase]] with id and role".to_owned()),
        BadWorkflow::Circle(ids) => Some(format!("remove one of the {} 'needs'", ids.len())),
        BadWorkflow::TooMany(_)
        | BadWorkflow::Twice(_)
        | BadWorkflow::Reserved(_)
        | BadWorkflow::RoleOrGate(_)
        | BadWorkflow::ForEach(_)
        | BadWorkflow::OnFail(_)
        | BadWorkflow::Reviews(_)
        | BadWorkflow::Rounds(_)
        | BadWorkflow::SkipResult { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: &str) {
        let said = match parse(text, "w.toml", "w") {
            Ok(_) => String::new(),
            Err(problems) => {
                let line = problems[0].line.map_or("-".to_owned(), |line| line.to_string());
                let hint = problems[0].hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
                format!("{line}: {}{hint}", problems[0].what)
            }
        };
        assert_eq!(said, wanted, "{text}");
    }

    #[test]
    fn the_built_in_ones_are_right() {
        for name in names() {
            let workflow = builtin(name).expect(name);
            assert_eq!((workflow.name.as_str(), workflow.check()), (name, Ok(())));
            let text = builtin_text(name).expect(name);
            assert_eq!(parse(text, "f", name), Ok(workflow));
        }
        let standard = builtin("standard").expect("it is there");
        let ids: Vec<_> = standard.phases.iter().map(|phase| phase.id.as_str()).collect();
        assert_eq!(ids, ["plan", "plan-review", "implement", "code-review", "gate"]);
        assert_eq!(builtin("story"), None);
    }

    #[test]
    fn wrong_workflows_are_wrong_in_a_line() {
        let write = "[[phase]]\nid = 'write'\nrole = 'x'\n";
        check(&format!("{write}[[phase]]\nid = 'gate'\ngate = 'full'\nneeds = ['write']"), "");
        check("phase = []", "-: workflow 'w' has no phase (add one: [[phase]] with id and role)");
        check("description = 'x'", "-: 'phase' is missing");
        check(&format!("{write}{write}"), "5: phase 'write' is there twice");
        check(
            &format!("{write}[[phase]]\nid = 'gate'\ngate = 'full'\nneeds = ['wirte']"),
            "7: phase 'gate' names 'wirte' in 'needs', which is no phase of this workflow (did you mean 'write'?)",
        );
        check(
            &format!("{write}when = 'x'"),
            "4: unknown key 'when' in [[phase]] (it is one of id, role, gate, needs, \
             reviews, produces, for_each, on_fail, retry, max_rounds, skip_when, timeout)",
        );
        check(&format!("{write}role_ = 'x'"), "4: unknown key 'role_' in [[phase]] (did you mean 'role'?)");
        check(
            &format!("{write}skip_when = {{ label = ['x'] }}"),
            "4: unknown key 'label' in [phase.skip_when] (did you mean 'labels'?)",
        );
        check(
            "[[phase]]\nid = 'Write'\nrole = 'x'",
            "2: 'id': 'Write' is not a phase: lower-case letters, digits and \
             '-', as in implement or implement/S2",
        );
        check(
            "[[phase]]\nid = 'land'\nrole = 'x'",
            "2: phase 'land' cannot be named so: 'land' and names with '/' are reserved",
        );
        check("[phase]\nid = 'write'", "1: 'phase' must be a list of tables, [[phase]]");
        check(&format!("name = 'v'\n{write}"), "1: the file is named 'w', but its workflow 'v' (name = \"w\")");
        check(
            "[[phase]]\nid = 'a'\nrole = 'x'\nneeds = ['b']\n[[phase]]\nid = 'b'\nrole = 'x'\nneeds = ['a']",
            "4: phases need each other in a circle: a -> b -> a (remove one of the 2 'needs')",
        );
        check(&format!("{write}max_rounds = 0"), "4: phase 'write': max_rounds must be between 1 and 100");
    }

    #[test]
    fn a_file_of_the_users_wins() {
        let root = tempfile::tempdir().expect("a directory");
        assert_eq!(load(root.path(), "single").map(|workflow| workflow.phases.len()), Ok(2));
        let problem = &load(root.path(), "singel").expect_err("there is none")[0];
        assert_eq!(problem.what, "there is no workflow 'singel'");
        assert_eq!(problem.hint.as_deref(), Some("did you mean 'single'?"));
        assert!(load(root.path(), "../../etc/passwd").is_err());

        std::fs::create_dir_all(root.path().join(layout::WORKFLOWS)).expect("a directory");
        let own = "[[phase]]\nid = 'write'\nrole = 'implementer'\n";
        std::fs::write(root.path().join(".handoff/workflows/single.toml"), own).expect("a file");
        std::fs::write(root.path().join(".handoff/workflows/mine.toml"), own).expect("a file");
        assert_eq!(load(root.path(), "single").map(|workflow| workflow.phases.len()), Ok(1));
        assert_eq!(all_names(root.path()), ["mine", "review", "single", "standard"]);
    }
}
