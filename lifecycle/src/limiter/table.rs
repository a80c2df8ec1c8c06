//! The memory of a ring: the times of the newest permits.

use crate::sync::atomic::{AtomicU64, Ordering};

/// The latest time there is, 292 years after the clock's origin: a slot keeps one bit for itself.
pub(super) const END: u64 = (1 << 63) - 1;

/// Slots, a power of two of them. The permit at position `p` stands in slot `p mod len`: its time and, in the lowest bit, the
/// tag of its lap.
pub(super) struct Table {
    slots: Box<[AtomicU64]>,
    /// The smaller one that this one stands for. Somebody may still be reading it, so it is kept.
    before: *mut Self,
}

/// The slots of a [`Table`].
#[derive(Clone, Copy)]
pub(super) struct Slots<'a>(&'a [AtomicU64]);

impl Table {
    /// Slots enough for the times of `permits` permits, all of them free.
    pub(super) fn new(permits: u32, before: *mut Self) -> Self {
        Self { slots: zeroed(permits.next_power_of_two() as usize), before }
    }

    /// What to free after this one.
    pub(super) fn before(&self) -> *mut Self {
        self.before
    }

    #[inline(always)]
    pub(super) fn slots(&self) -> Slots<'_> {
        Slots(&self.slots)
    }
}

impl<'a> Slots<'a> {
    #[inline(always)]
    pub(super) fn len(self) -> u64 {
        self.0.len() as u64
    }

    #[inline(always)]
    pub(super) fn slot(self, position: u64) -> &'a AtomicU64 {
        // SAFETY: the number of slots is a power of two (`new`), so never zero, and masked with it less one any number is below it.
        unsafe { self.0.get_unchecked(position as usize & (self.0.len() - 1)) }
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

/// Zeroed by the system, page by page when first used: a million slots nobody needs yet take no memory.
#[cfg(not(loom))]
fn zeroed(len: usize) -> Box<[AtomicU64]> {
    use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
    let Ok(layout) = Layout::array::<AtomicU64>(len) else {
        // A limit is at most 2^20.
        return Box::new([AtomicU64::new(0)]);
    };
    // SAFETY: the layout is of `len` (one or more) atomics of eight bytes, so it is not of size zero.
    let slots = unsafe { alloc_zeroed(layout) };
    if slots.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: freshly allocated by the global allocator with the layout of `[AtomicU64; len]`, and zero is a valid `AtomicU64`.
    unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(slots.cast(), len)) }
}

#[cfg(loom)]
fn zeroed(len: usize) -> Box<[AtomicU64]> {
    (0..len).map(|_| AtomicU64::new(0)).collect()
}
