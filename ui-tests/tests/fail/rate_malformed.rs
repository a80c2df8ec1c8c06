use lifecycle::rate_limit;

#[rate_limit("100/x")]
fn no_unit() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit("100")]
fn no_window() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit("1.5/s")]
fn fraction() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit]
fn no_rate() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit(100)]
fn a_number() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit("100/s", limit = 3)]
fn twice() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit(limit = 3)]
fn half() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit(per_second = 3)]
fn other_word() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit("9999999/s")]
fn too_many() -> anyhow::Result<u8> {
    Ok(1)
}

fn main() {}
