//! In a model nothing shuts down.

use crate::scope::{Frame, FrameId, StateRef};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Phase;

impl Phase {
    pub(crate) fn in_force() -> StateRef<'static, Self> {
        StateRef::Process(&Self)
    }

    pub(crate) fn refuses(&self) -> bool {
        false
    }

    pub(crate) fn is_over(&self) -> bool {
        false
    }

    pub(crate) fn is_awaited_by(&self, _: FrameId) -> bool {
        false
    }
}

#[derive(Debug)]
pub(crate) struct Busy;

impl Busy {
    pub(crate) fn new(_: StateRef<'static, Phase>, _: &Arc<Frame>) -> Self {
        Self
    }
}

#[derive(Debug)]
pub(crate) struct Awaits {
    pub(crate) factory: FrameId,
}

impl Awaits {
    pub(crate) fn new(_: &StateRef<'static, Phase>, factory: FrameId) -> Self {
        Self { factory }
    }

    pub(crate) fn blocking(_: &StateRef<'static, Phase>, factory: FrameId) -> Self {
        Self { factory }
    }
}
