//! Proof that what is there is what was done: signatures, chains, records, states, verdicts and landings, from the objects
//! alone. Asks nobody, runs nothing, and trusts no key that comes along with what it judges.

mod chain;
mod claim;
mod court;
mod definition;
mod finding;
mod landing;
mod memory;
mod person;
mod protected;
mod scope;
mod step;
mod strict;
mod trail;
mod trust;
mod walk;

pub use court::{Audit, DefinitionOf};
pub use protected::{BadGlob, Protected};
pub use scope::{Scope, Tip};
pub use trail::trail;
pub use trust::{Grounds, Trust, TrustError};
