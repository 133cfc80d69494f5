//! SARIF 2.1.0, the parts that say what was found where.
//! The source is <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>. Does not know who writes it.

use serde::Deserialize;

use crate::{
    config::settings::CheckFormat,
    gate::measured::{Measured, Place, Warnings},
};

/// A run of a tool.
#[derive(Deserialize)]
pub struct Run {
    #[serde(default)]
    results: Vec<Found>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    rule_id: Option<String>,
    kind: Option<String>,
    level: Option<String>,
    #[serde(default)]
    message: Message,
    #[serde(default)]
    locations: Vec<Location>,
    #[serde(default)]
    suppressions: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
struct Message {
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Option<Physical>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Option<Artifact>,
    region: Option<Region>,
}

#[derive(Deserialize)]
struct Artifact {
    uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: Option<u32>,
}

/// What the runs say: all but what is suppressed, passed, or a mere note.
pub fn of(runs: Vec<Run>) -> Measured {
    let mut warnings = Warnings::default();
    for found in runs.into_iter().flat_map(|run| run.results) {
        let is_fine =
            found.kind.as_deref().is_some_and(|kind| kind != "fail") || found.level.as_deref() == Some("none");
        if is_fine || !found.suppressions.is_empty() {
            continue;
        }
        let physical = found.locations.into_iter().next().and_then(|location| location.physical_location);
        let (file, line) = physical.map_or((None, None), |physical| {
            (
                physical.artifact_location.and_then(|artifact| artifact.uri),
                physical.region.and_then(|region| region.start_line),
            )
        });
        let place = Place::new(file.unwrap_or_default(), line);
        warnings.add(
            place,
            found.rule_id.as_deref().unwrap_or_default(),
            found.message.text.as_deref().unwrap_or_default(),
        );
    }
    warnings.is_refusal = warnings.count > 0;
    Measured::of_warnings(CheckFormat::Sarif, warnings)
}
