//! The word that decides.

/// `position:43 | closed:1 | permits of the newest grant, less one:20`
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Head(pub(super) u64);

impl Head {
    pub(super) const CLOSED: u64 = 1 << 20;
    pub(super) const POSITION: u32 = 21;

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

    /// After a grant of `permits`.
    #[inline(always)]
    pub(super) const fn after(self, permits: u32) -> Self {
        let grown = (self.0 & !(Self::CLOSED - 1)).wrapping_add((permits as u64) << Self::POSITION);
        Self(grown | (permits as u64).wrapping_sub(1))
    }
}
