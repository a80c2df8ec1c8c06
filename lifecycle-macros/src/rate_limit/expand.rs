//! The static behind a limited function.

use super::Limiter;
use crate::names::snake_case;
use crate::runtime::{Runtime, generated};
use proc_macro2::{Ident, TokenStream};

impl Limiter {
    /// Output: `static __LIFECYCLE_LIMITER: RateLimiter = ..;`, listed, and a reference to it
    pub(crate) fn declaration(&self, runtime: &Runtime, function: &Ident) -> TokenStream {
        let private = runtime.private();
        let name = self.name.clone().unwrap_or_else(|| snake_case(function));
        let descriptor = runtime.descriptor("Limiter", &name, self.at);
        let listed = runtime.listed("limiter", &generated!(__LIFECYCLE_LIMITER));
        let (limit_const, limit) = self.limit.tokens(runtime, "limit");
        let (window_const, window) = self.window.tokens(runtime, "window");
        generated! {
            #limit_const
            #window_const
            static __LIFECYCLE_LIMITER: #private::RateLimiter =
                #private::RateLimiter::__declared(#descriptor, #limit, #window, || &__LIFECYCLE_LIMITER);
            #listed
            &__LIFECYCLE_LIMITER
        }
    }
}
