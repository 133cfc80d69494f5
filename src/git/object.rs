//! Names of objects, between our types and gix's.
//! Knows nothing of what the objects hold.

use crate::model::object::{BlobId, CommitId, ObjectId, TreeId};

/// Our name as gix writes it.
pub(super) fn gix_id(id: &ObjectId) -> gix::ObjectId {
    gix::ObjectId::from_bytes_or_panic(id.as_bytes())
}

/// gix's name as ours.
pub(super) fn our_id(id: &gix::oid) -> ObjectId {
    ObjectId::from_bytes(id.as_bytes()).expect("a hash of gix has 20 or 32 bytes")
}

macro_rules! between {
    ($($ours:ident $from:ident $into:ident)*) => {$(
        /// From gix's name.
        pub(super) fn $from(id: impl AsRef<gix::oid>) -> $ours {
            $ours(our_id(id.as_ref()))
        }

        /// To gix's name.
        pub(super) fn $into(id: $ours) -> gix::ObjectId {
            gix_id(&id.0)
        }
    )*};
}

between! {
    CommitId commit_id gix_commit
    TreeId tree_id gix_tree
    BlobId blob_id gix_blob
}
