//! A first load tells nobody until an operator has released it.

use tandem::demo::world::PATIENCE;

use crate::county::County;

#[tokio::test(flavor = "multi_thread")]
async fn first_load_tells_nobody_until_it_is_released_and_then_tells_once() {
    let county = County::consented().await;
    let world = &county.world;
    let told = || {
        (
            world.calworks.received().len(),
            world.partner.received().len(),
            world.hmis.received().len(),
        )
    };
    let before = told();
    county.housing_loads().await;
    world.settle().await.unwrap();
    assert_eq!(told(), before, "a first load told somebody something");
    let body = serde_json::json!({});
    world
        .office
        .post("operator", "/v1/baseline/hmis-demo/release", &body)
        .await
        .unwrap();
    world
        .calworks
        .wait_for(
            "the notice about housing",
            |message| {
                message.message_type == "client_match"
                    && message.field("partner_program") == "housing"
            },
            PATIENCE,
        )
        .await
        .unwrap();
    world.settle().await.unwrap();
    assert!(
        world.hmis.received().len() > before.2,
        "housing was not told"
    );
    let after = told();
    world
        .office
        .post("operator", "/v1/baseline/hmis-demo/release", &body)
        .await
        .unwrap();
    county.housing_loads().await;
    world.settle().await.unwrap();
    assert_eq!(told(), after, "a second release or load told again");
    county.stop().await;
}
