//! Hooks: what the user wants to be called with the instance.

use super::model::Storage;
use crate::options::Options;
use crate::runtime::{Runtime, generated};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned as _;

/// The names of all hooks.
pub(super) const NAMES: [&str; 9] =
    ["shutdown", "before_snapshot", "after_restore", "on_retire", "reset", "pressure", "health", "memory", "on_change"];

/// A path or closure, and what it is for.
pub(super) struct Hook {
    name: &'static str,
    callable: Expr,
}

pub(super) fn take(options: &mut Options) -> Vec<Hook> {
    let hook = |name| options.callable(name).map(|callable| Hook { name, callable });
    NAMES.into_iter().filter_map(hook).collect()
}

impl Hook {
    /// Output: `fn __lifecycle_reset(instance: &T) -> HookResult { done(call_ref(HOOK, instance)) }` and `.reset(__lifecycle_reset)`
    ///
    /// What users write stands here once, and whatever is wrong with it is said there: all of ours around it has its span.
    pub(super) fn tokens(
        &self,
        runtime: &Runtime,
        storage: Storage,
        value: &TokenStream,
    ) -> (TokenStream, TokenStream) {
        let Self { name, callable } = self;
        // Nothing that is awaited may hold an instance that others replace.
        let name = match (*name, storage) {
            ("health", Storage::Swapped | Storage::Bound) => "health_ref",
            // It is over before the instance is.
            ("shutdown", Storage::Bound) => "leave",
            (name, _) => name,
        };
        let span = callable.span();
        let (private, here) = (runtime.private(), runtime.private_at(span));
        let setter = Ident::new(name, Span::mixed_site());
        let function = format_ident!("__lifecycle_{name}", span = Span::mixed_site());
        let call = |call: TokenStream| quote_spanned!(span=> #here::hooks::#call);
        let ours = |name: &str| Ident::new(name, span.resolved_at(Span::mixed_site()));
        let (instance, outcome) = (ours("lifecycle_instance"), ours("lifecycle_outcome"));
        let usize = generated!(#private::core::primitive::usize);
        let (signature, body) = match name {
            "shutdown" | "health" | "leave" | "before_snapshot" | "after_restore" => {
                let (gives, run) = match name {
                    "health" => (generated!(HealthRun), ours("health")),
                    "shutdown" => (generated!(HookRun<'static>), ours("run")),
                    _ => (generated!(HookRun<'lifecycle>), ours("run")),
                };
                let (parameter, lifetime) = match name {
                    "shutdown" | "health" => (generated!(), generated!('static)),
                    _ => (generated!(<'lifecycle>), generated!('lifecycle)),
                };
                let called = call(quote_spanned!(span=> call(#callable, #instance)));
                let settled = quote_spanned!(span=> (&#outcome).__kind().#run(#outcome));
                (
                    generated!(#parameter (#instance: &#lifetime #value) -> #private::#gives),
                    generated! {
                        use #private::hooks::{FutureKind as _, PlainKind as _};
                        let #outcome = #called;
                        #settled
                    },
                )
            }
            "health_ref" => {
                let called = call(quote_spanned!(span=> call_ref(#callable, #instance)));
                (
                    generated!((#instance: &#value) -> #private::Health),
                    call(quote_spanned!(span=> health_at_once(#called))),
                )
            }
            "reset" => {
                let called = call(quote_spanned!(span=> call_ref(#callable, #instance)));
                (generated!((#instance: &#value) -> #private::HookResult), call(quote_spanned!(span=> done(#called))))
            }
            "pressure" => {
                let called = call(quote_spanned!(span=> call_ref(#callable, #instance)));
                (generated!((#instance: &#value) -> #usize), call(quote_spanned!(span=> freed(#called))))
            }
            "memory" => (
                generated!((#instance: &#value) -> #usize),
                call(quote_spanned!(span=> call_ref::<_, #usize>(#callable, #instance))),
            ),
            "on_change" => {
                let new = ours("lifecycle_new");
                let called = call(quote_spanned!(span=> changed(#callable, #instance, #new)));
                (generated!((#instance: &#value, #new: &#value)), generated!(#called;))
            }
            _ => {
                let called = call(quote_spanned!(span=> call_ref::<_, ()>(#callable, #instance)));
                (generated!((#instance: &#value)), generated!(#called;))
            }
        };
        (generated!(fn #function #signature { #body }), generated!(.#setter(#function)))
    }
}
