//! One configuration from several sources: defaults in code, a TOML file, JSON from elsewhere, the environment; later ones win.
//! `cargo run --example init_config_sources`, or `SHOP_REGION=us-east-1 SHOP_RETRIES=7 cargo run --example init_config_sources`
//!
//! Everything that serde can read goes in, and a type of yours comes out.

use lifecycle::{BoxError, Error, InitConfig, initialization, initialize};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the program works with; its `Default` is the first source.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    region: String,
    retries: u32,
    timeout_ms: u64,
    database: Database,
    api_token: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Database {
    host: String,
    pool: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let database = Database { host: "localhost".to_owned(), pool: 4 };
        Self { region: "eu-west-1".to_owned(), retries: 3, timeout_ms: 250, database, api_token: None }
    }
}

const FILE: &str = r#"
retries = 5

[database]
host = "db.internal"
pool = 16
"#;

/// `SHOP_RETRIES=7` -> `retries: 7`: a number or a word where it reads as JSON, else a text.
fn from_environment(prefix: &str) -> InitConfig {
    let own = std::env::vars().filter_map(|(name, text)| {
        let name = name.strip_prefix(prefix)?.to_lowercase();
        let value = serde_json::from_str(&text).unwrap_or_else(|_| text.into());
        Some((name, value))
    });
    own.collect::<Vec<(String, serde_json::Value)>>().into_iter().collect()
}

fn sources(file: &str, from_elsewhere: &str) -> Result<InitConfig, BoxError> {
    let defaults = InitConfig::from_serialize(&Settings::default())?;
    let file: InitConfig = toml::from_str(file)?;
    let from_elsewhere: InitConfig = serde_json::from_str(from_elsewhere)?;
    let all = defaults.merge(file).merge(from_elsewhere).merge(from_environment("SHOP_"));
    // What may be seen in the status and in logs; the rest is `***`.
    Ok(all.reveal("region").reveal("retries"))
}

fn main() -> Result<(), BoxError> {
    let outcome = initialize(sources(FILE, r#"{"api_token": "s3cr3t", "timeout_ms": 900}"#)?)?;
    println!("keys, in the order of their first source: {}", outcome.config_keys.join(", "));
    let settings: Settings = initialization().config_as()?;
    println!(
        "{} after {} retries of {:?}",
        settings.region,
        settings.retries,
        Duration::from_millis(settings.timeout_ms)
    );
    println!("as it is shown: {:?}", initialization().config()?);
    assert_eq!(
        (settings.database.host.as_str(), settings.database.pool, settings.timeout_ms),
        ("db.internal", 16, 900)
    );
    assert_eq!(initialization().get_status().config["api_token"], "***");

    // A mistake is told without the value, which may be the wrong secret in the wrong place.
    let wrong = sources("retries = \"s3cr3t\"", "{}")?.deserialize::<Settings>().unwrap_err();
    println!("a mistake: {wrong}");
    assert!(matches!(wrong, Error::InvalidConfig { .. }) && !wrong.to_string().contains("s3cr3t"));

    // Another configuration later is ignored, and it is said what would have been different.
    let later = initialize(sources("retries = 9", "{}")?)?;
    println!("ignored: {}", later.ignored_keys.join(", "));
    assert!(later.cached && later.ignored && later.ignored_keys.contains(&"database".to_owned()));
    Ok(())
}
