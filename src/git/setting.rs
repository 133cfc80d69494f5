//! Settings of git that a person made for themselves.
//! Does not read those of the repository: an agent that works in it can write them.

use gix::{bstr::ByteSlice, config::source::Kind};

use super::repository::Repository;

impl Repository {
    /// A setting that the user, the system or the command line made; one that only the repository makes is none.
    pub fn user_setting(&self, key: &str) -> Option<String> {
        let local = self.local();
        let config = local.config_snapshot();
        let value = config.plumbing().string_filter(key, |meta| match meta.source.kind() {
            Kind::GitInstallation | Kind::System | Kind::Global | Kind::Override => true,
            Kind::Repository => false,
        })?;
        Some(value.to_str_lossy().into_owned())
    }
}
