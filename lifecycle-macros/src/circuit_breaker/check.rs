//! What single options cannot see.

use super::args::Args;
use crate::errors::Errors;
use crate::guarded_fn::check_way_out;

pub(super) fn check(args: &Args, errors: &mut Errors) {
    check_way_out(&args.options, errors);
}
