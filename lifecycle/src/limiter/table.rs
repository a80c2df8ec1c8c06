//! The memory of a ring: the times of the newest permits.

use crate::sync::atomic::{AtomicU64, Ordering};
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// The latest time there is, 292 years after the clock's origin: a slot keeps one bit for itself.
pub(super) const END: u64 = (1 << 63) - 1;

/// Slots, a power of two of them. The permit at position `p` stands in slot `p mod len`: its time and, in the lowest bit, the
/// tag of its lap.
///
/// In one piece with their number, so that one pointer leads to both: a [`Lead`] and the slots.
#[derive(Debug)]
pub(super) struct Table(NonNull<Lead>);

/// What stands before the slots.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Lead {
    len: u64,
    mask: u64,
    slots: [AtomicU64; 0],
}

/// The slots of a [`Table`].
#[derive(Clone, Copy)]
pub(super) struct Slots<'a> {
    lead: NonNull<Lead>,
    of: PhantomData<&'a Table>,
}

// SAFETY: a table is a number nobody changes, and atomics.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

impl Table {
    /// Slots enough for the times of `permits` permits, all of them free.
    ///
    /// Zeroed by the system, page by page when first used: a million slots nobody needs yet take no memory.
    pub(super) fn new(permits: u32) -> Self {
        // At most 2^20, so that no layout is too large.
        let len = permits.clamp(1, 1 << 20).next_power_of_two() as usize;
        let layout = Self::layout(len);
        // SAFETY: the layout is not of size zero: there is a lead.
        let Some(lead) = NonNull::new(unsafe { alloc_zeroed(layout) }.cast::<Lead>()) else {
            handle_alloc_error(layout);
        };
        let number = len as u64;
        // SAFETY: freshly allocated for a lead and `len` slots. Zero is a valid `AtomicU64`, but for a model's, which are written.
        unsafe {
            lead.write(Lead { len: number, mask: number - 1, slots: [] });
            #[cfg(loom)]
            for slot in 0..len {
                (&raw mut (*lead.as_ptr()).slots).cast::<AtomicU64>().add(slot).write(AtomicU64::new(0));
            }
        }
        Self(lead)
    }

    fn layout(len: usize) -> Layout {
        let size = size_of::<Lead>() + len * size_of::<AtomicU64>();
        // SAFETY: the alignment is a power of two, and the size, of at most 2^20 slots, far from the largest.
        unsafe { Layout::from_size_align_unchecked(size, align_of::<Lead>()) }
    }

    /// For [`Slots::at`].
    pub(super) fn lead(&self) -> NonNull<Lead> {
        self.0
    }

    #[inline(always)]
    pub(super) fn slots(&self) -> Slots<'_> {
        Slots { lead: self.0, of: PhantomData }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        let len = self.slots().len() as usize;
        #[cfg(loom)]
        for slot in 0..len {
            // SAFETY: written by `new`, and nobody else has the table any more.
            unsafe { std::ptr::drop_in_place(std::ptr::from_ref(self.slots().slot(slot as u64)).cast_mut()) };
        }
        // SAFETY: allocated by `new` with this layout. Atomics need no drop, but for a model's.
        unsafe { dealloc(self.0.as_ptr().cast(), Self::layout(len)) };
    }
}

impl<'a> Slots<'a> {
    /// The slots of the table with this lead.
    ///
    /// # Safety
    /// The table lives as long as `'a`.
    #[inline(always)]
    pub(super) unsafe fn at(lead: NonNull<Lead>) -> Self {
        Self { lead, of: PhantomData }
    }

    #[inline(always)]
    fn lead(self) -> &'a Lead {
        // SAFETY: its table lives as long as `'a` (`at`, `Table::slots`), and nobody changes a lead.
        unsafe { self.lead.as_ref() }
    }

    #[inline(always)]
    pub(super) fn len(self) -> u64 {
        self.lead().len
    }

    #[inline(always)]
    pub(super) fn slot(self, position: u64) -> &'a AtomicU64 {
        let index = (position & self.lead().mask) as usize;
        // SAFETY: the pointer is that of the table's memory (`Table::new`), which lives as long as `'a`; the slots stand behind the
        // lead, `len` of them, a power of two, and the index is masked with one less.
        unsafe { &*(&raw const (*self.lead.as_ptr()).slots).cast::<AtomicU64>().add(index) }
    }

    /// The tag of this position's lap: the laps before and after it have the other one.
    #[inline(always)]
    pub(super) fn tag(self, position: u64) -> u64 {
        // A free slot (0) is one of the lap before the first.
        u64::from(position & self.len() == 0)
    }

    /// What a slot holds once the permit at `position` has got its time.
    #[inline(always)]
    pub(super) fn filled(self, position: u64, time: u64) -> u64 {
        time << 1 | self.tag(position)
    }

    #[inline(always)]
    pub(super) fn is_filled(self, position: u64, slot: u64) -> bool {
        slot & 1 == self.tag(position)
    }

    /// When the permit at this position was given; 0: never.
    #[inline(always)]
    pub(super) fn time(self, position: u64) -> u64 {
        self.slot(position).load(Ordering::Acquire) >> 1
    }
}
