//! The numbers as the runtime's constructor takes them.

use super::Numbers;
use crate::runtime::{Runtime, generated};
use proc_macro2::TokenStream;

impl Numbers {
    /// The runtime's constructor.
    pub(crate) fn constructor(&self) -> &'static str {
        if self.mode.is_some() { "__declared_gcra" } else { "__declared" }
    }

    /// The consts that the values need, and `100u32, Duration::new(1u64, 0u32)`, with the burst if there is one.
    pub(crate) fn tokens(&self, runtime: &Runtime) -> (TokenStream, TokenStream) {
        let (limit_const, limit) = self.limit.tokens(runtime, "limit");
        let (window_const, window) = self.window.tokens(runtime, "window");
        let (consts, arguments) = (generated!(#limit_const #window_const), generated!(#limit, #window));
        let Some(mode) = &self.mode else { return (consts, arguments) };
        let (burst_const, burst) = mode.burst.tokens(runtime, "burst");
        (generated!(#consts #burst_const), generated!(#arguments, #burst))
    }
}
