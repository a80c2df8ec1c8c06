//! AWS clients as singletons: one shared configuration, three clients made on first use, one table object a name.
//! `cargo run --example singleton_aws_clients`
//!
//! Stand-ins: `SdkConfig`, `CognitoClient`, `DynamoDbClient`, `BedrockClient` and `Table` are small types of this file, named
//! after those of the AWS SDK, and talk over real HTTP to a service on a loopback port that is started below. With the SDK the
//! bodies become `aws_config::load_from_env().await` and `aws_sdk_dynamodb::Client::new(config)`; everything else stays. All
//! figures are measured in this run.

#[path = "singleton_aws_clients/stand_ins.rs"] // beside this file it would be an example of its own
mod stand_ins;

use lifecycle::{BoxError, handle, singleton, singletons, testing};
use stand_ins::{AwsError, BedrockClient, Cloud, CognitoClient, DynamoDbClient, SdkConfig, Table};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::join;

// ---- What you would write -------------------------------------------------------------------------------------------

/// Region, credentials and HTTP connections, shared by all clients. An error (here: the credentials service does not answer) is
/// not kept: the next request tries again.
#[singleton]
async fn sdk_config() -> Result<SdkConfig, AwsError> {
    let endpoint = singletons().get::<SocketAddr>("endpoint")?.ok_or(AwsError::NoEndpoint)?;
    SdkConfig::load(*endpoint).await
}

#[singleton]
async fn cognito() -> Result<CognitoClient, AwsError> {
    Ok(CognitoClient::new(sdk_config().await?))
}

#[singleton]
async fn dynamodb() -> Result<DynamoDbClient, AwsError> {
    Ok(DynamoDbClient::new(sdk_config().await?))
}

#[singleton]
async fn bedrock() -> Result<BedrockClient, AwsError> {
    Ok(BedrockClient::new(sdk_config().await?))
}

/// One table object a name: described once, then shared. Listed as `table[users]`.
#[singleton(keyed, max_keys = 100)]
async fn table(name: &str) -> Result<Table, AwsError> {
    dynamodb().await?.describe_table(name).await
}

/// A handler. It pays for what it uses, and only the first one does.
async fn handler(user: &str) -> Result<String, AwsError> {
    let name = cognito().await?.user_name(user).await?;
    let orders = table("orders").await?.count(user).await?;
    Ok(format!("{name}: {orders} orders"))
}

/// The same without singletons: everything anew in each handler.
async fn handler_of_its_own(endpoint: SocketAddr, user: &str) -> Result<String, AwsError> {
    let config = SdkConfig::load(endpoint).await?;
    let name = CognitoClient::new(&config).user_name(user).await?;
    let orders = DynamoDbClient::new(&config).describe_table("orders").await?.count(user).await?;
    Ok(format!("{name}: {orders} orders"))
}

// ---- What happens to it ---------------------------------------------------------------------------------------------

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    tests_with_a_mock().await?;

    let cloud = Cloud::start().await?;
    singletons().set("endpoint", cloud.address)?;

    // The first requests, at the same time: each thing is made once, whoever asks first.
    let began = Instant::now();
    let (one, other) = join!(handler("ada"), handler("grace"));
    println!("{}; {}: the first two requests at once took {:?}", one?, other?, began.elapsed());
    assert_eq!((cloud.asked("/credentials"), cloud.asked("/dynamodb/tables/orders")), (1, 1));
    assert!(std::ptr::eq(cognito().await?, cognito().await?) && std::ptr::eq(sdk_config().await?, sdk_config().await?));
    assert!(Arc::ptr_eq(&table("orders").await?, &table("orders").await?));
    assert!(!handle(bedrock)?.is_created(), "nobody asked for it, nobody paid for it");

    // First access and later ones.
    let began = Instant::now();
    let answer = bedrock().await?.ask("why?").await?;
    println!("bedrock says {answer:?} after {:?}", began.elapsed());
    let began = Instant::now();
    for _ in 0..1000 {
        assert!(std::ptr::eq(dynamodb().await?, dynamodb().await?));
    }
    println!("an access to a client that exists: {:?}", began.elapsed() / 2000);
    assert!(table("users").await?.count("ada").await? > 0);

    // Fifty handlers, with shared clients and with clients of their own.
    let mut measured = Vec::new();
    for shared in [true, false] {
        let (credentials, connections) = (cloud.asked("/credentials"), cloud.connections());
        let began = Instant::now();
        for number in 0..50 {
            let user = format!("user{number}");
            if shared {
                handler(&user).await?
            } else {
                handler_of_its_own(cloud.address, &user).await?
            };
        }
        let took = began.elapsed();
        let loads = cloud.asked("/credentials") - credentials;
        let opened = cloud.connections() - connections;
        let whose = if shared { "shared clients" } else { "own clients   " };
        println!("50 handlers, {whose}: {took:.1?}, {loads} credential requests, {opened} new connections");
        measured.push((took, loads, opened));
    }
    assert_eq!((measured[0].1, measured[1].1), (0, 50));
    assert!(measured[0].2 == 0 && measured[1].2 > 25);

    // The dependencies were seen while it was created.
    let snapshot = lifecycle::snapshot();
    println!("\n{snapshot}");
    let edges = snapshot.edges();
    for edge in [("cognito", "sdk_config"), ("dynamodb", "sdk_config"), ("sdk_config", "endpoint")] {
        assert!(edges.contains(&edge), "{edge:?} in {edges:?}");
    }
    let keys: Vec<String> = handle(table)?.keys().into_iter().map(|key| key.name).collect();
    assert!(keys.contains(&"table[orders]".to_owned()) && keys.contains(&"table[users]".to_owned()));
    Ok(())
}

/// What tests do: a client of canned answers, in a world. No service runs yet, and nothing of this is seen outside.
async fn tests_with_a_mock() -> Result<(), BoxError> {
    let test = testing::isolated_async(async {
        let _config = handle(sdk_config)?.override_with(SdkConfig::canned(&[
            ("/cognito/users/ada", "Ada (a mock)"),
            ("/dynamodb/tables/orders", "orders"),
            ("/dynamodb/tables/orders/ada", "3"),
        ]))?;
        assert_eq!(handler("ada").await?, "Ada (a mock): 3 orders");
        // One client alone can be replaced, too.
        let other = SdkConfig::canned(&[("/cognito/users/ada", "somebody else")]);
        let _cognito = handle(cognito)?.override_with(CognitoClient::new(&other))?;
        assert_eq!(handler("ada").await?, "somebody else: 3 orders");
        Ok::<_, BoxError>(())
    });
    test.await?;
    assert!(!handle(cognito)?.is_created());
    // Outside there is no endpoint yet: an error of the functions' own type, and not kept.
    let early = handler("ada").await;
    assert!(matches!(&early, Err(AwsError::NoEndpoint)), "{early:?}");
    println!("tests with mocks passed, without any service");
    Ok(())
}
