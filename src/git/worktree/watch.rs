//! Hears from the system which paths of a worktree were touched, so that not all have to be looked at.
//! Knows nothing of git. In doubt it says nothing, and everything is looked at.

#[cfg(target_os = "linux")]
pub(super) use inotify::Watch;
#[cfg(not(target_os = "linux"))]
pub(super) use none::Watch;

#[cfg(target_os = "linux")]
mod inotify {
    use std::{
        collections::{BTreeSet, HashMap, HashSet},
        mem::MaybeUninit,
        os::fd::{AsRawFd, BorrowedFd, OwnedFd},
    };

    use gix::bstr::{BStr, BString, ByteSlice};
    use rustix::{
        fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags},
        io::Errno,
    };

    /// Bytes of events read at a time.
    const EVENTS_BYTES: usize = 64 << 10;
    /// Touched paths from which on looking at all files is as good.
    const TOUCHED_MAX: usize = 10_000;

    /// Watches the directories of a worktree.
    #[derive(Debug)]
    pub struct Watch {
        queue: OwnedFd,
        /// The directories by the system's numbers; each path is empty or ends in `/`.
        dirs: HashMap<i32, BString>,
        /// The same directories.
        paths: HashSet<BString>,
        /// Whether something happened that we cannot follow.
        lost: bool,
    }

    impl Watch {
        /// A watch of nothing yet; none if the system gives none.
        pub fn open() -> Option<Self> {
            let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
            Some(Self { queue, dirs: HashMap::new(), paths: HashSet::new(), lost: false })
        }

        /// Watches a directory from now on. What happened in it before has to be looked at after this.
        pub fn add(&mut self, dir: BorrowedFd<'_>, path: &BStr) {
            let flags = WatchFlags::MODIFY
                | WatchFlags::CLOSE_WRITE
                | WatchFlags::ATTRIB
                | WatchFlags::CREATE
                | WatchFlags::DELETE
                | WatchFlags::MOVED_FROM
                | WatchFlags::MOVED_TO
                | WatchFlags::MOVE_SELF
                | WatchFlags::ONLYDIR;
            // By its descriptor: the path could lead elsewhere by now.
            match inotify::add_watch(&self.queue, format!("/proc/self/fd/{}", dir.as_raw_fd()), flags) {
                Ok(number) => {
                    self.paths.insert(path.to_owned());
                    if let Some(before) = self.dirs.insert(number, path.to_owned())
                        && before != path
                    {
                        self.lost = true;
                    }
                }
                Err(_) => self.lost = true,
            }
        }

        /// Whether a directory is watched; its path is empty or ends in `/`.
        pub fn knows(&self, path: &BStr) -> bool {
            self.paths.contains(path)
        }

        /// The paths touched since the last time; none if it is not known.
        pub fn drain(&mut self) -> Option<BTreeSet<BString>> {
            let mut touched = BTreeSet::new();
            let mut buffer = [MaybeUninit::uninit(); EVENTS_BYTES];
            let mut reader = Reader::new(&self.queue, &mut buffer);
            loop {
                let event = match reader.next() {
                    Ok(event) => event,
                    Err(Errno::AGAIN) => break,
                    Err(Errno::INTR) => continue,
                    Err(_) => {
                        self.lost = true;
                        break;
                    }
                };
                let what = event.events();
                if what.intersects(ReadFlags::QUEUE_OVERFLOW | ReadFlags::UNMOUNT | ReadFlags::MOVE_SELF) {
                    // A directory that moved takes its watch along, under a path that is no longer its own.
                    self.lost = true;
                    break;
                }
                if what.contains(ReadFlags::IGNORED) {
                    if let Some(path) = self.dirs.remove(&event.wd()) {
                        self.paths.remove(&path);
                    }
                    continue;
                }
                let (Some(dir), Some(name)) = (self.dirs.get(&event.wd()), event.file_name()) else { continue };
                let name = name.to_bytes();
                let mut path = dir.clone();
                path.extend_from_slice(name);
                if is_rule(name.as_bstr()) || touched.len() >= TOUCHED_MAX {
                    self.lost = true;
                    break;
                }
                touched.insert(path);
            }
            (!self.lost).then_some(touched)
        }
    }

    /// Whether a file says which others are ignored: then others may count that were not watched.
    fn is_rule(name: &BStr) -> bool {
        name == ".gitignore"
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use std::{collections::BTreeSet, os::fd::BorrowedFd};

    use gix::bstr::{BStr, BString};

    /// No watch: everything is looked at.
    #[derive(Debug)]
    pub struct Watch {}

    impl Watch {
        /// The system gives none.
        pub fn open() -> Option<Self> {
            None
        }

        /// Nothing.
        pub fn add(&mut self, _: BorrowedFd<'_>, _: &BStr) {}

        /// None is.
        pub fn knows(&self, _: &BStr) -> bool {
            false
        }

        /// It is not known.
        pub fn drain(&mut self) -> Option<BTreeSet<BString>> {
            None
        }
    }
}
