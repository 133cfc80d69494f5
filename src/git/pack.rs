//! Writes a few objects as one pack with its index: two files to sync instead of one an object.
//! Knows nothing of refs or of which objects exist already. Format: gitformat-pack(5), versions 2 and 2.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use gix::{
    ObjectId,
    objs::Kind,
    zlib::{
        Compression, Status,
        stream::deflate::{Compress, FlushCompress},
    },
};

/// Compressed bytes up to which an offset fits the index's short table.
const SHORT_OFFSET_MAX: u64 = 0x7fff_ffff;

static SERIAL: AtomicU64 = AtomicU64::new(0);

/// Whether a write is pushed to the disk before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sync {
    /// It is.
    Disk,
    /// The system decides.
    System,
}

/// An object to be written: its name, kind and content.
pub(super) type Object = (ObjectId, Kind, Vec<u8>);

/// An object in a pack: its name, the checksum of its bytes there, where they begin.
type Row = (ObjectId, u32, u64);

/// A pack that we wrote, as much of it as joining takes.
#[derive(Debug)]
pub(super) struct Written {
    pack: PathBuf,
    index: PathBuf,
    rows: Vec<Row>,
    bytes: u64,
    sync: Sync,
}

struct Packed {
    pack: Vec<u8>,
    index: Vec<u8>,
    rows: Vec<Row>,
    /// Hash of the pack, in hex.
    name: String,
}

/// Writes these objects, which must be no two alike, into `objects/pack`. The index appears last: a pack without one is not
/// seen by anybody.
pub(super) fn write(
    objects_dir: &Path,
    objects: &[&Object],
    hash: gix::hash::Kind,
    sync: Sync,
) -> io::Result<Option<Written>> {
    put(&objects_dir.join("pack"), encode(objects, hash)?, sync)
}

/// Puts several packs together in one. They stay, until they are removed: who reads the directory just now may miss the new one.
pub(super) fn join(objects_dir: &Path, packs: &[Written], hash: gix::hash::Kind) -> io::Result<Option<Written>> {
    // What was on the disk for sure stays so.
    let on_disk = packs.iter().any(|written| written.sync == Sync::Disk);
    let sync = if on_disk { Sync::Disk } else { Sync::System };
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    for written in packs {
        let bytes = fs::read(&written.pack)?;
        let mut rows = written.rows.clone();
        rows.sort_unstable_by_key(|row| row.2);
        let ends = rows.iter().skip(1).map(|row| row.2).chain([(bytes.len() - hash.len_in_bytes()) as u64]);
        let ends: Vec<u64> = ends.collect();
        for ((id, crc, start), end) in rows.into_iter().zip(ends) {
            if seen.insert(id) {
                all.push((id, crc, bytes[start as usize..end as usize].to_vec()));
            }
        }
    }
    // Ours hold no deltas, so that the bytes of an object mean the same wherever they are.
    let mut pack = header_of(all.len())?;
    let mut rows = Vec::with_capacity(all.len());
    for (id, crc, bytes) in all {
        rows.push((id, crc, pack.len() as u64));
        pack.extend_from_slice(&bytes);
    }
    let joined = put(&objects_dir.join("pack"), finish(pack, rows, hash)?, sync)?;
    crate::sys::crash_point::reach("pack.joined");
    Ok(joined)
}

impl Written {
    /// Bytes of the pack.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Removes a pack whose objects are in another. Who has read of it in the directory finds it gone, and looks again.
    pub fn remove(&self) -> io::Result<()> {
        fs::remove_file(&self.index)?;
        crate::sys::crash_point::reach("pack.half-removed");
        fs::remove_file(&self.pack)
    }
}

/// None if the same pack is there already.
fn put(dir: &Path, packed: Packed, sync: Sync) -> io::Result<Option<Written>> {
    let pack = dir.join(format!("pack-{}.pack", packed.name));
    let index = dir.join(format!("pack-{}.idx", packed.name));
    if index.exists() {
        if sync == Sync::Disk {
            // Whoever wrote it may have left that to the system.
            File::open(&pack)?.sync_all()?;
            File::open(&index)?.sync_all()?;
            File::open(dir)?.sync_all()?;
        }
        return Ok(None);
    }
    appear(dir, &pack, &packed.pack, sync)?;
    crate::sys::crash_point::reach("pack.written");
    appear(dir, &index, &packed.index, sync)?;
    if sync == Sync::Disk {
        File::open(dir)?.sync_all()?;
    }
    Ok(Some(Written { pack, index, rows: packed.rows, bytes: packed.pack.len() as u64, sync }))
}

/// Writes a file under a name that git's own cleaning knows, then gives it its name.
fn appear(dir: &Path, path: &Path, bytes: &[u8], sync: Sync) -> io::Result<()> {
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let temporary = dir.join(format!("tmp_pack_{}_{serial}", std::process::id()));
    let write = || {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o444);
        let mut file = options.open(&temporary)?;
        file.write_all(bytes)?;
        if sync == Sync::Disk {
            file.sync_all()?;
        }
        fs::rename(&temporary, path)
    };
    write().inspect_err(|_| {
        // The first error is the one to report; git cleans up what stays.
        let _ = fs::remove_file(&temporary);
    })
}

fn encode(objects: &[&Object], hash: gix::hash::Kind) -> io::Result<Packed> {
    let mut pack = header_of(objects.len())?;
    pack.reserve(objects.iter().map(|(_, _, bytes)| bytes.len() / 2 + 64).sum());
    let mut rows = Vec::with_capacity(objects.len());
    let mut compress = Compress::new(Compression::BEST_SPEED);
    for (id, kind, bytes) in objects {
        let offset = pack.len();
        header(&mut pack, *kind, bytes.len() as u64);
        deflate(&mut compress, bytes, &mut pack)?;
        rows.push((*id, crc32fast::hash(&pack[offset..]), offset as u64));
    }
    finish(pack, rows, hash)
}

fn header_of(objects: usize) -> io::Result<Vec<u8>> {
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend_from_slice(&u32::try_from(objects).map_err(io::Error::other)?.to_be_bytes());
    Ok(pack)
}

/// Ends a pack and makes its index.
fn finish(mut pack: Vec<u8>, mut rows: Vec<Row>, hash: gix::hash::Kind) -> io::Result<Packed> {
    let pack_hash = digest(hash, &pack)?;
    pack.extend_from_slice(pack_hash.as_slice());
    rows.sort_unstable_by_key(|row| row.0);
    let index = index(&rows, &pack_hash, hash)?;
    Ok(Packed { pack, index, rows, name: pack_hash.to_string() })
}

/// Appends the bytes, deflated.
fn deflate(compress: &mut Compress, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    compress.reset();
    let start = out.len();
    loop {
        let (read, written) = (compress.total_in() as usize, start + compress.total_out() as usize);
        out.resize(written + (bytes.len() - read) + bytes.len() / 512 + 64, 0);
        let status = compress
            .compress(&bytes[read..], &mut out[written..], FlushCompress::Finish)
            .map_err(|error| io::Error::other(error.to_string()))?;
        if matches!(status, Status::StreamEnd) {
            out.truncate(start + compress.total_out() as usize);
            return Ok(());
        }
    }
}

/// The kind and size of an object: four bits of the size, then seven a byte, the lowest first.
fn header(pack: &mut Vec<u8>, kind: Kind, size: u64) {
    let number = match kind {
        Kind::Commit => 1u8,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    };
    let mut byte = (number << 4) | (size & 0x0f) as u8;
    let mut rest = size >> 4;
    while rest > 0 {
        pack.push(byte | 0x80);
        byte = (rest & 0x7f) as u8;
        rest >>= 7;
    }
    pack.push(byte);
}

fn index(rows: &[Row], pack: &ObjectId, hash: gix::hash::Kind) -> io::Result<Vec<u8>> {
    let mut index = Vec::with_capacity(8 + 1024 + rows.len() * 40 + 64);
    index.extend_from_slice(&[0xff, b't', b'O', b'c', 0, 0, 0, 2]);
    let mut counted = 0;
    for first in 0..=255u8 {
        counted += rows[counted..].iter().take_while(|row| row.0.first_byte() == first).count();
        index.extend_from_slice(&(counted as u32).to_be_bytes());
    }
    for (id, _, _) in rows {
        index.extend_from_slice(id.as_slice());
    }
    for (_, crc, _) in rows {
        index.extend_from_slice(&crc.to_be_bytes());
    }
    let mut long = Vec::new();
    for (_, _, offset) in rows {
        let short = if *offset <= SHORT_OFFSET_MAX {
            *offset as u32
        } else {
            long.push(*offset);
            0x8000_0000 | (long.len() - 1) as u32
        };
        index.extend_from_slice(&short.to_be_bytes());
    }
    for offset in long {
        index.extend_from_slice(&offset.to_be_bytes());
    }
    index.extend_from_slice(pack.as_slice());
    let own = digest(hash, &index)?;
    index.extend_from_slice(own.as_slice());
    Ok(index)
}

fn digest(kind: gix::hash::Kind, bytes: &[u8]) -> io::Result<ObjectId> {
    let mut hasher = gix::hash::hasher(kind);
    hasher.update(bytes);
    hasher.try_finalize().map_err(|error| io::Error::other(error.to_string()))
}
