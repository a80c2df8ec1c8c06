//! The numbers as the runtime's constructor takes them.

use super::Numbers;
use crate::runtime::{Runtime, generated};
use proc_macro2::TokenStream;

impl Numbers {
    /// The consts that the values need, and `100u32, Duration::new(1u64, 0u32)`.
    pub(crate) fn tokens(&self, runtime: &Runtime) -> (TokenStream, TokenStream) {
        let (limit_const, limit) = self.limit.tokens(runtime, "limit");
        let (window_const, window) = self.window.tokens(runtime, "window");
        (generated!(#limit_const #window_const), generated!(#limit, #window))
    }
}
