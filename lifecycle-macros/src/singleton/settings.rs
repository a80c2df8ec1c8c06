//! What a declaration says beside its factory: limits, dependencies, hooks.

use super::hooks::{self, Hook};
use super::model::Storage;
use crate::options::{Needed, Options, Pauses, TimeSpan};
use crate::runtime::{Runtime, generated};
use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned as _;

/// The options that every form takes.
pub(crate) struct Settings {
    pub(super) eager: bool,
    pub(super) storage: Storage,
    pub(super) init_timeout: Option<TimeSpan>,
    pub(super) retry_backoff: Option<Pauses>,
    refresh: Option<TimeSpan>,
    depends_on: Vec<Needed>,
    hooks: Vec<Hook>,
}

impl Settings {
    pub(super) fn take(options: &mut Options) -> Self {
        Self {
            eager: options.word("eager"),
            storage: Storage::of(options),
            init_timeout: options.time("init_timeout"),
            retry_backoff: options.pauses("retry_backoff"),
            refresh: options.time("refresh"),
            depends_on: options.singletons("depends_on"),
            hooks: hooks::take(options),
        }
    }

    /// Those of a step: `initialize` runs one as `warm_up` creates what is eager.
    pub(crate) fn of_step(options: &mut Options) -> Self {
        Self {
            eager: options.word("on_initialize"),
            storage: Storage::Static,
            init_timeout: options.time("init_timeout"),
            retry_backoff: None,
            refresh: None,
            depends_on: options.singletons("depends_on"),
            hooks: Vec::new(),
        }
    }

    /// Output: `&const { fn hook.. Settings::new().eager().. }`: a constant behind a reference, which costs a declaration
    /// without options one word.
    pub(super) fn tokens(&self, runtime: &Runtime, value: &TokenStream) -> TokenStream {
        let private = runtime.private();
        let mut items = TokenStream::new();
        let mut calls = TokenStream::new();
        if self.eager {
            calls.extend(generated!(.eager()));
        }
        if let Some(limit) = &self.init_timeout {
            let (item, limit) = limit.tokens(runtime, "init_timeout");
            items.extend(item);
            calls.extend(generated!(.init_timeout(#limit)));
        }
        if let Some(pauses) = &self.retry_backoff {
            let (item, first, most) = pauses.tokens(runtime, "retry_backoff");
            items.extend(item);
            calls.extend(generated!(.retry_backoff(#first, #most)));
        }
        if let Some(refresh) = &self.refresh {
            let (item, refresh) = refresh.tokens(runtime, "refresh");
            items.extend(item);
            calls.extend(generated!(.refresh(#refresh)));
        }
        if !self.depends_on.is_empty() {
            let needs = self.depends_on.iter().map(|needed| need(runtime, needed));
            calls.extend(generated!(.depends_on(&[#(#needs),*])));
        }
        for hook in &self.hooks {
            let (item, call) = hook.tokens(runtime, self.storage, value);
            items.extend(item);
            calls.extend(call);
        }
        generated!(&const { #items #private::Settings::new() #calls })
    }
}

/// Output: `|| Needs::Component(<Config as Singleton>::__cell())`: in a closure, because a constant cannot refer to a static.
fn need(runtime: &Runtime, needed: &Needed) -> TokenStream {
    let private = runtime.private();
    match needed {
        Needed::Type(path) => {
            let here = runtime.private_at(path.span());
            let cell = quote_spanned!(path.span()=> #here::declared::cell_of::<#path>());
            generated!(|| #private::Needs::Component(#cell))
        }
        Needed::Function(path) => {
            let here = runtime.private_at(path.span());
            let name = quote_spanned!(path.span()=> #here::declared::name_of(&#path));
            generated!(|| #private::Needs::Function(#name))
        }
        Needed::Static(path) => {
            let here = runtime.private_at(path.span());
            let cell = quote_spanned!(path.span()=> #here::declared::cell_of_lazy(&#path));
            generated!(|| #private::Needs::Component(#cell))
        }
        Needed::Name(name) => generated!(|| #private::Needs::Name(#name)),
    }
}
