//! Which breakers this thread is inside a probe of. A guarded call that calls another one of the same breaker (methods of one
//! impl block, recursion) is one call: if the inner one were refused because the outer one holds the slot, the outer one would
//! fail for it, and the breaker would never close again. Asked and kept off the hot path only.

use super::handle::BreakerState;
use std::cell::RefCell;
use std::marker::PhantomData;

thread_local! {
    /// Their addresses, the innermost last. A state lives as long as a permit of it, so none is another's meanwhile.
    static INSIDE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// While it lives this thread is inside a probe.
pub(crate) struct Inside {
    state: usize,
    /// It ends on its thread.
    _not_send: PhantomData<*const ()>,
}

impl Inside {
    #[cold]
    pub(super) fn enter(state: &BreakerState) -> Option<Self> {
        let state = address(state);
        // Where the thread is being torn down there is nothing to be inside of.
        INSIDE.try_with(|inside| inside.borrow_mut().push(state)).ok()?;
        Some(Self { state, _not_send: PhantomData })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        _ = INSIDE.try_with(|inside| {
            let mut inside = inside.borrow_mut();
            if let Some(at) = inside.iter().rposition(|state| *state == self.state) {
                inside.remove(at);
            }
        });
    }
}

/// Does this thread run a probe of this breaker?
pub(super) fn is_inside(state: &BreakerState) -> bool {
    INSIDE.try_with(|inside| inside.borrow().contains(&address(state))).unwrap_or(false)
}

fn address(state: &BreakerState) -> usize {
    std::ptr::from_ref(state).addr()
}
