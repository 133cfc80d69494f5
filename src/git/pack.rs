//! Writes a few objects as one pack with its index: two files to sync instead of one an object.
//! Knows nothing of refs or of which objects exist already. Format: gitformat-pack(5), versions 2 and 2.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use gix::{
    ObjectId,
    hash::Hasher,
    objs::Kind,
    zlib::{
        Compression, Status,
        stream::deflate::{Compress, FlushCompress},
    },
};
use tempfile::NamedTempFile;

/// Compressed bytes up to which an offset fits the index's short table.
const SHORT_OFFSET_MAX: u64 = 0x7fff_ffff;

/// Bytes of a pack that are written at once.
const BUFFER_BYTES: usize = 64 << 10;

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

/// A pack that is being written, under a name that git's own cleaning knows.
struct Packing<'a> {
    dir: &'a Path,
    file: BufWriter<NamedTempFile>,
    hasher: Hasher,
    rows: Vec<Row>,
    bytes: u64,
}

/// Writes these objects, which must be no two alike, into `objects/pack`. The index appears last: a pack without one is not
/// seen by anybody.
pub(super) fn write(
    objects_dir: &Path,
    objects: &[&Object],
    hash: gix::hash::Kind,
    sync: Sync,
) -> io::Result<Option<Written>> {
    let dir = objects_dir.join("pack");
    let mut packing = Packing::begin(&dir, objects.len(), hash)?;
    let mut compress = Compress::new(Compression::BEST_SPEED);
    let mut packed = Vec::new();
    for (id, kind, bytes) in objects {
        packed.clear();
        header(&mut packed, *kind, bytes.len() as u64);
        deflate(&mut compress, bytes, &mut packed)?;
        packing.append(*id, crc32fast::hash(&packed), &packed)?;
    }
    packing.finish(hash, sync)
}

/// Puts several packs together in one. They stay, until they are removed: who reads the directory just now may miss the new one.
pub(super) fn join(objects_dir: &Path, packs: &[Written], hash: gix::hash::Kind) -> io::Result<Option<Written>> {
    // What was on the disk for sure stays so.
    let on_disk = packs.iter().any(|written| written.sync == Sync::Disk);
    let sync = if on_disk { Sync::Disk } else { Sync::System };
    let mut left: HashSet<ObjectId> = packs.iter().flat_map(|written| written.rows.iter().map(|row| row.0)).collect();
    let dir = objects_dir.join("pack");
    let mut packing = Packing::begin(&dir, left.len(), hash)?;
    for written in packs {
        let bytes = fs::read(&written.pack)?;
        let mut rows = written.rows.clone();
        rows.sort_unstable_by_key(|row| row.2);
        let ends = rows.iter().skip(1).map(|row| row.2).chain([(bytes.len() - hash.len_in_bytes()) as u64]);
        let ends: Vec<u64> = ends.collect();
        for ((id, crc, start), end) in rows.into_iter().zip(ends) {
            // Ours hold no deltas, so that the bytes of an object mean the same wherever they are.
            if left.remove(&id) {
                packing.append(id, crc, &bytes[start as usize..end as usize])?;
            }
        }
    }
    let joined = packing.finish(hash, sync)?;
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

impl<'a> Packing<'a> {
    fn begin(dir: &'a Path, objects: usize, hash: gix::hash::Kind) -> io::Result<Self> {
        let mut packing = Self {
            dir,
            file: BufWriter::with_capacity(BUFFER_BYTES, temporary(dir)?),
            hasher: gix::hash::hasher(hash),
            rows: Vec::with_capacity(objects),
            bytes: 0,
        };
        packing.put(b"PACK\0\0\0\x02")?;
        packing.put(&u32::try_from(objects).map_err(io::Error::other)?.to_be_bytes())?;
        Ok(packing)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// Adds an object, its header before it; `crc` is the checksum of both.
    fn append(&mut self, id: ObjectId, crc: u32, packed: &[u8]) -> io::Result<()> {
        self.rows.push((id, crc, self.bytes));
        self.put(packed)
    }

    /// Ends the pack, makes its index, and gives both their names. None if the same pack is there already.
    fn finish(self, hash: gix::hash::Kind, sync: Sync) -> io::Result<Option<Written>> {
        let Self { dir, mut file, hasher, mut rows, bytes } = self;
        let digest = hasher.try_finalize().map_err(io::Error::other)?;
        file.write_all(digest.as_slice())?;
        rows.sort_unstable_by_key(|row| row.0);
        let pack = dir.join(format!("pack-{digest}.pack"));
        let index = dir.join(format!("pack-{digest}.idx"));
        if index.exists() {
            if sync == Sync::Disk {
                // Whoever wrote it may have left that to the system.
                File::open(&pack)?.sync_all()?;
                File::open(&index)?.sync_all()?;
                File::open(dir)?.sync_all()?;
            }
            return Ok(None);
        }
        name(file.into_inner()?, &pack, sync)?;
        crate::sys::crash_point::reach("pack.written");
        let mut file = temporary(dir)?;
        file.write_all(&table(&rows, &digest, hash)?)?;
        name(file, &index, sync)?;
        if sync == Sync::Disk {
            File::open(dir)?.sync_all()?;
        }
        Ok(Some(Written { pack, index, rows, bytes: bytes + hash.len_in_bytes() as u64, sync }))
    }
}

/// A new file under a name that git's own cleaning knows, which nobody may change.
fn temporary(dir: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("tmp_pack_");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o444));
    builder.tempfile_in(dir)
}

/// Gives a file that was written its name.
fn name(file: NamedTempFile, path: &Path, sync: Sync) -> io::Result<()> {
    if sync == Sync::Disk {
        file.as_file().sync_all()?;
    }
    file.persist(path).map_err(|failed| failed.error)?;
    Ok(())
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

/// The content of an index.
fn table(rows: &[Row], pack: &ObjectId, hash: gix::hash::Kind) -> io::Result<Vec<u8>> {
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
