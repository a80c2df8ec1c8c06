//! The accessors of a type, and what their documentation says of them.

use super::model::{Storage, TypeSingleton};
use crate::runtime::generated;
use proc_macro2::{Ident, Span, TokenStream};
use std::fmt::Write as _;

/// `instance` or `current`, `try_instance` or `try_current`.
pub(super) fn name(model: &TypeSingleton<'_>, tries: bool) -> Ident {
    let name = match (model.settings.storage, tries) {
        (Storage::Static, false) => "instance",
        (Storage::Static, true) => "try_instance",
        (Storage::Swapped | Storage::Bound, false) => "current",
        (Storage::Swapped | Storage::Bound, true) => "try_current",
    };
    Ident::new(name, Span::mixed_site())
}

/// Output: `pub fn instance() -> &'static Config`, `pub fn try_instance() -> Result<..>`, `pub fn get() -> Option<..>`
pub(super) fn expand(model: &TypeSingleton<'_>, vis: &TokenStream) -> TokenStream {
    let TypeSingleton { runtime, name: own_name, factory, settings, ident, .. } = model;
    let private = runtime.private();
    let handed = settings.storage.handed(runtime, ident);
    let asynchronous = factory.is_async.then(|| generated!(async));
    let describe =
        if factory.fallible { generated!(#private::describe::chain) } else { generated!(#private::describe::never) };
    let created = if factory.is_async {
        generated!(#private::declared::get_async::<#ident, _, _>(&__LIFECYCLE_CELL, __lifecycle_create, #describe).await)
    } else {
        generated!(#private::declared::get::<#ident, _>(&__LIFECYCLE_CELL, __lifecycle_create, #describe))
    };
    // The compiler names these to whoever calls them by those names.
    let by_other_names = settings.storage != Storage::Static;
    let alias = by_other_names.then(|| generated!(#[doc(alias = "instance")]));
    let try_alias = match (by_other_names, factory.fallible) {
        (false, _) => None,
        (true, false) => Some(generated!(#[doc(alias = "try_instance")])),
        (true, true) => Some(generated!(#[doc(alias("instance", "try_instance"))])),
    };
    let panicking = (!factory.fallible).then(|| {
        let (name, doc) = (name(model, false), doc(model, false));
        let instance = if factory.is_async {
            generated!(#private::declared::instance_async::<#ident, _>(&__LIFECYCLE_CELL, __lifecycle_create).await)
        } else {
            generated!(#private::declared::instance::<#ident>(&__LIFECYCLE_CELL, __lifecycle_create))
        };
        let body = hot_first(model, &generated!(lifecycle_found), &instance);
        generated! {
            #[doc = #doc]
            #alias
            #[inline]
            #vis #asynchronous fn #name() -> #handed { #body }
        }
    });
    let (try_name, try_doc) = (name(model, true), doc(model, true));
    let tried = if factory.fallible {
        generated!(#private::declared::or_boxed(#own_name, #created))
    } else {
        generated!(#private::declared::or_refused(#created))
    };
    let try_body = hot_first(model, &generated!(#private::core::result::Result::Ok(lifecycle_found)), &tried);
    let doc_get = format!("{} if it exists: never creates it, never waits, is not counted.", subject(model));
    generated! {
        #panicking
        #[doc = #try_doc]
        #try_alias
        #[inline]
        #vis #asynchronous fn #try_name() -> #private::core::result::Result<#handed, #private::SingletonError> {
            #try_body
        }
        #[doc = #doc_get]
        #[inline]
        #[must_use]
        #vis fn get() -> #private::core::option::Option<#handed> {
            #private::declared::existing::<#ident>(&__LIFECYCLE_CELL)
        }
    }
}

/// Async accessors look before they build a future; sync ones do so inside `get`.
fn hot_first(model: &TypeSingleton<'_>, found: &TokenStream, created: &TokenStream) -> TokenStream {
    if !model.factory.is_async {
        return created.clone();
    }
    let (private, ident) = (model.runtime.private(), model.ident);
    // Not a `match`: the future would keep what it looked at through the `.await`.
    generated! {
        if let #private::core::option::Option::Some(lifecycle_found) = #private::declared::hot::<#ident>(&__LIFECYCLE_CELL) {
            return #found;
        }
        #created
    }
}

fn subject(model: &TypeSingleton<'_>) -> String {
    match model.settings.storage {
        Storage::Static => format!("The one `{}` of the process", model.ident),
        Storage::Swapped => format!("The current `{}`", model.ident),
        Storage::Bound => format!("The one `{}` of this invocation", model.ident),
    }
}

/// What the accessor gives, then when it cannot.
fn doc(model: &TypeSingleton<'_>, tries: bool) -> String {
    let subject = subject(model);
    let mut doc = match model.settings.storage {
        Storage::Static => format!("{subject}, created on first use."),
        Storage::Swapped => {
            format!("{subject}, created on first use. A replaced one is freed with its last holder: hold it briefly.")
        }
        Storage::Bound => {
            format!("{subject}, created on first use in it, and dropped at its end unless somebody holds it still.")
        }
    };
    if model.factory.is_async {
        doc.push_str("\n\nWho drops this future loses nothing: another caller's drives the same creation on.");
    }
    let mut when = String::new();
    if tries && model.factory.fallible {
        when.push_str("the factory fails (the next call tries again");
        when.push_str(if model.settings.retry_backoff.is_some() { " once the pause is over), " } else { "), " });
    }
    if model.settings.storage == Storage::Bound {
        when.push_str("there is no invocation here, it is over, or what asks for this would outlive it, ");
    }
    when.push_str("its creation needs itself");
    if model.settings.init_timeout.is_some() {
        when.push_str(" or takes longer than its `init_timeout`");
    }
    when.push_str(", or the process is shutting down before it exists");
    let (heading, path) =
        if tries { ("Errors", "") } else { ("Panics", " The message says which, with the path of a circle.") };
    let _ = write!(
        doc,
        "\n\n# {heading}\nWhen {when}.{path} A panic of the factory goes on, and the next call tries again."
    );
    doc
}
