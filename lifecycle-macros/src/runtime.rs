//! How an expansion names the runtime: always by an absolute path, always through its private module.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;

/// The runtime's private module. It carries the patch version, so that two releases never mix.
const PRIVATE: &str = "__private0";

/// Tokens whose local variables the user cannot see, and the other way round.
macro_rules! generated {
    ($($tokens:tt)*) => { ::quote::quote_spanned! { ::proc_macro2::Span::mixed_site() => $($tokens)* } };
}
pub(crate) use generated;

/// Where the runtime crate is: `::lifecycle`, or what `crate = path` says.
#[derive(Clone, Default)]
pub(crate) struct Runtime {
    path: Option<Path>,
}

impl Runtime {
    pub(crate) fn at(path: Option<Path>) -> Self {
        Self { path }
    }

    /// The path that was given, if one was.
    pub(crate) fn given(&self) -> Option<&Path> {
        self.path.as_ref()
    }

    /// `::lifecycle`
    pub(crate) fn root(&self) -> TokenStream {
        match &self.path {
            Some(path) => quote!(#path),
            None => generated!(::lifecycle),
        }
    }

    /// `::lifecycle::__private0`
    pub(crate) fn private(&self) -> TokenStream {
        let root = self.root();
        let module = syn::Ident::new(PRIVATE, proc_macro2::Span::mixed_site());
        generated!(#root::#module)
    }

    /// `::lifecycle::__private0`, but errors about what follows land on the user's tokens.
    pub(crate) fn private_at(&self, span: proc_macro2::Span) -> TokenStream {
        let root = match &self.path {
            Some(path) => quote!(#path),
            None => quote_spanned!(span=> ::lifecycle),
        };
        let module = syn::Ident::new(PRIVATE, span);
        quote_spanned!(span=> #root::#module)
    }

    /// `Descriptor::new(Kind::Breaker, "name", module_path!(), file!(), line!())`, the line being that of the attribute at
    /// `at`: for a guard that stepped aside it is not the attribute that is being expanded.
    pub(crate) fn descriptor(&self, kind: &str, name: &str, at: proc_macro2::Span) -> TokenStream {
        let (private, private_at) = (self.private(), self.private_at(at));
        let line = quote_spanned!(at=> #private_at::core::line!());
        let kind = syn::Ident::new(kind, proc_macro2::Span::mixed_site());
        generated! {
            #private::Descriptor::new(
                #private::Kind::#kind,
                #name,
                #private::core::module_path!(),
                #private::core::file!(),
                #line,
            )
        }
    }

    /// The entry of the link-time list.
    pub(crate) fn listed(&self, kind: &str, component: &TokenStream) -> TokenStream {
        let private = self.private();
        let kind = syn::Ident::new(kind, proc_macro2::Span::mixed_site());
        generated! { #private::inventory::submit! { #private::Listed::#kind(&#component) } }
    }
}

/// The user's tokens in their place, but marked as ours: lints about code that its author could change leave them alone.
pub(crate) fn as_ours(tokens: impl ToTokens) -> TokenStream {
    let ours = |token: TokenTree| -> TokenTree {
        let span = token.span().resolved_at(Span::mixed_site());
        let mut token = match token {
            TokenTree::Group(group) => TokenTree::Group(Group::new(group.delimiter(), as_ours(group.stream()))),
            token => token,
        };
        token.set_span(span);
        token
    };
    tokens.into_token_stream().into_iter().map(ours).collect()
}

/// Whether this path names something in the private module: how guards recognize each other's markers.
pub(crate) fn is_private(path: &Path, name: &str) -> bool {
    let mut segments = path.segments.iter().rev();
    segments.next().is_some_and(|last| last.ident == name)
        && segments.next().is_some_and(|module| module.ident == PRIVATE)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_private_module_carries_the_patch_version() {
        assert_eq!(super::PRIVATE, format!("__private{}", env!("CARGO_PKG_VERSION_PATCH")));
    }
}
