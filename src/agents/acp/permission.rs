//! The answer to a program that asks whether it may: from the role's access, at once, never by asking anybody.
//! Knows nothing of sessions or messages.

use std::path::Path;

use agent_client_protocol_schema::v1::{
    PermissionOption, PermissionOptionKind, RequestPermissionOutcome, RequestPermissionRequest,
    SelectedPermissionOutcome, ToolKind,
};

use crate::{model::workflow::Access, sys::file::is_inside};

/// The answer. A writer may do what it asks for once, but change files in the worktree only. A reader may look, search
/// and think; it may not even fetch, for then what it read could leave. Never for always: some programs write down what
/// they are always allowed, in the worktree.
pub fn decide(request: &RequestPermissionRequest, access: Access, worktree: &Path) -> RequestPermissionOutcome {
    let kind = request.tool_call.fields.kind.unwrap_or_default();
    let may = match access {
        Access::Read => matches!(kind, ToolKind::Read | ToolKind::Search | ToolKind::Think),
        Access::Write => !changes(kind) || stays_inside(request, worktree),
    };
    let wanted = if may {
        [PermissionOptionKind::AllowOnce, PermissionOptionKind::AllowAlways]
    } else {
        [PermissionOptionKind::RejectOnce, PermissionOptionKind::RejectAlways]
    };
    let chosen = wanted.into_iter().find_map(|kind| request.options.iter().find(|option| option.kind == kind));
    match chosen {
        Some(PermissionOption { option_id, .. }) => {
            RequestPermissionOutcome::Selected(SelectedPermissionOutcome::new(option_id.clone()))
        }
        None => RequestPermissionOutcome::Cancelled,
    }
}

/// Whether what it asks for changes the files it names. A command names none that count.
fn changes(kind: ToolKind) -> bool {
    matches!(kind, ToolKind::Edit | ToolKind::Delete | ToolKind::Move)
}

fn stays_inside(request: &RequestPermissionRequest, worktree: &Path) -> bool {
    let places = request.tool_call.fields.locations.iter().flatten();
    // A relative path is from the session's directory, which is the worktree.
    places.into_iter().all(|place| is_inside(worktree, &worktree.join(&place.path)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(access: Access, kind: &str, place: &str, options: &[&str], wanted: &str) {
        let home = tempfile::tempdir().unwrap();
        let worktree = home.path().join("worktree");
        std::fs::create_dir(&worktree).unwrap();
        let options: Vec<_> =
            options.iter().map(|kind| json!({"optionId": format!("id-{kind}"), "name": kind, "kind": kind})).collect();
        let locations = if place.is_empty() { json!([]) } else { json!([{"path": worktree.join(place)}]) };
        let request: RequestPermissionRequest = serde_json::from_value(json!({
            "sessionId": "s", "options": options, "toolCall": {"toolCallId": "t", "kind": kind, "locations": locations},
        }))
        .unwrap();
        let chosen = match decide(&request, access, &worktree) {
            RequestPermissionOutcome::Selected(chosen) => chosen.option_id.0.to_string(),
            _ => "cancelled".to_owned(),
        };
        assert_eq!(chosen, wanted, "{access:?} {kind} {place}");
    }

    #[test]
    fn the_answer_follows_from_the_access() {
        let all = ["allow_always", "allow_once", "reject_once", "reject_always"];
        for kind in
            ["read", "edit", "delete", "move", "search", "execute", "think", "fetch", "switch_mode", "other", "new"]
        {
            check(Access::Write, kind, "src/a.rs", &all, "id-allow_once");
            let reads = ["read", "search", "think"].contains(&kind);
            check(Access::Read, kind, "", &all, if reads { "id-allow_once" } else { "id-reject_once" });
        }
        for kind in ["edit", "delete", "move"] {
            for place in ["../outside", "/etc/passwd", "a/../../b"] {
                check(Access::Write, kind, place, &all, "id-reject_once");
            }
        }
        check(Access::Write, "edit", "", &all, "id-allow_once");
        check(Access::Write, "edit", "a", &["allow_always", "reject_once"], "id-allow_always");
        check(Access::Write, "edit", "a", &["reject_once"], "cancelled");
        check(Access::Read, "edit", "a", &["allow_once"], "cancelled");
        check(Access::Read, "execute", "", &["allow_once", "reject_always"], "id-reject_always");
    }
}
