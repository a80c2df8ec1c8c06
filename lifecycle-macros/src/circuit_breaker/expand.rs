//! The static behind a guarded function.

use super::Breaker;
use crate::names::snake_case;
use crate::runtime::{Runtime, generated};
use proc_macro2::{Ident, TokenStream};
use quote::format_ident;

impl Breaker {
    /// Output: `static __LIFECYCLE_BREAKER: CircuitBreaker = ..;`, listed, and a reference to it
    pub(crate) fn declaration(&self, runtime: &Runtime, function: &Ident) -> TokenStream {
        let private = runtime.private();
        let name = self.name.clone().unwrap_or_else(|| snake_case(function));
        let descriptor = runtime.descriptor("Breaker", &name, self.at);
        let listed = runtime.listed("breaker", &generated!(__LIFECYCLE_BREAKER));
        let counts = self.counts.iter().map(|(key, count)| (key, count.tokens(runtime, key)));
        let times = self.times.iter().map(|(key, time)| (key, time.tokens(runtime, key)));
        let (mut consts, mut settings) = (TokenStream::new(), TokenStream::new());
        for (method, (declared, value)) in counts.chain(times) {
            let method = format_ident!("{method}");
            consts.extend(declared);
            settings.extend(generated!(.#method(#value)));
        }
        generated! {
            #consts
            static __LIFECYCLE_BREAKER: #private::CircuitBreaker = #private::CircuitBreaker::__declared(
                #descriptor,
                #private::BreakerConfig::new() #settings,
                || &__LIFECYCLE_BREAKER,
            );
            #listed
            &__LIFECYCLE_BREAKER
        }
    }
}
