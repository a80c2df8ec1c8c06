//! The word that decides.

/// `position:43 | closed:1 | permits of the newest grant, less one:20`
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Head(pub(super) u64);

impl Head {
    pub(super) const CLOSED: u64 = 1 << 20;
    pub(super) const POSITION: u32 = 21;
    #[cfg(test)]
    pub(super) const LAST_POSITION: u64 = u64::MAX >> Self::POSITION;

    /// Of the next permit. Positions are used by their lower bits only, so arithmetic with them may wrap.
    #[inline(always)]
    pub(super) const fn next(self) -> u64 {
        self.0 >> Self::POSITION
    }

    /// Where the newest grant begins.
    pub(super) const fn first(self) -> u64 {
        self.next().wrapping_sub((self.0 & (Self::CLOSED - 1)) + 1)
    }

    /// Its limit is being changed.
    #[inline(always)]
    pub(super) const fn is_closed(self) -> bool {
        self.0 & Self::CLOSED != 0
    }

    /// After a grant of `permits` by an open one; `None`: its positions do not reach so far ([`Ring::wrap`](super::Ring::wrap)).
    pub(super) const fn after(self, permits: u32) -> Option<Self> {
        match (self.0 & !(Self::CLOSED - 1)).checked_add((permits as u64) << Self::POSITION) {
            Some(grown) => Some(Self(grown | (permits as u64).wrapping_sub(1))),
            None => None,
        }
    }

    /// [`after`](Self::after) one permit, in the fewest instructions.
    #[inline(always)]
    pub(super) const fn after_one(self) -> Option<Self> {
        match (self.0 | (Self::CLOSED - 1) | Self::CLOSED).wrapping_add(1) {
            0 => None,
            after => Some(Self(after)),
        }
    }
}
