//! In a model nothing shuts down.

use crate::scope::StateRef;

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

    pub(crate) fn one_less(&self) {}
}

#[derive(Debug)]
pub(crate) struct Busy;

impl Busy {
    pub(crate) fn new(_: StateRef<'static, Phase>) -> Self {
        Self
    }
}
