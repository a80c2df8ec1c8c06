//! What may stand in `#[flag_value(..)]`: `crate = path` on the enum, `rename = ".."` on a variant.

use crate::errors::Errors;
use crate::options::closest;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr, Path};

/// The options of one place.
#[derive(Default)]
pub(super) struct Args {
    pub(super) path: Option<Path>,
    pub(super) rename: Option<LitStr>,
}

impl Args {
    /// `here` is the one key that stands in this place, the other one belongs to `elsewhere`.
    pub(super) fn read(attrs: &[Attribute], here: &'static str, elsewhere: &str, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("flag_value")) {
            let read = attr.parse_nested_meta(|meta| args.one(&meta, here, elsewhere));
            if let Err(error) = read {
                errors.push(error);
            }
        }
        args
    }

    fn one(&mut self, meta: &ParseNestedMeta<'_>, here: &str, elsewhere: &str) -> syn::Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        let example = if here == "crate" { "crate = facade::lifecycle" } else { "rename = \"fast\"" };
        match name.as_str() {
            "crate" | "rename" if name != here => Err(meta.error(format!("`{name}` belongs to {elsewhere}"))),
            "crate" if self.path.is_none() => {
                self.path = Some(meta.value()?.call(Path::parse_mod_style)?);
                Ok(())
            }
            "rename" if self.rename.is_none() => {
                let text: LitStr = meta.value()?.parse()?;
                if text.value().trim() != text.value() || text.value().is_empty() {
                    return Err(syn::Error::new(
                        text.span(),
                        "a value's name is not empty and has no blanks around it",
                    ));
                }
                self.rename = Some(text);
                Ok(())
            }
            "crate" | "rename" => Err(meta.error(format!("`{name}` is given twice"))),
            other if closest(other, [here].into_iter()).is_some() => {
                Err(meta.error(format!("unknown option `{other}`, did you mean `{here}`?")))
            }
            other => Err(meta.error(format!("unknown option `{other}`; there is `{example}`"))),
        }
    }
}
