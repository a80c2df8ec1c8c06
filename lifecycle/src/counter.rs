//! Exact counts without a shared read-modify-write on the hot path.
//!
//! Every counting component owns a range of dense indexes. A thread counts in a block of its own with a plain load and store;
//! a reader adds up the blocks of the living threads and the totals folded in by the dead ones. When an index lies beyond
//! a thread's block, the thread appends a larger one: nothing is copied, so a reader never sees a count twice.
//!
//! A thread folds its blocks when its thread-locals are destroyed and leaves a "dead" mark, so that counting from a later
//! destructor goes to the totals directly.

use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard, owned, process_static, thread_static, zeros};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ptr::NonNull;

/// `Counters::first` before the first count: larger than every block, so that the hot path needs one comparison only.
const UNREGISTERED: u32 = u32::MAX;
/// `Counters::first` of counters that live in one test world: counted in place.
const LOCAL: u32 = u32::MAX - 1;

/// `N` exact counts of one component.
pub(crate) struct Counters<const N: usize> {
    first: AtomicU32,
    /// With dense indexes: what the indexes read when this component got them or was reset. Local: the counts themselves.
    base: [AtomicU64; N],
}

impl<const N: usize> Counters<N> {
    const_unless_loom! {
        /// Counters for a declared or process-wide component: indexed on their first count.
        pub(crate) fn new() -> Self {
            Self { first: AtomicU32::new(UNREGISTERED), base: zeros() }
        }

        /// Counters of a test world: few counts, many worlds, so they take no indexes.
        pub(crate) fn local() -> Self {
            Self { first: AtomicU32::new(LOCAL), base: zeros() }
        }
    }

    /// Adds one to count `WHICH`. Gives true when this was the component's first count (it then registers itself).
    #[inline(always)]
    pub(crate) fn hit<const WHICH: usize>(&self) -> bool {
        self.add::<WHICH>(1)
    }

    /// Adds `by` to count `WHICH`; else as [`hit`](Self::hit).
    #[inline(always)]
    pub(crate) fn add<const WHICH: usize>(&self, by: u64) -> bool {
        !self.try_add::<WHICH>(by) && self.add_cold(WHICH, by)
    }

    /// Adds one to count `WHICH` if this takes no more than a load and a store; gives false, and counts nothing, when it
    /// takes more. For hot paths whose cold path counts for itself.
    #[inline(always)]
    pub(crate) fn try_hit<const WHICH: usize>(&self) -> bool {
        self.try_add::<WHICH>(1)
    }

    #[inline(always)]
    fn try_add<const WHICH: usize>(&self, by: u64) -> bool {
        self.try_add_in::<WHICH>(SLOTS.get(), by)
    }

    /// As [`try_hit`](Self::try_hit), with what [`here`] gave.
    #[inline(always)]
    pub(crate) fn try_hit_in<const WHICH: usize>(&self, slots: Slots) -> bool {
        self.try_add_in::<WHICH>(slots, 1)
    }

    #[inline(always)]
    fn try_add_in<const WHICH: usize>(&self, slots: Slots, by: u64) -> bool {
        self.at_home(slots).map(|home| home.add::<WHICH>(by)).is_some()
    }

    /// Where this thread counts, if that takes no more than a load and a store: it has counted for this component before
    /// (`slots` is what [`here`] gave), and nothing is installed on it. For hot paths that do other things before they count.
    #[inline(always)]
    pub(crate) fn at_home(&self, slots: Slots) -> Option<Home<N>> {
        let first = self.first.load(Ordering::Relaxed);
        (first < slots.len).then_some(Home { slots, first })
    }

    #[cold]
    #[inline(never)]
    fn add_cold(&self, which: usize, by: u64) -> bool {
        if self.first.load(Ordering::Relaxed) == LOCAL {
            if cfg!(feature = "counters") {
                self.base[which].fetch_add(by, Ordering::Relaxed);
            }
            return false;
        }
        let first = self.first.load(Ordering::Relaxed);
        if cfg!(feature = "counters") && first < LEN.get() {
            // This thread is not at home.
            // SAFETY: as in `try_add_in`; `LEN` is non-zero only while `cells` is that block. `which < N <= MAX_COUNTS`: all
            // callers pass the `WHICH` of `try_add_in`.
            let cell = unsafe { &*SLOTS.get().cells.as_ptr().add(first as usize + which) };
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
            return false;
        }
        let mut book = book();
        let newly = self.first.load(Ordering::Relaxed) == UNREGISTERED;
        if newly {
            let first = book.allocate(N as u32);
            for (offset, base) in self.base.iter().enumerate() {
                base.store(book.read(first + offset as u32), Ordering::Relaxed);
            }
            // Release: no count made under this index may be read into `base` above.
            self.first.store(first, Ordering::Release);
        }
        if cfg!(feature = "counters") {
            let index = self.first.load(Ordering::Relaxed) + which as u32;
            book.add_from_this_thread(index, by);
        } else {
            book.append_block();
        }
        newly
    }

    /// The count `which` right now: exact for everything that happened before (a joined thread, a received message).
    pub(crate) fn read(&self, which: usize) -> u64 {
        let book = book();
        let first = self.first.load(Ordering::Relaxed);
        let base = self.base[which].load(Ordering::Relaxed);
        match first {
            LOCAL => base,
            UNREGISTERED => 0,
            _ => book.read(first + which as u32).wrapping_sub(base),
        }
    }

    /// Sets all counts to zero.
    pub(crate) fn reset(&self) {
        let book = book();
        let first = self.first.load(Ordering::Relaxed);
        for (offset, base) in self.base.iter().enumerate() {
            let zero = if first < LOCAL { book.read(first + offset as u32) } else { 0 };
            base.store(zero, Ordering::Relaxed);
        }
    }
}

impl<const N: usize> Drop for Counters<N> {
    fn drop(&mut self) {
        let first = owned(&mut self.first);
        if first < LOCAL {
            book().free.entry(N as u32).or_default().push(first);
        }
    }
}

impl<const N: usize> std::fmt::Debug for Counters<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..N).map(|which| self.read(which))).finish()
    }
}

/// The most counts one component has. A block holds this many cells beyond the length it admits to, so that the hot path
/// compares the first index only.
const MAX_COUNTS: usize = if cfg!(loom) { 2 } else { 8 };
/// The length of a thread's first block, unless more indexes are given away by then. In a model blocks must grow early.
const FIRST_LEN: usize = if cfg!(loom) { 1 } else { 64 };

/// See [`Counters::at_home`]. It stays on its thread, and in the function that got it: the block might go when the thread ends.
pub(crate) struct Home<const N: usize> {
    slots: Slots,
    first: u32,
}

impl<const N: usize> Home<N> {
    /// Adds one to count `WHICH`.
    #[inline(always)]
    pub(crate) fn hit<const WHICH: usize>(self) {
        self.add::<WHICH>(1);
    }

    #[inline(always)]
    fn add<const WHICH: usize>(self, by: u64) {
        const { assert!(WHICH < N && N <= MAX_COUNTS) }
        if cfg!(feature = "counters") {
            // SAFETY: `slots.len` is non-zero only between this thread's `append` and its fold. In that time `slots.cells`
            // points to `slots.len + MAX_COUNTS` live cells, and the index is below that: `first` is below
            // `slots.len` (`at_home`), and `WHICH < N <= MAX_COUNTS`. It cannot leave the thread, as `NonNull` is not `Send`, nor is it
            // kept until the thread folds. Only this thread stores to these cells, and readers load atomically.
            let cell = unsafe { &*self.slots.cells.as_ptr().add(self.first as usize + WHICH) };
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
        }
    }
}

/// This thread's newest block.
#[derive(Clone, Copy)]
pub(crate) struct Slots {
    cells: NonNull<AtomicU64>,
    len: u32,
}

thread_static! {
    // No destructor, so reading it is one thread-relative load and is legal inside other destructors. It is one struct because
    // the address of each thread-local of another crate costs an instruction.
    static SLOTS: Cell<Slots> = Cell::new(Slots { cells: NonNull::dangling(), len: 0 });
    /// The length of the newest block; `SLOTS` shows it only while nothing is installed on this thread.
    static LEN: Cell<u32> = Cell::new(0);
    /// Things installed on this thread that make its look-ups mean something else than the process's state.
    static ELSEWHERE: Cell<u32> = Cell::new(0);
    /// Identifies this thread in the book: 0 = not yet there, `DEAD` = already folded.
    static THREAD: Cell<u64> = Cell::new(0);
    static FOLD: FoldAtExit = FoldAtExit;
}

const DEAD: u64 = u64::MAX;

/// This thread's block, for hot paths that look at it before anything else: without LTO that costs the fewest registers.
#[inline(always)]
pub(crate) fn here() -> Slots {
    SLOTS.get()
}

/// True when nothing is installed on this thread and it has counted before: the process's state is meant, and counting is a
/// load and a store.
#[inline(always)]
pub(crate) fn at_home() -> bool {
    SLOTS.get().len != 0
}

/// Is nothing installed on this thread, so that the process's state is meant?
pub(crate) fn nothing_installed() -> bool {
    ELSEWHERE.get() == 0
}

/// Something was installed on this thread (`true`) or taken away (`false`).
pub(crate) fn installed(more: bool) {
    let count = ELSEWHERE.get();
    ELSEWHERE.set(if more { count + 1 } else { count.saturating_sub(1) });
    show();
    #[cfg(not(loom))]
    crate::clock::ClockHandle::look_again();
}

/// Gives this thread a block, if it has none yet.
pub(crate) fn prepare() {
    if LEN.get() == 0 && THREAD.get() != DEAD {
        book().append_block();
    }
}

fn show() {
    let len = if nothing_installed() { LEN.get() } else { 0 };
    SLOTS.set(Slots { len, ..SLOTS.get() });
}

struct FoldAtExit;

/// A model's threads call [`fold_this_thread`] at their end instead: loom drops thread-locals after it has told `join`, and lets
/// nobody look at any of them then.
#[cfg(not(loom))]
impl Drop for FoldAtExit {
    fn drop(&mut self) {
        fold_this_thread();
    }
}

pub(crate) fn fold_this_thread() {
    LEN.set(0);
    SLOTS.set(Slots { cells: NonNull::dangling(), len: 0 });
    let thread = THREAD.replace(DEAD);
    book().fold(thread);
}

/// A block of one thread; freed when the thread is folded.
struct Block(Box<[AtomicU64]>);

struct ThreadBlocks {
    thread: u64,
    blocks: Vec<Block>,
}

struct Book {
    next_index: u32,
    next_thread: u64,
    /// The first indexes of ranges whose component is gone, by the range's length.
    free: BTreeMap<u32, Vec<u32>>,
    totals: Vec<u64>,
    threads: Vec<ThreadBlocks>,
}

process_static! {
    static BOOK: Mutex<Book> = Mutex::new(Book {
        next_index: 0,
        next_thread: 1,
        free: BTreeMap::new(),
        totals: Vec::new(),
        threads: Vec::new(),
    });
}

fn book() -> MutexGuard<'static, Book> {
    BOOK.lock()
}

impl Book {
    fn allocate(&mut self, count: u32) -> u32 {
        if let Some(first) = self.free.get_mut(&count).and_then(Vec::pop) {
            return first;
        }
        let first = self.next_index;
        // Indexes are bounded by the components that live at one time; two thousand million of them do not fit in memory.
        self.next_index = first.checked_add(count).filter(|end| *end < LOCAL).expect("too many counting components");
        first
    }

    fn read(&self, index: u32) -> u64 {
        let index = index as usize;
        let folded = self.totals.get(index).copied().unwrap_or(0);
        let live = self.threads.iter().flat_map(|thread| &thread.blocks).filter_map(|block| block.0.get(index));
        live.fold(folded, |sum, cell| sum.wrapping_add(cell.load(Ordering::Relaxed)))
    }

    fn add_from_this_thread(&mut self, index: u32, by: u64) {
        self.append_block();
        if index < LEN.get() {
            let thread = THREAD.get();
            let own = self.threads.iter().find(|entry| entry.thread == thread).and_then(|entry| entry.blocks.last());
            if let Some(cell) = own.and_then(|block| block.0.get(index as usize)) {
                cell.store(cell.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
                return;
            }
        }
        self.add_to_totals(index, by);
    }

    fn add_to_totals(&mut self, index: u32, count: u64) {
        let index = index as usize;
        if self.totals.len() <= index {
            self.totals.resize(index + 1, 0);
        }
        self.totals[index] = self.totals[index].wrapping_add(count);
    }

    /// Gives this thread a block that covers every index handed out so far, unless it has one or is dead.
    fn append_block(&mut self) {
        if THREAD.get() == 0 {
            // Registers the fold; fails when this thread's destructors already ran without a block.
            let thread = if FOLD.try_with(|_| ()).is_ok() { self.next_thread } else { DEAD };
            if thread != DEAD {
                self.next_thread += 1;
                self.threads.push(ThreadBlocks { thread, blocks: Vec::new() });
            }
            THREAD.set(thread);
        }
        let thread = THREAD.get();
        if thread == DEAD || LEN.get() >= self.next_index {
            return;
        }
        let len = (self.next_index as usize).next_power_of_two().max(FIRST_LEN);
        let cells: Box<[AtomicU64]> = (0..len + MAX_COUNTS).map(|_| AtomicU64::new(0)).collect();
        let Some(entry) = self.threads.iter_mut().find(|entry| entry.thread == thread) else {
            return;
        };
        entry.blocks.push(Block(cells));
        // The address is taken after the box has reached its place; the vector may move the box, never the cells.
        if let Some(block) = entry.blocks.last() {
            SLOTS.set(Slots { cells: NonNull::from(&*block.0).cast(), len: 0 });
            LEN.set(len as u32);
            show();
        }
    }

    fn fold(&mut self, thread: u64) {
        let Some(at) = self.threads.iter().position(|entry| entry.thread == thread) else {
            return;
        };
        let gone = self.threads.swap_remove(at);
        for block in gone.blocks {
            for (index, cell) in block.0.iter().enumerate() {
                let count = cell.load(Ordering::Relaxed);
                if count != 0 {
                    self.add_to_totals(index as u32, count);
                }
            }
        }
    }
}

#[cfg(all(test, feature = "counters"))]
#[path = "counter_tests.rs"]
mod tests;
