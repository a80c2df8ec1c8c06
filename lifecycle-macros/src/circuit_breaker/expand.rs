//! The numbers as the const builder of the runtime.

use super::Numbers;
use crate::options::{CallWindow, Count};
use crate::runtime::{Runtime, generated};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;

impl Numbers {
    /// The consts that the values need, and `BreakerConfig::new().threshold(3u32)`.
    pub(crate) fn tokens(&self, runtime: &Runtime) -> (TokenStream, TokenStream) {
        let private = runtime.private();
        let (mut consts, mut settings) = (TokenStream::new(), TokenStream::new());
        let mut set = |method: &str, (declared, value): (TokenStream, TokenStream)| {
            let method = Ident::new(method, Span::call_site());
            consts.extend(declared);
            settings.extend(generated!(.#method(#value)));
        };
        for (key, count) in &self.counts {
            set(key, count.tokens(runtime, key));
        }
        for (key, time) in &self.times {
            set(key, time.tokens(runtime, key));
        }
        if let Some(window) = &self.window {
            set("window", window.tokens(runtime, "window"));
        }
        if let Some(backoff) = &self.backoff {
            set("backoff", backoff.tokens(runtime));
        }
        if let Some(word) = &self.cancelled {
            let variant = match &*word.to_string() {
                "neutral" => generated!(Neutral),
                "failure" => generated!(Failure),
                _ => generated!(FailureWhenSlow),
            };
            set("cancelled", (TokenStream::new(), generated!(#private::Cancelled::#variant)));
        }
        consts.extend(self.fits(runtime));
        (consts, generated!(#private::BreakerConfig::new() #settings))
    }

    /// `const _: () = assert!(window_holds(&WINDOW, MINIMUM_CALLS));` where one of the two is known to the compiler only.
    fn fits(&self, runtime: &Runtime) -> Option<TokenStream> {
        let (_, minimum) = self.counts.iter().find(|(key, _)| *key == "minimum_calls")?;
        let span = match (minimum, &self.window) {
            (Count::Literal(_), Some(CallWindow::Const(window))) => window.span(),
            (Count::Const(minimum), _) => minimum.span(),
            _ => return None,
        };
        let (private, here) = (runtime.private(), runtime.private_at(span));
        let (_, minimum) = minimum.tokens(runtime, "minimum_calls");
        let window = match &self.window {
            Some(window) => window.tokens(runtime, "window").1,
            None => generated!(#private::BreakerConfig::DEFAULT_WINDOW),
        };
        let holds = generated!(#private::channel::window_holds(&#window, #minimum));
        let check =
            quote_spanned!(span=> #here::core::assert!(#holds, "`minimum_calls` is more than the window can hold"););
        Some(generated!(const _: () = #check))
    }
}
